# A single node is green within a minute, keeps a document, finds it by its words, and is there still after a restart.
[ "$(id -u)" = 1000 ]
cd /usr/share/opensearch
start() {
    env discovery.type=single-node cluster.name=check "OPENSEARCH_JAVA_OPTS=-Xms512m -Xmx512m" \
        ./opensearch-docker-entrypoint.sh > /tmp/server.log 2>&1 &
    server=$!
    await 60 '"status":"green"' http GET 9200 /_cluster/health
}
stop() {
    kill -TERM "$server"
    code=0
    wait "$server" || code=$?
    [ "$code" = 143 ]
}
start
grep -q '"cluster_name":"check"' /tmp/answer
http GET 9200 / | grep -q '"number" : "2.19.1"'
json='Content-Type: application/json'
http PUT 9200 /payments '{"settings":{"number_of_replicas":0}}' "$json"
http PUT 9200 '/payments/_doc/1?refresh=true' '{"reference":"PAY-1","message":"one time password was wrong"}' "$json"
http PUT 9200 '/payments/_doc/2?refresh=true' '{"reference":"PAY-2","message":"succeeded"}' "$json"
query='{"query":{"match":{"message":"password"}}}'
http POST 9200 /payments/_search "$query" "$json" > /tmp/found
grep -q '"total":{"value":1,' /tmp/found
grep -q 'PAY-1' /tmp/found
stop
start
await 30 PAY-1 http POST 9200 /payments/_search "$query" "$json"
stop
