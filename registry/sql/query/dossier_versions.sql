SELECT v.*, v.geom::bytea AS course, lower(v.valid) AS first_day, upper(v.valid) AS last_day,
       lower(v.recorded) AS known_from, upper(v.recorded) AS known_to
FROM registry.segment_version AS v
WHERE v.segment_id = ANY(%(ids)s)
  AND (%(known_at)s::timestamptz IS NULL OR lower(v.recorded) <= %(known_at)s)
ORDER BY lower(v.recorded), lower(v.valid) NULLS FIRST
