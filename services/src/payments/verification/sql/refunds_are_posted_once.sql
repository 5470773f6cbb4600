WITH posted AS (
    SELECT refund_id, count(*) AS n, min(id) AS transfer, min(payment_id) AS payment_id,
           min(from_account) AS from_account, min(to_account) AS to_account,
           min(amount_minor) AS amount_minor, min(currency) AS currency, min(bank_reference) AS bank_reference,
           min(posted_at) AS posted_at
    FROM accounts.transfers WHERE kind = 'refund' GROUP BY refund_id),
pairs AS (
    SELECT coalesce(r.id, t.refund_id) AS id, coalesce(r.payment_id, t.payment_id) AS payment, r.status,
        t.n, t.transfer, r.amount_minor AS refunded, t.amount_minor AS posted, r.currency,
        t.currency AS posted_currency, t.from_account AS debited, t.to_account AS credited, t.posted_at,
        r.payment_id <> t.payment_id OR r.bank_reference IS DISTINCT FROM t.bank_reference AS strange,
        o.to_account AS payee, o.from_account AS payer, greatest(r.updated_at, t.posted_at) AS changed_at
    FROM payments.refunds AS r
    FULL JOIN posted AS t ON t.refund_id = r.id
    LEFT JOIN accounts.transfers AS o
        ON o.payment_id = coalesce(r.payment_id, t.payment_id) AND o.kind = 'payment'
    WHERE r.status = 'succeeded' OR t.n IS NOT NULL),
judged AS (
    SELECT *, CASE
        WHEN n IS NULL THEN 'refund_missing_in_ledger'
        WHEN n > 1 THEN 'posted_twice'
        WHEN status IS NULL THEN 'posting_without_refund'
        WHEN status = 'pending' AND posted_at < %(cutoff)s THEN 'status_differs'
        WHEN status = 'failed' THEN 'status_differs'
        WHEN refunded <> posted OR currency <> posted_currency THEN 'amount_differs'
        WHEN strange OR payee <> debited OR payer <> credited THEN 'accounts_differ'
        END AS kind
    FROM pairs)
SELECT kind, id, jsonb_strip_nulls(jsonb_build_object('between', 'refunds and ledger', 'payment', payment,
    'refund_status', status, 'transfer', transfer, 'postings', n, 'amount', refunded, 'posted', posted,
    'currency', currency, 'posted_currency', posted_currency, 'debited', accounts.mask(debited),
    'credited', accounts.mask(credited))) AS detail
FROM judged
WHERE kind IS NOT NULL AND (%(since)s::timestamptz IS NULL OR changed_at >= %(since)s)
UNION ALL
SELECT CASE WHEN r.total > p.amount_minor THEN 'refunded_too_much' ELSE 'refunded_sum_differs' END, p.id,
    jsonb_build_object('amount', p.amount_minor, 'refunded', p.amount_refunded_minor,
        'refunds', coalesce(r.total, 0))
FROM payments.payments AS p
LEFT JOIN (SELECT payment_id, sum(amount_minor) AS total FROM payments.refunds
           WHERE status = 'succeeded' GROUP BY payment_id) AS r ON r.payment_id = p.id
WHERE (p.amount_refunded_minor <> coalesce(r.total, 0) OR r.total > p.amount_minor)
    AND (%(since)s::timestamptz IS NULL OR p.updated_at >= %(since)s)
