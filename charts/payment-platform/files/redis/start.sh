#!/bin/sh
# Starts Redis with the passwords of the Secret, and follows the Secret: beside the password in use, the next one and the
# one before it are good as long as they stand there. They go through a file and stdin, never through the process list.
set -eu
umask 077
here=/etc/payment-platform/credentials

# Sets `password` and `passwords`, all that are good, each with ">" before it.
look() {
  password="" passwords=""
  for key in password next-password previous-password; do
    if [ -e "$here/$key" ]; then
      found="$(cat "$here/$key")"
      case "$found" in
        *[!A-Za-z0-9._~+/=-]*|"")
          echo "redis: Secret key $key must be non-empty and hold only letters, digits and . _ ~ + / = -" >&2
          return 1 ;;
      esac
      password="${password:-$found}"
      passwords="$passwords >$found"
    fi
  done
  test -n "$passwords" || { echo "redis: the Secret has no key password" >&2; return 1; }
}

look || exit 1
{
  echo "include /etc/payment-platform/redis/redis.conf"
  echo "user default on ~* &* +@all$passwords"
  # The rest is room for the copy that a rewrite of the append-only file makes.
  echo "maxmemory $((MEMORY_LIMIT_MIB * 6 / 10))mb"
} >/tmp/redis.conf

follow() {
  good="$password" applied="$passwords"
  while sleep "${FOLLOW_SECONDS:-5}"; do
    if look 2>/dev/null && [ "$passwords" != "$applied" ]; then
      answer="$(echo "ACL SETUSER default resetpass$passwords" | REDISCLI_AUTH="$good" redis-cli -p "${REDIS_PORT:-6379}" 2>&1)" || true
      case "$answer" in
        *OK) good="$password" applied="$passwords"; echo "redis: the passwords are those of the Secret again" ;;
        *) echo "redis: the passwords of the Secret are not taken over yet" >&2 ;;
      esac
    fi
  done
}
follow &

exec redis-server /tmp/redis.conf
