#!/bin/sh
# Starts Redis with the password of the Secret; it goes through a file, never through the process list.
set -eu
umask 077
password="$(cat /etc/payment-platform/credentials/password)"
case "$password" in
  *[!A-Za-z0-9._~+/=-]*|"")
    echo "redis: Secret key password must be non-empty and hold only letters, digits and . _ ~ + / = -" >&2
    exit 1 ;;
esac
{
  echo "include /etc/payment-platform/redis/redis.conf"
  echo "requirepass $password"
  # The rest is room for the copy that a rewrite of the append-only file makes.
  echo "maxmemory $((MEMORY_LIMIT_MIB * 6 / 10))mb"
} >/tmp/redis.conf
exec redis-server /tmp/redis.conf
