SELECT delivery_id AS row_id FROM registry.delivery
WHERE rows_accepted + rows_held <> rows_read OR rows_added + rows_changed + rows_unchanged <> rows_accepted
