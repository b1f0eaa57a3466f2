INSERT INTO report (
    object_id, class, column_name, old_value, new_value, moved_m, owner, known_id, relation, probability, reason
)
SELECT r.delivered_id, r.class, '', NULL, NULL, NULL, w.owner, r.known_id, r.relation, r.probability, r.reason
FROM recognised AS r
JOIN verdict AS w ON w.object_id = r.delivered_id
UNION ALL
SELECT r.delivered_id, r.class, d.column_name, d.old_value, d.new_value,
       CASE WHEN d.column_name = 'geometry' THEN {distance} END, w.owner, r.known_id, NULL, NULL, NULL
FROM recognised AS r
JOIN candidate AS k ON k.{key} = r.known_id
JOIN incoming AS i ON i.{key} = r.delivered_id
JOIN verdict AS w ON w.object_id = r.delivered_id
CROSS JOIN LATERAL (VALUES {differences}) AS d (column_name, old_value, new_value, differs)
WHERE r.relation IN ('same', 'moved', 'renumbered') AND d.differs
