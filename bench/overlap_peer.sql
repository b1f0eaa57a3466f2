-- The best plain PostGIS way that we know: buffers made once and indexed, whole lines by ST_Covers, no just-in-time compiler.
DROP TABLE IF EXISTS peer_extent, peer_pair;
CREATE TEMP TABLE peer_extent AS
    SELECT project_id, CASE WHEN ST_Dimension(geom) = 1 THEN ST_Buffer(geom, 11.0, 'quad_segs=8') ELSE geom END AS geom
    FROM registry_app.projects;
CREATE INDEX ON peer_extent USING gist (geom);
ANALYZE peer_extent;
CREATE TEMP TABLE peer_pair AS
    SELECT s.segment_id, p.project_id,
           CASE WHEN ST_Covers(p.geom, s.geom) THEN ST_Length(s.geom)
                ELSE ST_Length(ST_Intersection(s.geom, p.geom)) END AS overlap_m
    FROM peer_extent AS p JOIN registry_app.segments AS s ON ST_Intersects(p.geom, s.geom);
