ANALYZE incoming ({key}), verdict (object_id, class)
