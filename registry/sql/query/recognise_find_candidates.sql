CREATE TEMP TABLE candidate ON COMMIT DROP AS
SELECT v.*
FROM {versions} AS v JOIN absent USING ({key})
WHERE upper_inf(v.recorded) AND v.valid @> {day} AND v.valid && daterange({first_day}, NULL)
UNION ALL
SELECT k.* FROM known AS k JOIN verdict AS w ON w.object_id = k.{key}
WHERE w.class IN ('changed', 'moved') AND k.valid @> {day} AND k.valid && daterange({first_day}, NULL)
