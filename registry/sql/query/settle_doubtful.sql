UPDATE registry.change SET settled_by = %(settled_by)s
WHERE delivery_id = %(delivery_id)s AND class = 'doubtful' AND object_id = ANY(%(ids)s)
