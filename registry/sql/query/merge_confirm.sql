INSERT INTO registry.confirmation (delivery_id, object_ids)
SELECT {delivery_id}, array_agg(object_id) FROM verdict WHERE class = 'unchanged' HAVING count(*) > 0
