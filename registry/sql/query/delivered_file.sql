SELECT part_name, chunk, size_bytes, compressed FROM registry.delivered_file WHERE file_sha256 = %s ORDER BY part_name, chunk
