-- which deliveries spoke of each segment, as their numbers in one text: few texts differ among a million segments
WITH RECURSIVE spoke (delivery_id, number) AS (
         SELECT * FROM unnest({deliveries}::text[]) WITH ORDINALITY
     ),
     -- the same pipe under the ids that it had before it was split, merged or given another one
     kin (segment_id, former_id) AS (
         SELECT child_id, parent_id FROM registry.segment_lineage WHERE upper_inf(recorded) AND relation <> 'replace'
         UNION
         SELECT k.segment_id, l.parent_id
         FROM kin AS k JOIN registry.segment_lineage AS l ON l.child_id = k.former_id
         WHERE upper_inf(l.recorded) AND l.relation <> 'replace'
     ),
     touch AS (
         SELECT v.segment_id, s.number FROM {versions} AS v JOIN spoke AS s USING (delivery_id)
         UNION ALL
         SELECT c.segment_id, s.number
         FROM registry.confirmation AS f JOIN spoke AS s USING (delivery_id)
         CROSS JOIN LATERAL unnest(f.object_ids) AS c (segment_id)
     ),
     pattern AS (
         SELECT segment_id, string_agg(DISTINCT number::text, ',') AS spoken
         FROM (
             SELECT segment_id, number FROM touch
             UNION ALL
             SELECT k.segment_id, t.number FROM kin AS k JOIN touch AS t ON t.segment_id = k.former_id
         ) AS every
         GROUP BY segment_id
     ),
     inspected AS (
         SELECT e.segment_id, max(e.happened_on) AS inspected_on
         FROM registry_app.event_at({as_of}, {known_at}) AS e
         WHERE e.kind = 'inspection' AND e.segment_id IS NOT NULL
         GROUP BY e.segment_id
     )
SELECT s.segment_id, s.owner, s.material, ST_Length(s.geom) AS length_m,
       ST_X(ST_LineInterpolatePoint(s.geom, 0.5)) AS middle_x, ST_Y(ST_LineInterpolatePoint(s.geom, 0.5)) AS middle_y,
       p.spoken, i.inspected_on, {known}
FROM registry_app.segment_at({as_of}, {known_at}) AS s
LEFT JOIN pattern AS p USING (segment_id)
LEFT JOIN inspected AS i USING (segment_id)
ORDER BY s.segment_id
