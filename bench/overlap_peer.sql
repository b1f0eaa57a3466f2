-- The best plain PostGIS way that we know: buffers made once, whole lines by ST_Covers, no just-in-time compiler, and driven
-- from the projects, so that each prepared area is used for all of its segments.
DROP TABLE IF EXISTS peer_extent, peer_pair;
CREATE TEMP TABLE peer_extent AS
    SELECT project_id, CASE WHEN ST_Dimension(geom) = 1 THEN ST_Buffer(geom, 11.0, 'quad_segs=8') ELSE geom END AS geom
    FROM registry_app.projects;
ANALYZE peer_extent;
CREATE TEMP TABLE peer_pair AS
    SELECT found.segment_id, p.project_id, found.overlap_m
    FROM peer_extent AS p
    CROSS JOIN LATERAL (
        SELECT s.segment_id,
               CASE WHEN ST_Covers(p.geom, s.geom) THEN ST_Length(s.geom)
                    ELSE ST_Length(ST_Intersection(s.geom, p.geom)) END AS overlap_m
        FROM registry_app.segments AS s WHERE ST_Intersects(p.geom, s.geom)
        OFFSET 0
    ) AS found;
