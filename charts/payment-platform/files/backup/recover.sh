#!/bin/bash
# Recovers the copy of a data folder to a moment, in a server of its own that nobody else reaches, and dumps what it holds
# then: what follows is as with any backup. In the work folder: recovery/{base.tar.gz,backup_manifest,wal/*.gz,target,
# database,newest.json} and manifest.json, whose facts are replaced.
set -euo pipefail
. "$(dirname "$0")/connection.sh"
from="$BACKUP_WORK/recovery"
data="$from/data"
target="$(cat "$from/target")"
# Names of zones, Z among them, are not known yet when the server reads this.
zoned="${target/%Z/+00:00}"
# The socket's folder, whose path must be short.
export PGHOST=/tmp PGPORT=5432 PGUSER=postgres PGPASSWORD= PGDATABASE="$(cat "$from/database")"
ask() { psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"; }
# Nobody needs this server any more; where it has gone by itself there is nothing to stop.
stop() { if [ -f "$data/postmaster.pid" ]; then pg_ctl --pgdata="$data" --mode=immediate --silent stop || true; fi; }
trap stop EXIT

echo "$(date -u +%FT%TZ) unpacking the copy of the data folder"
rm -rf "$data"
mkdir -m 700 "$data"
tar --extract --gzip --file="$from/base.tar.gz" --directory="$data"
cp "$from/backup_manifest" "$data/"
pg_verifybackup --no-parse-wal --quiet "$data" || refuse "the copy of the data folder is damaged"

# Who may log in, what is preloaded and how much memory there is was the old server's affair.
: >"$data/postgresql.auto.conf"
echo "local all all trust" >"$from/pg_hba.conf"
: >"$from/pg_ident.conf"
cat >"$from/postgresql.conf" <<END
listen_addresses = ''
port = 5432
unix_socket_directories = '/tmp'
shared_buffers = 64MB
max_connections = 10
autovacuum = off
archive_mode = off
fsync = off
timezone = UTC
log_timezone = UTC
hot_standby = off
restore_command = 'test -f "$from/wal/%f.gz" && gzip -dc "$from/wal/%f.gz" >"%p"'
recovery_target_time = '$zoned'
recovery_target_action = promote
END
touch "$data/recovery.signal"
echo "$(date -u +%FT%TZ) recovering to $target"
files="-c config_file=$from/postgresql.conf -c hba_file=$from/pg_hba.conf -c ident_file=$from/pg_ident.conf"
# To pg_ctl a server that still recovers is up; one that could not start is found below.
pg_ctl --pgdata="$data" --wait --silent --log="$from/log" --options="$files" start || true
until pg_isready --quiet || ! pg_ctl --pgdata="$data" status >"$from/status"; do sleep 0.5; done
if ! pg_isready --quiet; then
  tail -n 20 "$from/log" >&2
  if grep -q "recovery ended before configured recovery target was reached" "$from/log"; then
    last="$(sed -n 's/.*last completed transaction was at log time //p' "$from/log" | tail -n 1)"
    refuse "the archived log ends at ${last:-the end of the copy}, before $target: choose an earlier moment"
  fi
  exit 1
fi

DATABASE_HOST=/tmp DATABASE_PORT=5432 DATABASE_USER=postgres DATABASE_PASSWORD="" DATABASE_NAME="$PGDATABASE" \
  BACKUP_POINT_IN_TIME=false /bin/bash "$HERE/dump.sh"
later="$(ask --set=facts="$(cat "$BACKUP_WORK/facts.json")" --set=newest="$(cat "$from/newest.json")" <<'END'
SELECT string_agg(key || ' ' || value, ', ' ORDER BY key) FROM jsonb_each_text(:'facts'::jsonb -> 'revisions')
WHERE value > coalesce(:'newest'::jsonb ->> key, '')
END
)"
[ -z "$later" ] || refuse "at $target the schemas were newer than this version's ($later): restore with a later version"
dump="$BACKUP_WORK/database.dump"
ask --set=manifest="$(cat "$BACKUP_WORK/manifest.json")" --set=facts="$(cat "$BACKUP_WORK/facts.json")" \
  --set=bytes="$(stat -c %s "$dump")" --set=sha256="$(sha256sum "$dump" | cut -c 1-64)" \
  >"$BACKUP_WORK/manifest.part" <<'END'
SELECT jsonb_pretty(:'manifest'::jsonb || jsonb_build_object(
    'facts', :'facts'::jsonb - 'taken_at', 'bytes', :bytes, 'sha256', :'sha256'))
END
mv "$BACKUP_WORK/manifest.part" "$BACKUP_WORK/manifest.json"
stop
rm -rf "$data" "$from/wal" "$from/base.tar.gz"
echo "$(date -u +%FT%TZ) recovered to $target"
