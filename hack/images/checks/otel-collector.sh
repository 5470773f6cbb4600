# A span goes from one collector to the next without the attribute that is to be taken out, and counts in a metric.
[ "$(id -u):$(id -g)" = 10001:10001 ]
/otelcol-contrib validate --config /etc/otelcol-contrib/config.yaml
cat > /tmp/sink.yaml <<'YAML'
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:5318
exporters:
  debug:
    verbosity: detailed
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [debug]
YAML
cat > /tmp/config.yaml <<'YAML'
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:4318
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 200
  attributes:
    actions:
      - key: otp
        action: delete
  batch:
    timeout: 100ms
exporters:
  otlphttp:
    endpoint: http://127.0.0.1:5318
  prometheus:
    endpoint: 127.0.0.1:8889
connectors:
  spanmetrics:
    metrics_flush_interval: 1s
extensions:
  healthcheckv2:
    use_v2: true
    http:
      endpoint: 127.0.0.1:13133
service:
  extensions: [healthcheckv2]
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, attributes, batch]
      exporters: [otlphttp, spanmetrics]
    metrics:
      receivers: [spanmetrics]
      exporters: [prometheus]
YAML
/otelcol-contrib --config /tmp/sink.yaml > /tmp/sink.log 2>&1 &
/otelcol-contrib --config /tmp/config.yaml > /tmp/server.log 2>&1 &
server=$!
await 60 'Everything is ready' cat /tmp/sink.log
await 60 StatusOK http GET 13133 /status
now=$(date +%s%N)
attributes='[{"key":"otp","value":{"stringValue":"123456"}},{"key":"currency","value":{"stringValue":"EUR"}}]'
span='{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"confirm payment","kind":2,"startTimeUnixNano":"'$now'","endTimeUnixNano":"'$((now + 5000000))'","attributes":'"$attributes"'}'
resource='{"attributes":[{"key":"service.name","value":{"stringValue":"payments"}}]}'
json='Content-Type: application/json'
http POST 4318 /v1/traces '{"resourceSpans":[{"resource":'"$resource"',"scopeSpans":[{"spans":['"$span"']}]}]}' "$json"
await 20 'currency: Str(EUR)' cat /tmp/sink.log
grep -q 'confirm payment' /tmp/sink.log
if grep -q 123456 /tmp/sink.log; then exit 1; fi
await 20 'calls_total{.*span_name="confirm payment".* 1$' http GET 8889 /metrics
kill -TERM "$server"
wait "$server"
