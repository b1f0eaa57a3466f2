INSERT INTO registry.held_fault (delivery_id, row_number, column_name, code, value, offered, parameters)
VALUES (%s, %s, %s, %s, %s, %s, %s)
