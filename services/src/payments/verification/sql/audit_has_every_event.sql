SELECT CASE WHEN a.event_id IS NULL THEN 'event_missing_in_audit'
            WHEN o.event_id IS NOT NULL OR a.hash <> a.made THEN 'audit_row_changed'
            ELSE 'audit_event_unknown' END AS kind,
       coalesce(o.event_id, a.event_id) AS id,
       jsonb_build_object('seq', a.seq, 'source', coalesce(o.source, a.source),
           'type', coalesce(o.type, a.type), 'payment', a.payment_id) AS detail
FROM (SELECT * FROM ({outboxes}) AS every WHERE topic = 'payment-events') AS o
FULL JOIN (SELECT *, {hash} AS made FROM audit.events) AS a ON a.event_id = o.event_id
WHERE CASE WHEN a.event_id IS NULL THEN o.published_at < %(cutoff)s
           WHEN a.hash <> a.made THEN true
           WHEN o.event_id IS NULL THEN a.source = 'confirm-service' OR a.time > %(sure)s
           ELSE a.source <> o.source OR a.type <> o.type OR a.source_sequence <> o.sequence
               OR a.payload::jsonb <> o.payload
               OR abs(extract(epoch FROM a.time - o.created_at)) > 0.001 END
    AND (%(since)s::timestamptz IS NULL OR coalesce(o.created_at, a.time) >= %(since)s)
