SELECT CASE WHEN e.n IS NULL THEN 'transfer_without_entries'
            WHEN t.id IS NULL THEN 'entries_without_transfer'
            WHEN e.n > 2 THEN 'posted_twice'
            ELSE 'entries_differ' END AS kind,
       coalesce(t.payment_id, e.transfer_id) AS id,
       jsonb_build_object('transfer', coalesce(t.id, e.transfer_id), 'entries', coalesce(e.n, 0),
           'amount', t.amount_minor, 'debit', e.debit, 'credit', e.credit) AS detail
FROM accounts.transfers AS t
FULL JOIN (
    SELECT transfer_id, count(*) AS n, min(currency) AS currency, count(DISTINCT currency) AS currencies,
           min(account_number) FILTER (WHERE amount_minor < 0) AS debited,
           min(account_number) FILTER (WHERE amount_minor > 0) AS credited,
           -min(amount_minor) AS debit, max(amount_minor) AS credit
    FROM accounts.entries GROUP BY transfer_id) AS e ON e.transfer_id = t.id
WHERE (e.n = 2 AND e.debited = t.from_account AND e.credited = t.to_account AND e.debit = t.amount_minor
       AND e.credit = t.amount_minor AND e.currency = t.currency AND e.currencies = 1) IS NOT TRUE
