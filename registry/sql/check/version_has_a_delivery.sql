SELECT {id} AS row_id FROM {version}
WHERE NOT EXISTS (SELECT FROM registry.delivery AS d WHERE d.delivery_id = {version}.delivery_id)
