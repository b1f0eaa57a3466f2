SELECT d.kind, f.code, count(*) AS row_count, coalesce(sum(r.length_m), 0)::double precision AS length_m
FROM registry.held_row AS r
JOIN registry.delivery AS d USING (delivery_id)
LEFT JOIN registry.delivery AS s ON s.delivery_id = r.settled_by AND s.state = 'accepted'
    AND (%(known_at)s::timestamptz IS NULL OR s.applied_at <= %(known_at)s)
JOIN LATERAL (
    SELECT code FROM registry.held_fault AS h
    WHERE h.delivery_id = r.delivery_id AND h.row_number = r.row_number
    ORDER BY h.column_name, h.code LIMIT 1
) AS f ON true
WHERE s.delivery_id IS NULL AND d.state IN ('accepted', 'pending')
  AND (%(known_at)s::timestamptz IS NULL OR d.received_at <= %(known_at)s)
GROUP BY d.kind, f.code
ORDER BY d.kind, f.code
