# For libpq's programs, from the variables of the platform. To be sourced.
export PATH="/usr/lib/postgresql/17/bin:$PATH" HOME=/tmp
export PGHOST="$DATABASE_HOST" PGPORT="$DATABASE_PORT" PGDATABASE="$DATABASE_NAME" PGUSER="$DATABASE_USER"
export PGPASSWORD="$DATABASE_PASSWORD" PGCONNECT_TIMEOUT=10 PGAPPNAME=backup
HERE="$(dirname "$0")"
export HERE BACKUP_WORK="${BACKUP_WORK:-/work}"
# Outside a pod there is no termination log to write to; the exit code says it all the same.
refuse() { echo "error: $1" >&2; printf '{"error": "%s"}' "$1" >/dev/termination-log 2>/dev/null || true; exit 4; }
