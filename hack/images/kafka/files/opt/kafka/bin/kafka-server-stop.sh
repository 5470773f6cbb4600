#!/bin/bash
# Asks the broker in this container to stop in an orderly way; its command line has the class kafka.Kafka.
set -eu
found=1
for folder in /proc/[0-9]*; do
    if tr '\0' '\n' 2>/dev/null < "$folder/cmdline" | grep -qx 'kafka\.Kafka'; then
        kill -TERM "${folder#/proc/}" && found=0
    fi
done
[ "$found" -eq 0 ] || echo "$0: no broker runs here" >&2
exit "$found"
