SELECT delivery_id, kind, file_name, source, actor, received_at, rows_read, rows_accepted, rows_held, rows_added,
       rows_changed, rows_unchanged, crs, encoding, notes
FROM registry.delivery
ORDER BY received_at DESC, delivery_id
