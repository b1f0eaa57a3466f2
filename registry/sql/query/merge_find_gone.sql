WITH hull AS (SELECT ST_ConvexHull(ST_Collect(geom)) AS area FROM incoming),
     absent AS (
         -- NOT IN would look through all rows for each one, once they are too many for the memory of one step
         SELECT v.{key} AS object_id, v.valid, {owner} AS owner
         FROM {versions} AS v, hull
         WHERE upper_inf(v.recorded) AND v.valid @> {day}
           AND NOT EXISTS (SELECT FROM incoming AS i WHERE i.{key} = v.{key})
           AND NOT EXISTS (SELECT FROM recognised AS r WHERE r.known_id = v.{key})
           AND v.geom && hull.area AND ST_Within(v.geom, hull.area) AND {is_ours}
     ),
     -- what is known under another id has a class of its own by now
     delivered_again AS (SELECT count(*) AS count FROM verdict WHERE class NOT IN ('added', 'reopened'))
INSERT INTO verdict (object_id, class, known_valid, owner)
SELECT object_id, 'gone', valid, owner FROM absent
WHERE (SELECT count(*) FROM absent) <= {most} * ((SELECT count(*) FROM absent) + (SELECT count FROM delivered_again))
