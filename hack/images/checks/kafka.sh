# One KRaft broker: format, start, a topic, every compression of the clients, a consumer group, an orderly stop.
[ "$(id -u)" = 1000 ]
PATH=/opt/kafka/bin:$PATH
java -version 2> /tmp/java.log
# The image's own properties; of those that are named twice the last one counts.
cat /opt/kafka/config/server.properties - > /tmp/server.properties <<'PROPERTIES'
log.dirs=/var/lib/kafka/data
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
PROPERTIES
export KAFKA_HEAP_OPTS="-Xmx320m"
# The archive of loaded classes fits: -Xshare:on ends Java where it does not.
export KAFKA_OPTS="-XX:SharedArchiveFile=/opt/kafka/kafka.jsa -Xshare:on"
kafka-storage.sh format --cluster-id 4L6g3nShT-eMCtK--X86sw --config /tmp/server.properties > /tmp/format.log
kafka-server-start.sh /tmp/server.properties > /tmp/server.log 2>&1 &
server=$!
for _ in $(seq 120); do grep -q "Kafka Server started" /tmp/server.log && break; kill -0 "$server"; sleep 0.5; done
grep -q 'Kafka Server started' /tmp/server.log
export KAFKA_HEAP_OPTS="-Xmx128m"
at="--bootstrap-server localhost:9092"
kafka-topics.sh $at --create --topic payment-events --partitions 3 --replication-factor 1 > /tmp/create.log
kafka-topics.sh $at --describe --topic payment-events > /tmp/topic
grep -q 'PartitionCount: 3' /tmp/topic
for codec in none gzip snappy lz4 zstd; do
    echo "$codec" | kafka-console-producer.sh $at --topic payment-events --compression-codec "$codec"
done
got=$(kafka-console-consumer.sh $at --topic payment-events --from-beginning --max-messages 5 --group check --timeout-ms 30000 2> /tmp/consumer.log | sort | tr '\n' ' ')
[ "$got" = "gzip lz4 none snappy zstd " ]
# The sum of the lags over all partitions (column 6) is 0: the group has read everything.
[ "$(kafka-consumer-groups.sh $at --describe --group check 2> /tmp/groups.log | awk '$1 == "check" { lag += $6; rows++ } END { print rows, lag }')" = "3 0" ]
kill -TERM "$server"
code=0
wait "$server" || code=$?
[ "$code" = 143 ]
