SELECT 'sum_is_not_zero' AS kind, currency AS id, jsonb_build_object('sum', sum(amount_minor)) AS detail
FROM accounts.entries GROUP BY currency HAVING sum(amount_minor) <> 0
