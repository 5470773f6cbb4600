# nginx as uid 101 with a configuration of ours: valid, serves, writes below /tmp only, stops in an orderly way.
[ "$(id -u)" = 101 ]
nginx -v 2>&1 | grep -q 'nginx/1\.'
[ -r /etc/nginx/mime.types ]
cat > /tmp/nginx.conf <<'CONF'
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr warn;
events { worker_connections 64; }
http {
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path /tmp/client_temp;
    proxy_temp_path /tmp/proxy_temp;
    fastcgi_temp_path /tmp/fastcgi_temp;
    uwsgi_temp_path /tmp/uwsgi_temp;
    scgi_temp_path /tmp/scgi_temp;
    limit_req_zone $binary_remote_addr zone=all:1m rate=100r/s;
    server {
        listen 8080;
        location = /healthz { return 200 "ok\n"; }
        location = /status { stub_status; }
    }
}
CONF
nginx -t -q -c /tmp/nginx.conf
nginx -c /tmp/nginx.conf -g 'daemon off;' &
server=$!
for _ in $(seq 100); do [ -s /tmp/nginx.pid ] && break; sleep 0.1; done
exec 3<> /dev/tcp/127.0.0.1/8080
printf 'GET /healthz HTTP/1.0\r\n\r\n' >&3
grep -q '^ok' <&3
kill -QUIT "$server"
wait "$server"
