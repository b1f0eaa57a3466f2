SELECT r.kind, r.name, r.made_at, r.actor, s.policy_class, s.grade, b.year, b.batch_id
FROM registry.run AS r
LEFT JOIN registry.run_scores AS s ON s.run_id = r.run_id AND s.segment_id = ANY(%(ids)s)
LEFT JOIN registry.run_batch_segments AS b ON b.run_id = r.run_id AND b.segment_id = ANY(%(ids)s)
WHERE (s.segment_id IS NOT NULL OR b.segment_id IS NOT NULL)
  AND (%(known_at)s::timestamptz IS NULL OR r.made_at <= %(known_at)s)
ORDER BY r.made_at
