UPDATE registry.held_row AS r SET settled_by = %(delivery_id)s
FROM registry.delivery AS d
WHERE d.delivery_id = r.delivery_id AND d.kind = %(kind)s AND r.delivery_id <> %(delivery_id)s
  AND r.object_id = ANY(%(ids)s)
  AND NOT EXISTS (SELECT FROM registry.delivery AS s WHERE s.delivery_id = r.settled_by AND s.state = 'accepted')
