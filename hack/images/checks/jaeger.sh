# A span comes in by OTLP over HTTP, and the query API gives it back.
[ "$(id -u)" = 10001 ]
/cmd/jaeger/jaeger-linux version 2> /tmp/version.log | grep -qi '"gitVersion":"v2\.13\.0"'
cat > /tmp/config.yaml <<'YAML'
extensions:
  healthcheckv2:
    use_v2: true
    http:
      endpoint: 127.0.0.1:13133
  jaeger_storage:
    backends:
      memory:
        memory:
          max_traces: 1000
  jaeger_query:
    storage:
      traces: memory
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:4318
processors:
  batch:
    timeout: 100ms
exporters:
  jaeger_storage_exporter:
    trace_storage: memory
service:
  extensions: [healthcheckv2, jaeger_storage, jaeger_query]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [jaeger_storage_exporter]
YAML
/cmd/jaeger/jaeger-linux --config /tmp/config.yaml > /tmp/server.log 2>&1 &
server=$!
await 60 StatusOK http GET 13133 /status
trace=5b8efff798038103d269b633813fc60c
now=$(date +%s%N)
span='{"traceId":"'$trace'","spanId":"eee19b7ec3c1b174","name":"confirm payment","kind":2,"startTimeUnixNano":"'$now'","endTimeUnixNano":"'$((now + 5000000))'"}'
resource='{"attributes":[{"key":"service.name","value":{"stringValue":"payments"}}]}'
json='Content-Type: application/json'
http POST 4318 /v1/traces '{"resourceSpans":[{"resource":'"$resource"',"scopeSpans":[{"spans":['"$span"']}]}]}' "$json"
await 20 '"operationName":"confirm payment"' http GET 16686 /api/traces/$trace
http GET 16686 /api/services | grep -q '"payments"'
kill -TERM "$server"
wait "$server"
