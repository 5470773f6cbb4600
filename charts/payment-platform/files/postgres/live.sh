#!/bin/sh
# 1 is "answers, but takes no connections now" (starting, recovering): alive. 2 is no answer.
export PATH="/usr/lib/postgresql/17/bin:$PATH"
pg_isready --quiet --host=/var/run/postgresql --timeout=8
test $? -le 1
