SELECT object_id, class, column_name, old_value, new_value, moved_m, nullif(known_id, '') AS known_id, relation,
       probability, reason
FROM report
ORDER BY object_id, column_name, known_id
