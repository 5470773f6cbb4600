# Without a server to ask it answers with its metrics and says that the server is down.
[ "$(id -u)" = 59000 ]
/redis_exporter --version
export REDIS_ADDR=redis://127.0.0.1:1
/redis_exporter > /tmp/server.log 2>&1 &
server=$!
await 30 '^redis_up 0$' http GET 9121 /metrics
kill "$server"
