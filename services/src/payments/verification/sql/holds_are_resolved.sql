SELECT CASE WHEN h.status = 'posted' AND t.id IS NULL THEN 'hold_without_posting'
            WHEN h.status = 'posted' THEN 'hold_differs'
            WHEN t.id IS NOT NULL THEN 'posting_despite_hold'
            ELSE 'hold_left_over' END AS kind,
       h.payment_id AS id,
       jsonb_build_object('hold', h.id, 'hold_status', h.status, 'amount', h.amount_minor,
           'posted', t.amount_minor, 'fee', h.fee_minor, 'fee_posted', f.amount_minor,
           'payment_status', p.status) AS detail
FROM accounts.holds AS h
LEFT JOIN accounts.transfers AS t ON t.payment_id = h.payment_id AND t.kind = 'payment'
LEFT JOIN accounts.transfers AS f ON f.payment_id = h.payment_id AND f.kind = 'fee'
LEFT JOIN payments.payments AS p ON p.id = h.payment_id
WHERE CASE h.status
    WHEN 'posted' THEN (t.from_account = h.account_number AND t.amount_minor = h.amount_minor
        AND t.currency = h.currency AND coalesce(f.amount_minor, 0) = h.fee_minor) IS NOT TRUE
    WHEN 'voided' THEN t.id IS NOT NULL
    ELSE t.id IS NOT NULL OR (p.status IS DISTINCT FROM 'processing'
        AND greatest(h.created_at, p.updated_at) < %(cutoff)s) END
