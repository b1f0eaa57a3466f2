INSERT INTO registry.delivery (
    delivery_id, kind, file_name, file_sha256, file_bytes, content_key, mapping, crs, encoding, source, actor,
    rows_read, rows_accepted, rows_held, rows_added, rows_changed, rows_unchanged, notes
) VALUES (
    %(delivery_id)s, %(kind)s, %(file_name)s, %(file_sha256)s, %(file_bytes)s, %(content_key)s, %(mapping)s, %(crs)s,
    %(encoding)s, %(source)s, %(actor)s, %(rows_read)s, %(rows_accepted)s, %(rows_held)s, %(rows_added)s,
    %(rows_changed)s, %(rows_unchanged)s, %(notes)s
)
