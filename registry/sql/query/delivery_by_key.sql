SELECT delivery_id, kind, state, rows_read, rows_accepted, rows_held, rows_added, rows_changed, rows_unchanged
FROM registry.delivery
WHERE content_key = %s AND state IN ('pending', 'accepted')
