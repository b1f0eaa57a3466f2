SELECT delivery_id || ' ' || row_number AS row_id FROM registry.held_row AS h
WHERE NOT EXISTS (SELECT FROM registry.delivery AS d WHERE d.delivery_id = h.delivery_id)
