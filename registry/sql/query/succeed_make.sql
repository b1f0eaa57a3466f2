-- which part of each known segment a delivered one goes on as; the parts of one cover it end to end
CREATE TEMP TABLE succession ON COMMIT DROP AS
WITH pair AS (
         SELECT r.delivered_id, r.known_id, r.class, k.geom AS parent, i.geom AS child, k.valid AS known_valid,
                ST_Length(k.geom) AS parent_m, ST_Length(i.geom) AS child_m,
                ST_LineLocatePoint(k.geom, ST_StartPoint(i.geom)) AS start_share,
                ST_LineLocatePoint(k.geom, ST_EndPoint(i.geom)) AS end_share
         FROM recognised AS r
         JOIN candidate AS k ON k.{key} = r.known_id
         JOIN incoming AS i ON i.{key} = r.delivered_id
         WHERE r.class IN ('renumbered', 'split', 'merged')
     ),
     laid AS (
         SELECT *, least(start_share, end_share) AS low, greatest(start_share, end_share) AS high FROM pair
     ),
     joint AS (
         SELECT *, (lag(high) OVER along + low) / 2 AS before, (high + lead(low) OVER along) / 2 AS after
         FROM laid
         WINDOW along AS (PARTITION BY known_id ORDER BY low + high, delivered_id)
     ),
     part AS (SELECT *, coalesce(before, 0) AS part_from, coalesce(after, 1) AS part_to FROM joint)
SELECT delivered_id, known_id, class, parent, parent_m, known_valid,
       part_from * parent_m AS parent_from_m, part_to * parent_m AS parent_to_m,
       ST_LineLocatePoint(child, ST_LineInterpolatePoint(parent, part_from)) * child_m AS child_from_m,
       ST_LineLocatePoint(child, ST_LineInterpolatePoint(parent, part_to)) * child_m AS child_to_m
FROM part
