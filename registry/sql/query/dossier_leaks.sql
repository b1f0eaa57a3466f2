WITH links AS (
         SELECT l.leak_id, l.probability, l.measure_m
         FROM registry.run_leak_links AS l
         WHERE l.segment_id = ANY(%(ids)s) AND l.run_id = (
             SELECT run_id FROM registry.run
             WHERE kind IN ('score', 'plan') AND (%(known_at)s::timestamptz IS NULL OR made_at <= %(known_at)s)
             ORDER BY made_at DESC LIMIT 1
         )
     )
SELECT leak.leak_id, leak.leaked_on, leak.repaired_on, leak.cause, leak.grade, leak.source,
       CASE WHEN leak.segment_id = ANY(%(ids)s) THEN 1.0 ELSE links.probability END AS probability,
       coalesce(links.measure_m, (
           SELECT ST_LineLocatePoint(s.geom, leak.geom) * ST_Length(s.geom)
           FROM registry_app.segment_at(%(as_of)s, %(known_at)s) AS s WHERE s.segment_id = leak.segment_id
       )) AS measure_m
FROM registry_app.leak_at(%(as_of)s, %(known_at)s) AS leak
LEFT JOIN links USING (leak_id)
-- whoever names a parent means the part that the run found at its place
WHERE leak.segment_id = ANY(%(ids)s)
   OR (links.leak_id IS NOT NULL AND (leak.segment_id IS NULL OR leak.segment_id = ANY(%(parents)s)))
ORDER BY leak.leaked_on, leak.leak_id
