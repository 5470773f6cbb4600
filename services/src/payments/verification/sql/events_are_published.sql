SELECT 'event_not_published' AS kind, event_id AS id,
       jsonb_build_object('source', source, 'topic', topic, 'type', type, 'at', created_at) AS detail
FROM ({outboxes}) AS o WHERE published_at IS NULL AND created_at < %(cutoff)s
