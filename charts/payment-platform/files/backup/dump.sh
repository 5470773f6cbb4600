#!/bin/bash
# Dumps the database into the work folder: database.dump and facts.json.
set -euo pipefail
. "$(dirname "$0")/connection.sh"
rm -f "$BACKUP_WORK"/database.* "$BACKUP_WORK/facts.json"
echo "$(date -u +%FT%TZ) dumping $PGDATABASE of $PGHOST"
psql --no-psqlrc --quiet --no-align --tuples-only --set=here="$HERE" --set=work="$BACKUP_WORK" --file="$HERE/dump.sql"
test -s "$BACKUP_WORK/facts.json"
test -s "$BACKUP_WORK/database.dump" || { echo "pg_dump did not end well" >&2; exit 1; }
echo "$(date -u +%FT%TZ) dumped $(stat -c %s "$BACKUP_WORK/database.dump") bytes"
if [ "${BACKUP_POINT_IN_TIME:-false}" = true ]; then . "$HERE/base.sh"; fi
