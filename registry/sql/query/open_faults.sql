-- faults of held-back rows of a kind that nobody has settled yet
SELECT coalesce(r.object_id, f.delivery_id || ' ' || f.row_number) AS object_id, f.code
FROM registry.held_fault AS f
JOIN registry.held_row AS r USING (delivery_id, row_number)
JOIN registry.delivery AS d USING (delivery_id)
WHERE d.kind = %(kind)s AND d.state IN ('accepted', 'pending')
  AND (%(known_at)s::timestamptz IS NULL OR d.received_at <= %(known_at)s)
  AND NOT EXISTS (SELECT FROM registry.delivery AS s WHERE s.delivery_id = r.settled_by AND s.state = 'accepted')
ORDER BY object_id, f.code
