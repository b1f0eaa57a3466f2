SELECT f.delivery_id, d.kind, f.row_number, f.column_name, f.code, f.value, f.offered, f.parameters, r.length_m, r.row
FROM registry.held_fault AS f
JOIN registry.held_row AS r USING (delivery_id, row_number)
JOIN registry.delivery AS d USING (delivery_id)
WHERE f.delivery_id = %s
ORDER BY f.row_number, f.column_name, f.code
