#!/bin/sh
# archive_command: the CronJob `wal-archive` fetches what is ready over the network and says by a file of the segment's
# name that the segment is safe in the store. The server keeps it until then. Takes the segment's name; the working
# folder is the data folder.
said="/tmp/archived/$1"
left=1200
until [ -e "$said" ]; do
  # A server that stops waits for this; after the next start the segment's turn comes again.
  if grep -q '^stopping' postmaster.pid 2>/dev/null; then exit 1; fi
  left=$((left - 1))
  if [ "$left" -le 0 ]; then
    echo "archive: nobody has fetched $1 for ten minutes: see cronjob/wal-archive" >&2
    exit 1
  fi
  sleep 0.5
done
rm -f "$said"
