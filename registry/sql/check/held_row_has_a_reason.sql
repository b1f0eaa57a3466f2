-- A held-back row without a reason, or a reason without its row.
SELECT coalesce(h.delivery_id, f.delivery_id) || ' ' || coalesce(h.row_number, f.row_number) AS row_id
FROM registry.held_row AS h
FULL JOIN (SELECT DISTINCT delivery_id, row_number FROM registry.held_fault) AS f USING (delivery_id, row_number)
WHERE h.row_number IS NULL OR f.row_number IS NULL
