SELECT 'customer_overdrawn' AS kind, accounts.mask(account_number) AS id,
       jsonb_build_object('customer', customer_id, 'balance', posted_minor, 'held', held_minor, 'available', available_minor)
       AS detail
FROM accounts.accounts
WHERE kind = 'customer' AND (posted_minor < 0 OR held_minor < 0 OR posted_minor < held_minor)
UNION ALL
SELECT 'customer_was_overdrawn', accounts.mask(e.account_number),
       jsonb_build_object('customer', min(a.customer_id), 'entry', min(e.id), 'balance', min(e.balance_after_minor))
FROM accounts.entries AS e JOIN accounts.accounts AS a USING (account_number)
WHERE a.kind = 'customer' AND e.balance_after_minor < 0
GROUP BY e.account_number
