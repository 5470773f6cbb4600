#!/bin/bash
# Starts one node of a KRaft cluster: broker and controller in one. The node's number is the pod's ordinal.
set -euo pipefail
node="${HOSTNAME##*-}"
logs=/var/lib/kafka/data/log
meta="$logs/meta.properties"

# A volume may be older than the Secret: the cluster id that the data carries wins.
cluster_id="$(cat /etc/payment-platform/cluster/cluster-id)"
if [[ -f "$meta" ]]; then
  cluster_id="$(sed -n 's/^cluster\.id=//p' "$meta")"
fi

voters=""
for ((i = 0; i < BROKERS; i++)); do
  voters+="${voters:+,}$i@kafka-$i.kafka-headless:9093"
done

cat /etc/payment-platform/kafka/server.properties - >/tmp/server.properties <<END
node.id=$node
controller.quorum.voters=$voters
advertised.listeners=PLAINTEXT://kafka-$node.kafka-headless:9092
log.dirs=$logs
default.replication.factor=$REPLICATION
min.insync.replicas=$MIN_IN_SYNC
offsets.topic.replication.factor=$REPLICATION
transaction.state.log.replication.factor=$REPLICATION
transaction.state.log.min.isr=$MIN_IN_SYNC
share.coordinator.state.topic.replication.factor=$REPLICATION
share.coordinator.state.topic.min.isr=$MIN_IN_SYNC
END

# The rest of the limit is for the JVM itself, threads and the page cache.
heap="$((MEMORY_LIMIT_MIB * 4 / 10))m"
export KAFKA_HEAP_OPTS="-Xms$heap -Xmx$heap"
export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=/etc/payment-platform/kafka/log4j2.properties"
export LOG_DIR=/tmp/kafka-logs
export EXTRA_ARGS="-name kafkaServer"
mkdir -p "$LOG_DIR"

KAFKA_HEAP_OPTS="-Xmx128m" /opt/kafka/bin/kafka-storage.sh format --ignore-formatted \
  --cluster-id "$cluster_id" --config /tmp/server.properties
exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties
