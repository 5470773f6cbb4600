# A copy of the data folder, from which the archived log leads on: base/base.tar.gz, its manifest, and `ended`, the moment
# from which on it can be recovered to. To be sourced.
base="$BACKUP_WORK/base"
rm -rf "$base"
echo "$(date -u +%FT%TZ) copying the data folder"
# The log of the meantime comes from the archive; streamed, so that the server need not wait for that.
pg_basebackup --pgdata="$base" --format=tar --compress=client-gzip:1 --checkpoint=fast --wal-method=stream --no-password
rm -f "$base/pg_wal.tar.gz"
psql --no-psqlrc --quiet --no-align --tuples-only --output="$base/ended" --command="
  SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"')"
test -s "$base/ended"
echo "$(date -u +%FT%TZ) copied, $(stat -c %s "$base/base.tar.gz") bytes"
