SELECT 'balance_differs' AS kind, accounts.mask(a.account_number) AS id,
       jsonb_build_object('customer', a.customer_id, 'balance', a.posted_minor,
           'entries', coalesce(e.total, 0), 'currency', a.currency) AS detail
FROM accounts.balances AS a
LEFT JOIN (SELECT account_number, sum(amount_minor) AS total, min(currency) AS low, max(currency) AS high
           FROM accounts.entries GROUP BY account_number) AS e USING (account_number)
WHERE a.posted_minor <> coalesce(e.total, 0) OR e.low <> a.currency OR e.high <> a.currency
