WITH hull AS (SELECT ST_ConvexHull(ST_Collect(geom)) AS area FROM incoming),
     inside AS (
         SELECT v.{key} AS object_id, v.valid, {owner} AS owner
         FROM {versions} AS v, hull
         WHERE upper_inf(v.recorded) AND v.valid @> {day} AND v.geom && hull.area AND ST_Within(v.geom, hull.area)
           AND {is_ours}
     ),
     absent AS (
         SELECT * FROM inside
         WHERE object_id NOT IN (SELECT {key} FROM incoming)
           AND object_id NOT IN (SELECT known_id FROM recognised)
     )
INSERT INTO verdict (object_id, class, known_valid, owner)
SELECT object_id, 'gone', valid, owner FROM absent
WHERE (SELECT count(*) FROM absent) <= {most} * (SELECT count(*) FROM inside)
