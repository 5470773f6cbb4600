# A valid configuration, a scrape of itself, a rule, a query, an orderly stop.
[ "$(id -u)" = 65534 ]
[ "$PWD" = /prometheus ]
/bin/prometheus --version 2>&1 | grep -q 'version 2\.53\.'
/bin/promtool check config /etc/prometheus/prometheus.yml
cat > /tmp/rules.yml <<'YAML'
groups:
  - name: check
    interval: 1s
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
YAML
cat > /tmp/prometheus.yml <<'YAML'
global:
  scrape_interval: 1s
rule_files: [/tmp/rules.yml]
scrape_configs:
  - job_name: self
    static_configs:
      - targets: ["127.0.0.1:9090"]
YAML
/bin/promtool check config /tmp/prometheus.yml
/bin/prometheus --config.file=/tmp/prometheus.yml --storage.tsdb.path=/prometheus > /tmp/server.log 2>&1 &
server=$!
await 60 Ready http GET 9090 /-/ready
await 30 '"job":"self"},"value":\[[0-9.]*,"1"\]' http GET 9090 '/api/v1/query?query=job:up:sum'
kill -TERM "$server"
wait "$server"
