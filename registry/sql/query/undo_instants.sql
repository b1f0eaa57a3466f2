SELECT delivery_id, applied_at FROM registry.delivery WHERE delivery_id = ANY(%s)
