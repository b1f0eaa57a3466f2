SELECT coalesce({id}::text, 'no id') AS row_id FROM {table}
WHERE ST_SRID({geometry}) <> (SELECT srid FROM registry.info)
