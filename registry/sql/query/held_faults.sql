SELECT f.delivery_id, d.kind, f.row_number, f.column_name, f.code, f.value, f.offered, f.parameters, r.length_m, r.row,
       r.fixes, s.delivery_id AS settled_by
FROM registry.held_fault AS f
JOIN registry.held_row AS r USING (delivery_id, row_number)
JOIN registry.delivery AS d USING (delivery_id)
LEFT JOIN registry.delivery AS s ON s.delivery_id = r.settled_by AND s.state = 'accepted'
WHERE f.delivery_id = %s
ORDER BY f.row_number, f.column_name, f.code
