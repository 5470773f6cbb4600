-- What the books say, as one JSON document: in a backup's manifest, and asked again of what was restored from it.
-- Amounts are minor units. Every number is exact, so the same books give the same document.
SELECT json_build_object(
    'taken_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
    'server', current_setting('server_version'),
    'roles', (
        SELECT coalesce(json_agg(rolname ORDER BY rolname), '[]') FROM pg_roles
        WHERE NOT rolsuper AND rolname !~ '^pg_' AND EXISTS (
            SELECT FROM pg_namespace AS n, aclexplode(n.nspacl) AS granted WHERE granted.grantee = pg_roles.oid)),
    'revisions', (
        SELECT json_object_agg(nspname, (xpath('/row/version_num/text()', query_to_xml(
            format('SELECT version_num FROM %I.alembic_version', nspname), false, true, '')))[1]::text ORDER BY nspname)
        FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace WHERE relname = 'alembic_version'),
    'ledger', (
        SELECT json_object_agg(currency, json_build_object(
            'accounts', accounts, 'customers', customers, 'internal', internal, 'held', held,
            'entries', entries, 'moved', moved) ORDER BY currency)
        FROM (SELECT currency, count(*) AS accounts,
                     coalesce(sum(posted_minor) FILTER (WHERE kind = 'customer'), 0)::bigint AS customers,
                     coalesce(sum(posted_minor) FILTER (WHERE kind = 'internal'), 0)::bigint AS internal,
                     coalesce(sum(held_minor), 0)::bigint AS held
              FROM accounts.balances GROUP BY currency) AS balances
        JOIN LATERAL (
            SELECT count(*) AS entries, coalesce(sum(amount_minor) FILTER (WHERE amount_minor > 0), 0)::bigint AS moved
            FROM accounts.entries WHERE entries.currency = balances.currency) AS entries ON true),
    'payments', (
        SELECT json_object_agg(status, number ORDER BY status)
        FROM (SELECT status, count(*) AS number FROM payments.payments GROUP BY status) AS by_status),
    'refunds', (
        SELECT json_object_agg(status, number ORDER BY status)
        FROM (SELECT status, count(*) AS number FROM payments.refunds GROUP BY status) AS by_status),
    'audit', (SELECT json_build_object('seq', seq, 'hash', hash) FROM audit.head)
) AS facts;
