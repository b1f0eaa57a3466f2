SELECT i.{key} AS object_id, 'changed' AS class, d.column_name, d.old_value, d.new_value,
       CASE WHEN d.column_name = 'geometry' THEN {distance} END AS moved_m,
       lower(i.valid) AS valid_from, upper(i.valid) AS valid_to
FROM incoming AS i
JOIN {versions} AS k ON k.{key} = i.{key} AND k.valid && i.valid AND upper_inf(k.recorded)
CROSS JOIN LATERAL (VALUES {differences}) AS d (column_name, old_value, new_value, differs)
WHERE d.differs
UNION ALL
SELECT i.{key}, 'added', '', NULL, NULL, NULL, lower(i.valid), upper(i.valid)
FROM incoming AS i
WHERE NOT EXISTS (
    SELECT FROM {versions} AS k WHERE k.{key} = i.{key} AND k.valid && i.valid AND upper_inf(k.recorded)
)
UNION ALL
SELECT a.{key}, 'gone', '', NULL, NULL, NULL, lower(closed), upper(closed)
FROM (SELECT {key}, range_agg(valid) AS days FROM affected GROUP BY {key}) AS a
LEFT JOIN (SELECT {key}, range_agg(valid) AS days FROM incoming GROUP BY {key}) AS i ON i.{key} = a.{key}
CROSS JOIN LATERAL unnest(a.days - coalesce(i.days, '{{}}'::datemultirange)) AS closed
ORDER BY 1, 7 NULLS FIRST, 3
