SELECT r.row_number, r.row, r.fixes, r.object_id,
       ARRAY(SELECT f.code FROM registry.held_fault AS f
             WHERE f.delivery_id = r.delivery_id AND f.row_number = r.row_number) AS codes
FROM registry.held_row AS r
WHERE r.delivery_id = %s
  AND NOT EXISTS (SELECT FROM registry.delivery AS s WHERE s.delivery_id = r.settled_by AND s.state = 'accepted')
ORDER BY r.row_number
