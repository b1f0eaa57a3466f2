SELECT {id} AS row_id FROM {identity}
WHERE NOT EXISTS (SELECT FROM registry.delivery AS d WHERE d.delivery_id = {identity}.first_delivery_id)
