CREATE TEMP TABLE verdict ON COMMIT DROP AS
SELECT i.{key} AS object_id,
       CASE
           WHEN k.{key} IS NULL THEN 'added'
           WHEN upper(k.valid) <= {day} AND {retired} IS NULL THEN 'reopened'
           WHEN ROW({known_columns}) IS NOT DISTINCT FROM ROW({incoming_columns}) THEN 'unchanged'
           WHEN {distance} > {moved} THEN 'moved'
           ELSE 'changed'
       END AS class,
       {distance} AS moved_m,
       {owner} AS owner,
       k.valid AS known_valid
FROM incoming AS i
LEFT JOIN known AS k USING ({key})
