#!/bin/bash
# Restores the dump in the work folder into an empty database, in one transaction; a database that holds anything is
# refused. Done once: a database that was restored from this very backup is left as it is. Where a moment is asked for, the
# dump is made of it first.
set -euo pipefail
. "$(dirname "$0")/connection.sh"
ask() { psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"; }

name="$(sed -n 's/^ *"name": "\([^"]*\)".*/\1/p' "$BACKUP_WORK/manifest.json")"
state="$(ask --file="$HERE/state.sql")"
case "$state" in
  empty) ;;
  restored)
    before="$(ask --command="SELECT manifest ->> 'name' FROM restore.origin")"
    if [ "$before" = "$name" ]; then echo "already restored from $name"; exit 0; fi
    refuse "the database was restored from backup $before before: a backup is restored into an empty database only" ;;
  *) refuse "the database is not empty ($state): a backup is restored into an empty database only" ;;
esac

if [ -s "$BACKUP_WORK/recovery/target" ]; then /bin/bash "$HERE/recover.sh"; fi
manifest="$(cat "$BACKUP_WORK/manifest.json")"
echo "$(date -u +%FT%TZ) restoring $name into $PGDATABASE of $PGHOST"
# Ended before COMMIT is read, psql leaves nothing behind.
{
  echo "BEGIN;"
  echo "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
  cat "$HERE/roles.sql"
  pg_restore --no-owner --exit-on-error --file=- "$BACKUP_WORK/database.dump"
  cat "$HERE/origin.sql"
  echo "COMMIT;"
} | ask --set=manifest="$manifest" --output=/dev/null
echo "$(date -u +%FT%TZ) restored $name"
