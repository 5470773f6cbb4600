# Without a server to ask it answers with its metrics and says that the server is down.
[ "$(id -u)" = 1001 ]
/usr/bin/nginx-prometheus-exporter --version
/usr/bin/nginx-prometheus-exporter --nginx.scrape-uri=http://127.0.0.1:1/stub_status > /tmp/server.log 2>&1 &
server=$!
await 30 '^nginx_up 0$' http GET 9113 /metrics
kill "$server"
