#!/bin/sh
# Starts PostgreSQL as PID 1: makes the data folder on the first start, and at every start, and when the Secret changes,
# gives the superuser the password of the Secret, since a volume may be older than the Secret.
set -eu
export PATH="/usr/lib/postgresql/17/bin:$PATH"
here=/etc/payment-platform/postgres
password_file=/etc/payment-platform/superuser/password

# Made beside and moved into place, so that an interrupted first start leaves nothing half made.
if [ ! -d "$PGDATA" ]; then
  rm -rf "$PGDATA.new"
  echo "postgres: making the data folder"
  initdb --pgdata="$PGDATA.new" --username=postgres --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 \
    --data-checksums --auth-local=trust --auth-host=scram-sha-256 --pwfile="$password_file" >/tmp/initdb.log ||
    { cat /tmp/initdb.log >&2; exit 1; }
  mv "$PGDATA.new" "$PGDATA"
fi

# Ends well in any case: the server treats a child that dies otherwise as a crash.
prepare() {
  password="$(cat "$password_file")"
  until psql --no-psqlrc --quiet --username=postgres --dbname=postgres --file="$here/bootstrap.sql" \
    --set=ON_ERROR_STOP=1 --set=database="$DATABASE_NAME" 2>/tmp/bootstrap.log
  do
    sleep 0.3
  done
  : >/tmp/bootstrapped
  while sleep 5; do
    if [ -s "$password_file" ] && [ "$(cat "$password_file")" != "$password" ]; then
      echo "postgres: another password for the superuser"
      return
    fi
  done
}
rm -f /tmp/bootstrapped
mkdir -p /tmp/archived
(trap 'exit 0' TERM INT; while prepare; do :; done; exit 0) &

# With an archive the log is kept until it is in the store. Segments are closed by who archives; the timeout is for when
# nobody does.
if [ "${ARCHIVE:-false}" = true ]; then
  set -- -c archive_mode=on -c archive_command="/bin/sh $here/archive.sh %f" -c archive_timeout=15min
else
  set -- -c archive_mode=off
fi

exec postgres -D "$PGDATA" "$@" \
  -c config_file="$here/postgresql.conf" -c hba_file="$here/pg_hba.conf" -c ident_file="$here/pg_ident.conf" \
  -c max_connections="$MAX_CONNECTIONS" \
  -c shared_buffers="$((MEMORY_LIMIT_MIB / 4))MB" \
  -c effective_cache_size="$((MEMORY_LIMIT_MIB / 2))MB" \
  -c maintenance_work_mem="$((MEMORY_LIMIT_MIB / 16 + 16))MB"
