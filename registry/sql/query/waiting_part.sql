SELECT size_bytes, compressed FROM registry.waiting_part
WHERE delivery_id = %s AND part_name = %s
ORDER BY chunk
