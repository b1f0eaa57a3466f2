-- Segments whose box meets that of a project with its corridor or pavement, once for each such project. Either may reach a
-- rounding error farther than its width.
SELECT s.segment_id, s.geom::bytea AS geometry
FROM registry_app.project_at({as_of}::date, NULL::timestamptz) AS p
    INNER JOIN registry_app.segment_at({as_of}::date, NULL::timestamptz) AS s
        ON s.geom && ST_Expand(p.geom, 0.001 + greatest(
            registry_app.project_reach(p.kind, p.half_width_m, {reach}::jsonb),
            CASE WHEN p.street_name IN (SELECT q.street_name FROM registry_app.pavement_at({as_of}::date, NULL) AS q)
                THEN ({reach}::jsonb ->> 'pavement_reach_m')::float8 + ({reach}::jsonb ->> 'margin_m')::float8
            END
        ))
