SELECT delivery_id, action, kind, file_name, source, actor, reason, applied_at, state
FROM registry.delivery
WHERE applied_at = ANY(%(instants)s)
ORDER BY applied_at
