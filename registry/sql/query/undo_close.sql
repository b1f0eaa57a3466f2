UPDATE {versions} AS v SET recorded = tstzrange(lower(v.recorded), now())
FROM touched
WHERE v.{key} = touched.object_id AND upper_inf(v.recorded) AND lower(v.recorded) >= touched.instant
