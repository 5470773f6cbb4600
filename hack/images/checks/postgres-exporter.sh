# Without a server to ask it answers with its metrics and says that the server is down.
[ "$(id -u)" = 65534 ]
/bin/postgres_exporter --version
export DATA_SOURCE_NAME=postgresql://check@127.0.0.1:1/check?sslmode=disable
/bin/postgres_exporter > /tmp/server.log 2>&1 &
server=$!
await 30 '^pg_up 0$' http GET 9187 /metrics
kill "$server"
