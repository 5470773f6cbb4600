WITH told AS (
    SELECT id, count(*) AS n, max(created_at) AS told_at
    FROM (SELECT payload->>'id' AS id, created_at FROM payments.outbox
          WHERE topic = 'payment-events' AND type IN ('payment.succeeded', 'refund.succeeded')) AS events
    GROUP BY id),
done AS (
    SELECT id, updated_at FROM payments.payments WHERE status = 'succeeded'
    UNION ALL
    SELECT id, updated_at FROM payments.refunds WHERE status = 'succeeded')
SELECT CASE WHEN n IS NULL THEN 'event_missing' WHEN done.id IS NULL THEN 'event_without_outcome'
            ELSE 'event_twice' END AS kind,
       coalesce(done.id, told.id) AS id, jsonb_build_object('events', coalesce(n, 0)) AS detail
FROM done FULL JOIN told ON told.id = done.id
WHERE (n = 1 AND done.id IS NOT NULL) IS NOT TRUE
    AND (%(since)s::timestamptz IS NULL OR coalesce(updated_at, told_at) >= %(since)s)
    -- Where the money has moved all the same, another check tells of the status.
    AND (done.id IS NOT NULL OR NOT EXISTS (
        SELECT FROM accounts.transfers AS t
        WHERE (t.kind = 'payment' AND t.payment_id = told.id) OR (t.kind = 'refund' AND t.refund_id = told.id)))
