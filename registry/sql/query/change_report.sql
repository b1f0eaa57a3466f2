SELECT object_id, class, column_name, old_value, new_value, moved_m
FROM registry.change
WHERE delivery_id = %s
ORDER BY array_position(ARRAY['gone', 'reopened', 'moved', 'changed', 'added'], class), object_id, column_name
