WITH posted AS (
    SELECT payment_id, count(*) AS n, min(id) AS transfer, min(from_account) AS from_account,
           min(to_account) AS to_account, min(amount_minor) AS amount_minor, min(currency) AS currency,
           min(bank_reference) AS bank_reference, min(posted_at) AS posted_at
    FROM accounts.transfers WHERE kind = 'payment' GROUP BY payment_id),
fees AS (
    SELECT payment_id, sum(amount_minor) AS amount_minor
    FROM accounts.transfers WHERE kind = 'fee' GROUP BY payment_id),
pairs AS (
    SELECT coalesce(p.id, t.payment_id) AS id, p.status, t.n, t.transfer,
        p.amount_minor AS paid, t.amount_minor AS posted, p.currency, t.currency AS posted_currency,
        p.fee_minor AS fee, coalesce(f.amount_minor, 0) AS fee_posted,
        p.from_account, t.from_account AS debited, t.to_account AS credited,
        CASE WHEN p.to_routing_number IS NULL THEN p.to_account
             ELSE 'internal.settlement.' || p.currency END AS to_account,
        p.bank_reference, t.bank_reference AS posted_reference, t.posted_at,
        greatest(p.updated_at, t.posted_at) AS changed_at
    FROM payments.payments AS p
    FULL JOIN posted AS t ON t.payment_id = p.id
    LEFT JOIN fees AS f ON f.payment_id = coalesce(p.id, t.payment_id)
    WHERE p.status = 'succeeded' OR t.n IS NOT NULL),
judged AS (
    SELECT *, CASE
        WHEN n IS NULL THEN 'payment_missing_in_ledger'
        WHEN n > 1 THEN 'posted_twice'
        WHEN status IS NULL THEN 'posting_without_payment'
        WHEN status = 'processing' AND posted_at < %(cutoff)s THEN 'status_differs'
        WHEN status NOT IN ('processing', 'succeeded') THEN 'status_differs'
        WHEN paid <> posted OR currency <> posted_currency OR fee <> fee_posted THEN 'amount_differs'
        WHEN from_account <> debited OR to_account <> credited
            OR bank_reference IS DISTINCT FROM posted_reference THEN 'accounts_differ'
        END AS kind
    FROM pairs)
SELECT kind, id, jsonb_strip_nulls(jsonb_build_object('between', 'payments and ledger',
    'payment_status', status, 'transfer', transfer, 'postings', n, 'amount', paid, 'posted', posted,
    'currency', currency, 'posted_currency', posted_currency, 'fee', fee, 'fee_posted', fee_posted,
    'from', accounts.mask(from_account), 'debited', accounts.mask(debited),
    'to', accounts.mask(to_account), 'credited', accounts.mask(credited))) AS detail
FROM judged
WHERE kind IS NOT NULL AND (%(since)s::timestamptz IS NULL OR changed_at >= %(since)s)
