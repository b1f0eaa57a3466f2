INSERT INTO registry.delivered_file (file_sha256, part_name, chunk, size_bytes, compressed)
VALUES (%s, %s, %s, %s, %b)
ON CONFLICT DO NOTHING
