UPDATE registry.delivery SET state = 'undone' WHERE delivery_id = ANY(%s)
