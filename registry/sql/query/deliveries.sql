SELECT delivery_id, action, state, kind, file_name, source, actor, reason, received_at, applied_at, valid_from,
       rows_read, rows_accepted, rows_held, rows_added, rows_changed, rows_unchanged, accepted_classes, undoes, follows,
       crs, encoding, notes
FROM registry.delivery
ORDER BY coalesce(applied_at, received_at) DESC, delivery_id
