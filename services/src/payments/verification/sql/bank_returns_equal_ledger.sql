WITH posted AS (
    SELECT bank_reference, min(refund_id) AS refund_id, count(DISTINCT refund_id) AS refunds,
           min(payment_id) AS payment_id, min(amount_minor) AS amount_minor, min(currency) AS currency,
           max(posted_at) AS posted_at
    FROM accounts.transfers WHERE kind = 'refund' AND bank_reference IS NOT NULL GROUP BY bank_reference),
triples AS (
    SELECT coalesce(r.id, t.refund_id, b.reference, t.bank_reference) AS id,
        coalesce(b.reference, t.bank_reference, r.bank_reference) AS reference, r.status,
        b.reference IS NOT NULL AS at_bank, b.reference_number, b.error_code, b.completes_at,
        t.refund_id IS NOT NULL AS in_ledger, t.refunds, r.amount_minor AS refunded, t.amount_minor AS posted,
        b.amount_minor AS returned, t.currency AS posted_currency, b.currency,
        coalesce(r.payment_id, t.payment_id) AS payment, p.bank_reference AS original,
        b.original_reference AS bank_original, greatest(r.updated_at, t.posted_at, b.completes_at) AS changed_at
    FROM bank.returns AS b
    FULL JOIN posted AS t ON t.bank_reference = b.reference
    FULL JOIN (SELECT * FROM payments.refunds WHERE bank_reference IS NOT NULL) AS r
        ON r.bank_reference = coalesce(b.reference, t.bank_reference)
    LEFT JOIN payments.payments AS p ON p.id = coalesce(r.payment_id, t.payment_id)),
judged AS (
    SELECT *, CASE
        WHEN refunds > 1 THEN 'posted_twice'
        WHEN NOT at_bank AND in_ledger THEN 'posting_without_bank_return'
        WHEN NOT at_bank AND status = 'succeeded' THEN 'refund_missing_in_bank'
        WHEN NOT at_bank THEN NULL
        WHEN error_code IS NOT NULL AND (in_ledger OR status = 'succeeded') THEN 'status_differs'
        WHEN error_code IS NOT NULL THEN NULL
        WHEN NOT in_ledger AND status IS DISTINCT FROM 'succeeded' AND completes_at < %(cutoff)s
            THEN 'bank_return_without_posting'
        WHEN NOT in_ledger THEN NULL
        -- Where refund and ledger differ already, the other check tells.
        WHEN refunded <> posted THEN NULL
        WHEN returned <> posted OR currency <> posted_currency THEN 'amount_differs'
        WHEN original <> bank_original THEN 'accounts_differ'
        END AS kind
    FROM triples)
SELECT kind, id, jsonb_strip_nulls(jsonb_build_object('between', 'ledger and partner bank', 'payment', payment,
    'bank_reference', reference, 'bank_number', reference_number, 'refund_status', status,
    'bank_status', CASE WHEN NOT at_bank THEN 'unknown' WHEN error_code IS NULL THEN 'COMPLETED' ELSE 'REJECTED' END,
    'amount', refunded, 'posted', posted, 'returned', returned, 'currency', currency)) AS detail
FROM judged
WHERE kind IS NOT NULL AND (%(since)s::timestamptz IS NULL OR changed_at >= %(since)s)
