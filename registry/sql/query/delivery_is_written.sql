SELECT EXISTS (
    SELECT FROM registry.delivery WHERE delivery_id = %s AND coalesce(applied_at, received_at) = %s
)
