SELECT 'history_broken' AS kind, accounts.mask(account_number) AS id,
       jsonb_build_object('entry', entry, 'before', before, 'amount', amount_minor,
           'after', balance_after_minor) AS detail
FROM (SELECT account_number, id AS entry, amount_minor, balance_after_minor,
             coalesce(lag(balance_after_minor) OVER (PARTITION BY account_number ORDER BY id), 0) AS before
      FROM accounts.entries) AS steps
WHERE balance_after_minor <> before + amount_minor
