CREATE TEMP TABLE report ON COMMIT DROP AS
SELECT w.object_id, w.class, d.column_name, d.old_value, d.new_value,
       CASE WHEN d.column_name = 'geometry' THEN w.moved_m END AS moved_m, w.owner,
       '' AS known_id, NULL::text AS relation, NULL::double precision AS probability, NULL::text AS reason
FROM verdict AS w
JOIN known AS k ON k.{key} = w.object_id
JOIN incoming AS i ON i.{key} = w.object_id
CROSS JOIN LATERAL (VALUES {differences}) AS d (column_name, old_value, new_value, differs)
WHERE w.class IN ('changed', 'moved') AND d.differs
UNION ALL
SELECT object_id, class, '', NULL, NULL, NULL, owner, '', NULL, NULL, NULL
FROM verdict WHERE class IN ('added', 'reopened', 'gone')
