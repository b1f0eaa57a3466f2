SELECT c.object_id AS delivered_id, c.known_id, c.relation
FROM registry.change AS c
WHERE c.delivery_id = %s AND c.class = 'doubtful' AND c.column_name = ''
  AND NOT EXISTS (SELECT FROM registry.delivery AS s WHERE s.delivery_id = c.settled_by AND s.state = 'accepted')
ORDER BY c.object_id, c.known_id
