CREATE TEMP TABLE candidate ON COMMIT DROP AS
WITH near AS (
         SELECT DISTINCT v.{key}
         FROM incoming AS i
         JOIN verdict AS w ON w.object_id = i.{key} AND w.class IN ('added', 'reopened', 'moved')
         JOIN {versions} AS v ON v.geom && ST_Expand(i.geom, {within_m})
         WHERE upper_inf(v.recorded) AND v.valid @> {day}
     )
SELECT v.*
FROM {versions} AS v JOIN near USING ({key})
WHERE upper_inf(v.recorded) AND v.valid @> {day} AND v.valid && daterange({first_day}, NULL)
  AND NOT EXISTS (SELECT FROM incoming AS i WHERE i.{key} = v.{key})
UNION ALL
SELECT k.* FROM known AS k JOIN verdict AS w ON w.object_id = k.{key}
WHERE w.class IN ('changed', 'moved') AND k.valid @> {day} AND k.valid && daterange({first_day}, NULL)
