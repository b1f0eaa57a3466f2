SELECT * FROM registry.delivery WHERE delivery_id = %s
