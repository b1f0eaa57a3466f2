INSERT INTO {versions} ({key}, {columns}, valid)
SELECT v.{key}, {version_columns}, v.valid
FROM {versions} AS v
JOIN touched ON touched.object_id = v.{key}
WHERE lower(v.recorded) < touched.instant AND upper(v.recorded) >= touched.instant
