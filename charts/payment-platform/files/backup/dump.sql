-- The facts and the dump, of one snapshot. psql stays in its transaction for as long as pg_dump works.
\set ON_ERROR_STOP on
SET idle_in_transaction_session_timeout = 0;
SET statement_timeout = 0;
SET timezone = 'UTC';
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \gset
\o :work/facts.json
\i :here/facts.sql
\o
\setenv SNAPSHOT :snapshot
\! /bin/sh "$HERE/pg_dump.sh"
COMMIT;
