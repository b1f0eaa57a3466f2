INSERT INTO report (object_id, class, column_name, old_value, new_value, moved_m, known_id, relation, probability, reason)
SELECT delivered_id, class, '', NULL, NULL, NULL, known_id, relation, probability, reason FROM recognised
UNION ALL
SELECT r.delivered_id, r.class, d.column_name, d.old_value, d.new_value,
       CASE WHEN d.column_name = 'geometry' THEN {distance} END, r.known_id, NULL, NULL, NULL
FROM recognised AS r
JOIN candidate AS k ON k.{key} = r.known_id
JOIN incoming AS i ON i.{key} = r.delivered_id
CROSS JOIN LATERAL (VALUES {differences}) AS d (column_name, old_value, new_value, differs)
WHERE r.relation IN ('same', 'moved', 'renumbered') AND d.differs
