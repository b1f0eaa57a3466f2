-- Every geometry column, with the first column of its table to name a row by.
SELECT g.f_table_name AS table, g.f_geometry_column AS geometry,
       (SELECT attname FROM pg_attribute
        WHERE attrelid = format('registry.%I', g.f_table_name)::regclass AND attnum > 0 AND NOT attisdropped
        ORDER BY attnum LIMIT 1) AS id
FROM geometry_columns AS g
JOIN pg_class AS c ON c.oid = format('registry.%I', g.f_table_name)::regclass AND c.relkind = 'r'
WHERE g.f_table_schema = 'registry'
ORDER BY 1, 2
