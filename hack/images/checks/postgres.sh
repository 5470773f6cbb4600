# A database from nothing, a login over TCP, extensions, a dump, a base backup, an orderly stop.
[ "$(id -u):$(id -g)" = 999:999 ]
[ "$PGDATA" = /var/lib/postgresql/data ]
data=$PGDATA/pgdata
export PGPASSWORD=only-for-this-check
echo "$PGPASSWORD" > /tmp/password
initdb -D "$data" --username postgres --pwfile /tmp/password --auth-host scram-sha-256 --auth-local trust \
    --data-checksums --locale-provider builtin --locale C.UTF-8 --encoding UTF8 > /tmp/initdb.log
/usr/lib/postgresql/17/bin/pg_ctl -D "$data" -w -l /tmp/server.log start > /tmp/start.log
psql -U postgres -v ON_ERROR_STOP=1 -q -c "create database payment_db"
[ "$(psql -h 127.0.0.1 -U postgres -Atc 'select current_setting($$server_version_num$$)::int / 10000')" = 17 ]
psql -h 127.0.0.1 -U postgres -d payment_db -v ON_ERROR_STOP=1 -q <<'SQL'
create extension pgcrypto;
create extension btree_gist;
create extension pg_stat_statements;
create table numbers as select generate_series(1, 100000) as n;
set jit_above_cost = 0;
do $$ begin assert (select sum(n) from numbers) = 5000050000, 'wrong sum'; end $$;
SQL
pg_isready -h 127.0.0.1 -q
pg_dump -U postgres --file /tmp/dump.sql payment_db
grep -q 'COPY public.numbers' /tmp/dump.sql
pg_basebackup -h 127.0.0.1 -U postgres -D /tmp/backup --wal-method stream --checkpoint fast
pg_ctl -D "$data" -m fast -w stop > /tmp/stop.log
