#!/bin/bash
# Starts InfluxDB as PID 1 and sets it up once: user, organisation, bucket and token of the Secret.
set -euo pipefail
home=/var/lib/influxdb2
ready=/tmp/ready
rm -f "$ready"
for name in INFLUXDB_USERNAME INFLUXDB_PASSWORD INFLUXDB_TOKEN; do
  case "${!name}" in
    *[!A-Za-z0-9._~+/=-]*|"")
      echo "influxdb: Secret influxdb-credentials must be non-empty and hold only letters, digits and . _ ~ + / = - ($name)" >&2
      exit 1 ;;
  esac
done

# METHOD PATH [BODY [HEADER]] → the whole answer; the image has no client of HTTP.
http() {
  local body="${3:-}"
  exec 3<>/dev/tcp/127.0.0.1/8086
  printf '%s %s HTTP/1.1\r\nHost: 127.0.0.1:8086\r\nConnection: close\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" "${4:+$4$'\r\n'}" "${#body}" "$body" >&3
  cat <&3
  exec 3>&-
}

prepare() {
  local answer
  until answer="$(http GET /api/v2/setup 2>/dev/null)" && [[ "$answer" == *'"allowed"'* ]]; do sleep 0.3; done
  if [[ "$answer" =~ \"allowed\":\ *true ]]; then
    answer="$(http POST /api/v2/setup "{\"username\":\"$INFLUXDB_USERNAME\",\"password\":\"$INFLUXDB_PASSWORD\",\"token\":\"$INFLUXDB_TOKEN\",\"org\":\"$INFLUXDB_ORG\",\"bucket\":\"$INFLUXDB_BUCKET\",\"retentionPeriodSeconds\":$RETENTION_SECONDS}")"
    [[ "$answer" == HTTP/1.1\ 201* ]] || { echo "influxdb: setup was refused: $(head -1 <<<"$answer")" >&2; return; }
    echo "influxdb: organisation $INFLUXDB_ORG and bucket $INFLUXDB_BUCKET made"
  fi
  # A volume may be older than the Secret: then nobody could write, which must show.
  answer="$(http GET "/api/v2/buckets?name=$INFLUXDB_BUCKET" "" "Authorization: Token $INFLUXDB_TOKEN")"
  if [[ "$answer" == HTTP/1.1\ 200* ]]; then
    : >"$ready"
  else
    echo "influxdb: the token of Secret influxdb-credentials is not that of the volume: restore the Secret, or delete the claim data-influxdb-0 with its points" >&2
  fi
}
(trap 'exit 0' TERM INT; prepare; exit 0) &

exec influxd --http-bind-address=:8086 --reporting-disabled --log-level=error \
  --bolt-path="$home/influxd.bolt" --sqlite-path="$home/influxd.sqlite" --engine-path="$home/engine" \
  --storage-cache-max-memory-size="$((MEMORY_LIMIT_MIB / 4 * 1048576))" \
  --query-concurrency=4 --query-queue-size=16 --query-initial-memory-bytes=1048576 \
  --query-memory-bytes="$((MEMORY_LIMIT_MIB / 4 * 1048576))"
