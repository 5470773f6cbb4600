#!/bin/sh
# Kubernetes sends SIGTERM, which lets PostgreSQL wait for its clients; the fast shutdown does not.
export PATH="/usr/lib/postgresql/17/bin:$PATH"
exec pg_ctl --pgdata="$PGDATA" --mode=fast --wait --timeout=50 stop
