UPDATE registry.held_row SET fixes = fixes || %(fixes)s::jsonb
WHERE delivery_id = %(delivery_id)s AND row_number = %(row_number)s
