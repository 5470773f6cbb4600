#!/bin/sh
# Writes what nginx cannot read by itself (Secret, address of the gateway, listeners) below /tmp, then runs nginx as PID 1.
# A loop beside it follows the gateway's address: nginx resolves names only when it reads its configuration.
set -eu
umask 077
here=/etc/payment-platform/nginx
run=/tmp/nginx
mkdir -p "$run"
gateway="${API_GATEWAY_URL:-http://api-gateway:3000}"
gateway="${gateway#http://}"
host="${gateway%:*}"
port="${gateway##*:}"

address() {
  getent ahosts "$host" | {
    read -r found _ || found=""
    case "$found" in
      *:*) echo "[$found]" ;;
      *) echo "$found" ;;
    esac
  }
}

write_upstream() {
  # Nothing listens on port 1: until the Service exists every request is answered by the problem for 502.
  target="${1:+$1:$port}"
  {
    echo "upstream api_gateway {"
    echo "  server ${target:-127.0.0.1:1};"
    echo "  keepalive 64;"
    # Bounds that spread the connections anew when the gateway's pods change. nginx lets go before the gateway does.
    echo "  keepalive_requests 200;"
    echo "  keepalive_time 60s;"
    echo "  keepalive_timeout 15s;"
    echo "}"
  } >"$run/upstream.conf"
}

listen() {
  # One address only, for trials on a machine whose network others share.
  if [ -n "${LISTEN_ADDRESS:-}" ]; then echo "listen $LISTEN_ADDRESS:$1;"; return; fi
  echo "listen $1;"
  if [ -s /proc/net/if_inet6 ]; then echo "listen [::]:$1;"; fi
}

token="$(cat /etc/payment-platform/token/token)"
case "$token" in
  *[!A-Za-z0-9._~+/=-]*|"")
    echo "load-balancer: Secret load-balancer-token, key token: must be non-empty, only letters, digits and . _ ~ + / = -" >&2
    exit 1 ;;
esac
echo "proxy_set_header X-Load-Balancer-Token \"$token\";" >"$run/token.conf"

listen "${HTTP_PORT:-8080}" >"$run/listen.conf"
listen "${HEALTH_PORT:-8090}" >"$run/health.conf"
: >"$run/real-ip.conf"
if [ "${TLS:-false}" = true ]; then
  {
    listen "8443 ssl"
    echo "http2 on;"
    echo "ssl_certificate /etc/payment-platform/tls/tls.crt;"
    echo "ssl_certificate_key /etc/payment-platform/tls/tls.key;"
    echo "ssl_protocols TLSv1.2 TLSv1.3;"
    echo "ssl_session_cache shared:tls:1m;"
    echo "ssl_session_tickets off;"
    echo "add_header Strict-Transport-Security \"max-age=31536000\" always;"
  } >>"$run/listen.conf"
fi
if [ "${BEHIND_INGRESS:-false}" = true ]; then
  # Only pods reach this one then; the ingress controller among them names the client.
  for net in 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7; do
    echo "set_real_ip_from $net;"
  done >"$run/real-ip.conf"
  echo "real_ip_header X-Forwarded-For;" >>"$run/real-ip.conf"
fi

current="$(address || true)"
write_upstream "$current"

follow() {
  while sleep 3; do
    found="$(address || true)"
    if [ -n "$found" ] && [ "$found" != "$current" ] && [ ! -e "$run/stopping" ]; then
      echo "load-balancer: $host is at $found now" >&2
      current="$found"
      write_upstream "$current"
      nginx -c "$here/nginx.conf" -e /dev/stderr -s reload || true
    fi
  done
}
follow &

exec nginx -c "$here/nginx.conf" -e /dev/stderr -g 'daemon off;'
