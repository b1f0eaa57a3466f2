SELECT object_id, class, column_name, old_value, new_value, moved_m, nullif(known_id, '') AS known_id, relation,
       probability, reason
FROM registry.change
WHERE delivery_id = %s
ORDER BY array_position(
    ARRAY['doubtful', 'gone', 'reopened', 'renumbered', 'split', 'merged', 'moved', 'changed', 'added'], class
), object_id, column_name, known_id
