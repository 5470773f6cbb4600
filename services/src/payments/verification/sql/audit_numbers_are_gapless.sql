SELECT CASE WHEN source_sequence = before THEN 'audit_sequence_twice' ELSE 'audit_sequence_gap' END AS kind,
       source AS id, jsonb_build_object('after', before, 'before', source_sequence, 'seq', seq) AS detail
FROM (SELECT source, source_sequence, seq, recorded_at,
             coalesce(lag(source_sequence) OVER (PARTITION BY source ORDER BY source_sequence), 0) AS before
      FROM audit.events) AS pairs
WHERE source_sequence <> before + 1 AND recorded_at < %(cutoff)s
