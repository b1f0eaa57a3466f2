-- rows that a retry holds back again stay with the delivery that they came with
SELECT d.delivery_id AS row_id FROM registry.delivery AS d
LEFT JOIN (
    SELECT delivery_id, count(*) AS row_count FROM registry.held_row GROUP BY delivery_id
) AS h USING (delivery_id)
WHERE d.action <> 'retry' AND d.rows_held <> coalesce(h.row_count, 0)
