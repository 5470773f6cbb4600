# A database from nothing: setup, a write, a Flux query that adds up, and the data is there after a restart.
[ "$(id -u):$(id -g)" = 1000:1000 ]
influxd version | grep -q '2\.7\.12'
start() {
    influxd --http-bind-address 127.0.0.1:8086 --reporting-disabled > /tmp/server.log 2>&1 &
    server=$!
    await 60 '"status":"pass"' http GET 8086 /health
}
# The server ends at once on SIGTERM; what it acknowledged is in its log on disk.
stop() {
    kill -TERM "$server"
    code=0
    wait "$server" || code=$?
    [ "$code" = 143 ]
}
start
json='Content-Type: application/json'
http POST 8086 /api/v2/setup '{"username":"check","password":"only-for-this-check","org":"payments","bucket":"payments","token":"only-for-this-check"}' "$json"
token='Authorization: Token only-for-this-check'
if http GET 8086 /api/v2/buckets > /tmp/refused; then exit 1; fi
lines=$(printf 'amounts,currency=EUR value=%di\n' 100 250 50 | awk '{ print $0, 1700000000 + NR }')
http POST 8086 '/api/v2/write?org=payments&bucket=payments&precision=s' "$lines" "$token"
flux='from(bucket: "payments") |> range(start: 2023-11-01T00:00:00Z, stop: 2023-12-01T00:00:00Z) |> filter(fn: (r) => r._measurement == "amounts") |> sum()'
query() {
    http POST 8086 '/api/v2/query?org=payments' "$flux" "$token" 'Content-Type: application/vnd.flux' 'Accept: application/csv'
}
await 30 ',400,' query
stop
start
await 30 ',400,' query
stop
