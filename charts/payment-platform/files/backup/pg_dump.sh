#!/bin/sh
# All schemas of the database in the snapshot that psql holds. Owners and passwords are the new database's own affair.
set -eu
pg_dump --format=custom --compress=zstd:3 --no-owner --snapshot="$SNAPSHOT" --exclude-schema=restore \
  --lock-wait-timeout=60s --file="$BACKUP_WORK/database.part"
mv "$BACKUP_WORK/database.part" "$BACKUP_WORK/database.dump"
