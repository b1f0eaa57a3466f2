INSERT INTO registry.held_row (delivery_id, row_number, row, length_m, object_id, owner)
VALUES (%s, %s, %s, %s, %s, %s)
