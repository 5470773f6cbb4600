SELECT CASE WHEN sequence = before THEN 'sequence_twice' ELSE 'sequence_gap' END AS kind,
       source || ' ' || topic AS id,
       jsonb_build_object('after', before, 'before', sequence, 'event', event_id) AS detail
FROM (SELECT source, topic, sequence, event_id,
             lag(published_at) OVER w AS before_at,
             coalesce(lag(sequence) OVER w, CASE source WHEN 'confirm-service' THEN 0 END) AS before
      FROM ({outboxes}) AS o WHERE sequence IS NOT NULL
      WINDOW w AS (PARTITION BY source, topic ORDER BY sequence)) AS pairs
WHERE sequence <> before + 1 AND (source = 'confirm-service' OR before_at > %(sure)s)
