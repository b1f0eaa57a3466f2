SELECT coalesce({id}::text, 'no id') AS row_id FROM {table} WHERE NOT ST_IsValid({geometry})
