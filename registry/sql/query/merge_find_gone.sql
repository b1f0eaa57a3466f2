WITH hull AS (SELECT ST_ConvexHull(ST_Collect(geom)) AS area FROM incoming),
     absent AS (
         -- NOT IN would look through all rows for each one, once they are too many for the memory of one step
         SELECT v.{key} AS object_id, v.valid
         FROM {versions} AS v, hull
         WHERE upper_inf(v.recorded) AND v.valid @> {day}
           AND NOT EXISTS (SELECT FROM incoming AS i WHERE i.{key} = v.{key})
           AND v.geom && hull.area AND ST_Within(v.geom, hull.area)
     ),
     delivered_again AS (SELECT count(*) AS count FROM verdict WHERE class NOT IN ('added', 'reopened'))
INSERT INTO verdict (object_id, class, known_valid)
SELECT object_id, 'gone', valid FROM absent
WHERE (SELECT count(*) FROM absent) <= {most} * ((SELECT count(*) FROM absent) + (SELECT count FROM delivered_again))
