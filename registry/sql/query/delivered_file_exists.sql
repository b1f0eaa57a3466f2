SELECT EXISTS (SELECT FROM registry.delivered_file WHERE file_sha256 = %s)
