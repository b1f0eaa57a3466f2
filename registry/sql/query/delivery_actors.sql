SELECT delivery_id, actor, organisation FROM registry.delivery
WHERE delivery_id = ANY(%s)
ORDER BY coalesce(applied_at, received_at)
