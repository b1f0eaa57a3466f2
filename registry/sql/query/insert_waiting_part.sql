INSERT INTO registry.waiting_part (
    delivery_id, part_name, chunk, size_bytes, compressed, column_names, compared_at
) SELECT %s, %s, %s, %s, %b, %s, version FROM registry.info
