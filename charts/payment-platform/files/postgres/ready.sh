#!/bin/sh
export PATH="/usr/lib/postgresql/17/bin:$PATH"
test -f /tmp/bootstrapped && exec pg_isready --quiet --host=/var/run/postgresql --timeout=3
