#!/bin/bash
# Gives Kibana's own user of Elasticsearch the password of the Secret, then runs Kibana.
set -euo pipefail
body="{\"password\":\"$ELASTICSEARCH_PASSWORD\"}"
login="$(printf 'elastic:%s' "$ELASTICSEARCH_ADMIN_PASSWORD" | base64 --wrap=0)"

set_password() {
  exec 3<>/dev/tcp/search/9200 || return 1
  printf 'POST /_security/user/kibana_system/_password HTTP/1.0\r\nHost: search\r\nAuthorization: Basic %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
    "$login" "${#body}" "$body" >&3
  read -r answer <&3
  exec 3>&-
  [[ "$answer" == *" 200"* ]]
}

until set_password 2>/dev/null; do
  echo "kibana: waiting for the search engine" >&2
  sleep 3
done
unset ELASTICSEARCH_ADMIN_PASSWORD
exec /usr/share/kibana/bin/kibana --config=/etc/payment-platform/search-dashboards/dashboards.yml
