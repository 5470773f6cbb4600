#!/bin/bash
# usage: kafka-archive-classes.sh ARCHIVE
# Writes the classes that a broker and its tools load into an archive, for -XX:SharedArchiveFile=ARCHIVE: Java maps
# it instead of reading and verifying them anew. The public image has one at /opt/kafka/kafka.jsa.
set -eu
bin=$(cd "$(dirname "$0")" && pwd)
if [ $# -ne 1 ]; then
    echo "usage: $0 ARCHIVE" >&2
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Of properties that are named twice the last one counts.
{ cat "$bin/../config/server.properties"; echo "log.dirs=$work/data"; } > "$work/server.properties"
export LOG_DIR=$work KAFKA_HEAP_OPTS="-Xmx256m"
"$bin/kafka-storage.sh" format --cluster-id "$("$bin/kafka-storage.sh" random-uuid)" --config "$work/server.properties"
KAFKA_OPTS="-XX:ArchiveClassesAtExit=$1 -Xlog:cds=error" "$bin/kafka-server-start.sh" "$work/server.properties" \
    > "$work/server.log" 2>&1 &
server=$!
for _ in $(seq 120); do
    grep -q "Kafka Server started" "$work/server.log" && break
    kill -0 "$server" || { cat "$work/server.log" >&2; exit 1; }
    sleep 0.5
done
# A record there and back, for what is loaded only then.
at="--bootstrap-server localhost:9092 --topic classes"
"$bin/kafka-topics.sh" $at --create --partitions 1 --replication-factor 1
echo "a record" | "$bin/kafka-console-producer.sh" $at
"$bin/kafka-console-consumer.sh" $at --from-beginning --max-messages 1 --timeout-ms 30000
kill -TERM "$server"
wait "$server" || [ $? = 143 ] # ended by the signal, as told
[ -s "$1" ]
