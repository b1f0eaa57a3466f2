SELECT delivery_id, action, kind, actor, file_name, applied_at
FROM registry.delivery
WHERE applied_at = ANY(%s)
ORDER BY applied_at DESC
