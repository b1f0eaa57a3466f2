INSERT INTO registry.delivery (
    delivery_id, kind, action, state, file_name, file_sha256, file_bytes, content_key, mapping, crs, requested_crs,
    encoding, source, actor, reason, follows, undoes, valid_from, reference_day, moved_m, applied_at, registry_version,
    rows_read, rows_accepted, rows_held, rows_added, rows_changed, rows_unchanged, notes, organisation
) SELECT
    %(delivery_id)s, %(kind)s, %(action)s, %(state)s, %(file_name)s, %(file_sha256)s, %(file_bytes)s, %(content_key)s,
    %(mapping)s, %(crs)s, %(requested_crs)s, %(encoding)s, %(source)s, registry_app.actor(%(actor)s), %(reason)s, %(follows)s, %(undoes)s,
    %(valid_from)s, %(reference_day)s, %(moved_m)s, CASE WHEN %(state)s = 'pending' THEN NULL ELSE now() END,
    info.version + 1, %(rows_read)s, %(rows_accepted)s, %(rows_held)s, %(rows_added)s, %(rows_changed)s,
    %(rows_unchanged)s, %(notes)s, coalesce(registry_app.organisation(), %(organisation)s)
FROM registry.info
