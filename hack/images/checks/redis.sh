# A server that asks for its password, keeps what it is told and runs scripts.
[ "$(id -u)" = 999 ]
redis-server --requirepass only-for-this-check --appendonly yes --save '' --dir /data > /tmp/server.log &
server=$!
for _ in $(seq 100); do redis-cli ping > /tmp/ping 2>&1 && break; sleep 0.1; done
grep -q NOAUTH /tmp/ping
export REDISCLI_AUTH=only-for-this-check
redis-cli info server > /tmp/info
grep -q '^redis_version:8\.' /tmp/info
[ "$(redis-cli eval 'redis.call("SET", KEYS[1], ARGV[1], "PX", 60000); return redis.call("GET", KEYS[1])' 1 key value)" = value ]
[ "$(redis-cli set key other NX)" = "" ]
redis-cli shutdown
wait "$server"
ls /data/appendonlydir/*.aof > /tmp/files
