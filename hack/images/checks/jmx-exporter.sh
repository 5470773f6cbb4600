# It reads a Java program's beans over its JMX port (its own) and answers with them as metrics.
[ "$(id -u)" = 1001 ]
cd /opt/bitnami/jmx-exporter
cat > /tmp/config.yaml <<'YAML'
hostPort: localhost:5555
rules:
  - pattern: 'java.lang<type=Memory><HeapMemoryUsage>used'
    name: checked_heap_used_bytes
YAML
java -Xmx64m -Dcom.sun.management.jmxremote.port=5555 -Dcom.sun.management.jmxremote.rmi.port=5555 \
    -Dcom.sun.management.jmxremote.host=localhost -Djava.rmi.server.hostname=localhost \
    -Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false \
    -jar jmx_prometheus_httpserver.jar 5556 /tmp/config.yaml > /tmp/server.log 2>&1 &
server=$!
await 30 '^checked_heap_used_bytes [1-9]' http GET 5556 /metrics
grep -q '^jmx_scrape_error 0' /tmp/answer
kill "$server"
