SELECT d.kind, f.code, count(*) AS row_count, coalesce(sum(r.length_m), 0)::double precision AS length_m
FROM registry.held_row AS r
JOIN registry.delivery AS d USING (delivery_id)
JOIN LATERAL (
    SELECT code FROM registry.held_fault AS h
    WHERE h.delivery_id = r.delivery_id AND h.row_number = r.row_number
    ORDER BY h.column_name, h.code LIMIT 1
) AS f ON true
WHERE %s::timestamptz IS NULL OR d.received_at <= %s
GROUP BY d.kind, f.code
ORDER BY d.kind, f.code
