UPDATE registry.held_row SET settled_by = %(settled_by)s
WHERE delivery_id = %(delivery_id)s AND row_number = ANY(%(row_numbers)s)
