SELECT 'anchor_broken' AS kind, a.sequence::text AS id,
       jsonb_build_object('anchored', a.hash, 'hash', e.hash, 'entries', a.count, 'at', a.time) AS detail
FROM unnest(%(anchor_sequences)s::bigint[], %(anchor_hashes)s::text[], %(anchor_counts)s::bigint[],
            %(anchor_times)s::timestamptz[]) AS a(sequence, hash, count, time)
LEFT JOIN audit.events AS e ON e.seq = a.sequence
WHERE e.hash IS DISTINCT FROM a.hash OR a.count <> a.sequence
UNION ALL
SELECT 'audit_unanchored', max(seq)::text, jsonb_build_object('entries', count(*))
FROM audit.events
WHERE recorded_at < now() - %(anchored_within)s::interval
    AND seq > coalesce((SELECT max(s) FROM unnest(%(anchor_sequences)s::bigint[]) AS s), 0)
HAVING count(*) > 0
