WITH links AS (
         SELECT l.event_id, l.probability, l.measure_m
         FROM registry.run_event_links AS l
         WHERE l.segment_id = ANY(%(ids)s) AND l.run_id = (
             SELECT run_id FROM registry.run
             WHERE kind IN ('score', 'plan') AND (%(known_at)s::timestamptz IS NULL OR made_at <= %(known_at)s)
             ORDER BY made_at DESC LIMIT 1
         )
     ),
     -- whatever names a part today named the whole before the change
     named AS (
         SELECT DISTINCT ON (v.event_id) v.event_id, v.segment_id
         FROM registry.event_version AS v
         WHERE v.segment_id = ANY(%(ids)s) AND (lower(v.valid) IS NULL OR lower(v.valid) <= %(as_of)s)
           AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN upper_inf(v.recorded)
                    ELSE v.recorded @> %(known_at)s::timestamptz END
         ORDER BY v.event_id, lower(v.valid) DESC NULLS LAST
     )
SELECT event.event_id, event.happened_on, event.closed_on, event.kind, event.grade, event.finding, event.source,
       event.reporter,
       CASE WHEN named.segment_id IS NULL THEN links.probability ELSE 1.0 END AS probability,
       coalesce(links.measure_m, (
           SELECT ST_LineLocatePoint(s.geom, ST_Centroid(event.geom)) * ST_Length(s.geom)
           FROM registry.segment_version AS s
           WHERE s.segment_id = named.segment_id AND (lower(s.valid) IS NULL OR lower(s.valid) <= %(as_of)s)
             AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN upper_inf(s.recorded)
                      ELSE s.recorded @> %(known_at)s::timestamptz END
           ORDER BY lower(s.valid) DESC NULLS LAST LIMIT 1
       )) AS measure_m
FROM registry_app.event_at(%(as_of)s, %(known_at)s) AS event
LEFT JOIN links USING (event_id)
LEFT JOIN named ON named.event_id = event.event_id AND event.segment_id = ANY(%(ids)s || %(children)s::text[])
-- whoever names a parent means the part that the run found at its place
WHERE named.segment_id IS NOT NULL
   OR (links.event_id IS NOT NULL AND (event.segment_id IS NULL OR event.segment_id = ANY(%(parents)s)))
ORDER BY event.happened_on, event.event_id
