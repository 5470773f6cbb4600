#!/bin/bash
# Runs one of Kafka's classes. The environment's names are those of the public image:
# KAFKA_HEAP_OPTS, KAFKA_JVM_PERFORMANCE_OPTS, KAFKA_LOG4J_OPTS, KAFKA_JMX_OPTS, KAFKA_OPTS, CLASSPATH.
set -eu
home=$(cd "$(dirname "$0")/.." && pwd)
if [ $# -eq 0 ]; then
    echo "usage: $0 CLASS [ARGUMENT…]" >&2
    exit 1
fi
java=java
[ -z "${JAVA_HOME:-}" ] || java=$JAVA_HOME/bin/java
# Tools live for seconds: the simple compiler and collector start fastest.
performance=${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto}
logging=${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$home/config/tools-log4j2.yaml}
# In the shell's order: Java takes an archive of classes only with the class path that it was made with, and Java's
# own `*` follows the folder's order.
jars=("$home"/libs/*.jar)
jars=$(IFS=: && echo "${jars[*]}")
# The options are lists of words, so they stay unquoted.
# shellcheck disable=SC2086
exec "$java" ${KAFKA_HEAP_OPTS:--Xmx256M} $performance -Djava.awt.headless=true ${KAFKA_JMX_OPTS:-} $logging \
    ${KAFKA_OPTS:-} -cp "${CLASSPATH:+$CLASSPATH:}$jars" "$@"
