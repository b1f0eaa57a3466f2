SELECT DISTINCT r.object_id
FROM registry.held_row AS r JOIN registry.delivery AS d USING (delivery_id)
WHERE d.kind = %(kind)s AND r.delivery_id <> %(delivery_id)s AND r.object_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM registry.delivery AS s WHERE s.delivery_id = r.settled_by AND s.state = 'accepted')
