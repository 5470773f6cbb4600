SELECT CASE WHEN hash <> made THEN 'audit_row_changed' WHEN seq <> before + 1 THEN 'audit_rows_missing'
            ELSE 'audit_chain_broken' END AS kind,
       seq::text AS id, jsonb_build_object('event', event_id, 'entry_before', before) AS detail
FROM (SELECT seq, event_id, prev_hash, hash, coalesce(lag(seq) OVER w, 0) AS before,
             coalesce(lag(hash) OVER w, repeat('0', 64)) AS hash_before, {hash} AS made
      FROM audit.events WINDOW w AS (ORDER BY seq)) AS chain
WHERE hash <> made OR seq <> before + 1 OR prev_hash <> hash_before
UNION ALL
SELECT 'audit_head_differs', coalesce(h.seq, 0)::text,
       jsonb_build_object('noted', h.seq, 'last', coalesce(e.seq, 0))
FROM (SELECT) AS one LEFT JOIN audit.head AS h ON true
LEFT JOIN (SELECT seq, hash FROM audit.events ORDER BY seq DESC LIMIT 1) AS e ON true
WHERE (h.seq = coalesce(e.seq, 0) AND h.hash = coalesce(e.hash, repeat('0', 64))) IS NOT TRUE
