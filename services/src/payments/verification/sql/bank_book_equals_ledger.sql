WITH posted AS (
    SELECT bank_reference, min(payment_id) AS payment_id, count(DISTINCT payment_id) AS payments,
           min(amount_minor) AS amount_minor, min(currency) AS currency, min(from_account) AS from_account,
           max(posted_at) AS posted_at
    FROM accounts.transfers WHERE kind = 'payment' AND bank_reference IS NOT NULL GROUP BY bank_reference),
fees AS (
    SELECT payment_id, sum(amount_minor) AS amount_minor
    FROM accounts.transfers WHERE kind = 'fee' GROUP BY payment_id),
triples AS (
    SELECT coalesce(p.id, t.payment_id, b.reference, t.bank_reference) AS id,
        coalesce(b.reference, t.bank_reference, p.bank_reference) AS reference, p.status,
        b.reference IS NOT NULL AS at_bank, b.reference_number, b.error_code, b.completes_at,
        t.payment_id IS NOT NULL AS in_ledger, t.payments, t.posted_at, p.amount_minor AS paid,
        t.amount_minor AS posted, b.amount_minor AS sent, t.currency AS posted_currency, b.currency,
        b.fee_minor AS bank_fee, coalesce(f.amount_minor, 0) AS fee_posted, p.fee_minor AS fee,
        p.from_account, b.from_account AS bank_from, p.to_account, b.to_account AS bank_to,
        p.to_routing_number AS routing, b.routing_number AS bank_routing,
        greatest(p.updated_at, t.posted_at, b.completes_at) AS changed_at
    FROM bank.transfers AS b
    FULL JOIN posted AS t ON t.bank_reference = b.reference
    FULL JOIN (SELECT * FROM payments.payments WHERE bank_reference IS NOT NULL) AS p
        ON p.bank_reference = coalesce(b.reference, t.bank_reference)
    LEFT JOIN fees AS f ON f.payment_id = t.payment_id),
judged AS (
    SELECT *, CASE
        WHEN payments > 1 THEN 'posted_twice'
        WHEN NOT at_bank AND in_ledger THEN 'posting_without_bank_transfer'
        WHEN NOT at_bank AND status = 'succeeded' THEN 'payment_missing_in_bank'
        WHEN NOT at_bank THEN NULL
        WHEN error_code IS NOT NULL AND (in_ledger OR status = 'succeeded') THEN 'status_differs'
        WHEN error_code IS NOT NULL THEN NULL
        WHEN NOT in_ledger AND status IS DISTINCT FROM 'succeeded' AND completes_at < %(cutoff)s
            THEN 'bank_transfer_without_posting'
        WHEN NOT in_ledger THEN NULL
        -- Where payment and ledger differ already, the other check tells.
        WHEN paid <> posted OR fee <> fee_posted THEN NULL
        WHEN sent <> posted OR currency <> posted_currency OR bank_fee <> fee_posted THEN 'amount_differs'
        WHEN bank_from <> from_account OR bank_to <> to_account OR bank_routing <> routing
            THEN 'accounts_differ'
        END AS kind
    FROM triples)
SELECT kind, id, jsonb_strip_nulls(jsonb_build_object('between', 'ledger and partner bank',
    'bank_reference', reference, 'bank_number', reference_number, 'payment_status', status,
    'bank_status', CASE WHEN NOT at_bank THEN 'unknown' WHEN error_code IS NULL THEN 'COMPLETED'
                   ELSE 'REJECTED' END,
    'amount', paid, 'posted', posted, 'sent', sent, 'currency', currency, 'fee_posted', fee_posted,
    'bank_fee', bank_fee)) AS detail
FROM judged
WHERE kind IS NOT NULL AND (%(since)s::timestamptz IS NULL OR changed_at >= %(since)s)
