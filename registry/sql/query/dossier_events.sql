WITH links AS (
         SELECT l.event_id, l.probability, l.measure_m
         FROM registry.run_event_links AS l
         WHERE l.segment_id = ANY(%(ids)s) AND l.run_id = (
             SELECT run_id FROM registry.run
             WHERE kind IN ('score', 'plan') AND (%(known_at)s::timestamptz IS NULL OR made_at <= %(known_at)s)
             ORDER BY made_at DESC LIMIT 1
         )
     )
SELECT event.event_id, event.happened_on, event.closed_on, event.kind, event.grade, event.finding, event.source,
       event.reporter,
       CASE WHEN event.segment_id = ANY(%(ids)s) THEN 1.0 ELSE links.probability END AS probability,
       coalesce(links.measure_m, (
           SELECT ST_LineLocatePoint(s.geom, ST_Centroid(event.geom)) * ST_Length(s.geom)
           FROM registry_app.segment_at(%(as_of)s, %(known_at)s) AS s WHERE s.segment_id = event.segment_id
       )) AS measure_m
FROM registry_app.event_at(%(as_of)s, %(known_at)s) AS event
LEFT JOIN links USING (event_id)
-- whoever names a parent means the part that the run found at its place
WHERE event.segment_id = ANY(%(ids)s)
   OR (links.event_id IS NOT NULL AND (event.segment_id IS NULL OR event.segment_id = ANY(%(parents)s)))
ORDER BY event.happened_on, event.event_id
