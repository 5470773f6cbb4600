#!/bin/bash
# usage: kafka-server-start.sh server.properties [--override property=value]…
set -eu
bin=$(cd "$(dirname "$0")" && pwd)
if [ $# -eq 0 ]; then
    echo "usage: $0 server.properties [--override property=value]…" >&2
    exit 1
fi
if [ "$1" = -daemon ]; then
    echo "$0: a container runs the broker in the foreground; leave -daemon out" >&2
    exit 1
fi
export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G}
export KAFKA_LOG4J_OPTS=${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$bin/../config/log4j2.yaml}
export KAFKA_JVM_PERFORMANCE_OPTS=${KAFKA_JVM_PERFORMANCE_OPTS:--server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent}
exec "$bin/kafka-run-class.sh" kafka.Kafka "$@"
