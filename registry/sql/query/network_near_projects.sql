-- Segments whose box meets that of a project with its corridor, once for each such project. A corridor may reach a rounding
-- error farther than its width.
SELECT s.segment_id, s.geom::bytea AS geometry
FROM registry_app.project_at({as_of}::date, NULL::timestamptz) AS p
    INNER JOIN registry_app.segment_at({as_of}::date, NULL::timestamptz) AS s
        ON s.geom && ST_Expand(p.geom, 0.001 + registry_app.project_reach(p.kind, p.half_width_m, {reach}::jsonb))
