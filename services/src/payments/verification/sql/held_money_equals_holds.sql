SELECT 'held_differs' AS kind, accounts.mask(a.account_number) AS id,
       jsonb_build_object('customer', a.customer_id, 'held', a.held_minor, 'holds', coalesce(h.total, 0)) AS detail
FROM accounts.accounts AS a
LEFT JOIN (SELECT account_number, sum(amount_minor + fee_minor) AS total
           FROM accounts.holds WHERE status = 'held' GROUP BY account_number) AS h USING (account_number)
WHERE a.held_minor <> coalesce(h.total, 0)
