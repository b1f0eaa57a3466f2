-- Types of columns, whatever their order: it depends on the way by which a schema came about.
SELECT format('%s.%I', a.attrelid::regclass, a.attname) AS name, a.attrelid::regclass::text AS parent,
       made.type AS definition,
       concat_ws(' ', format('ALTER TABLE %s ADD COLUMN %I %s', a.attrelid::regclass, a.attname, made.type),
                 CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                 CASE WHEN a.attgenerated = '' THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END) AS mend_absent,
       -- views that read the column stand in the way of another type
       format('DROP SCHEMA registry_app CASCADE; ALTER TABLE %s ALTER COLUMN %I TYPE %s -- then: digonce db migrate',
              a.attrelid::regclass, a.attname, made.type) AS mend_changed
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
CROSS JOIN LATERAL (
    SELECT concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                     CASE WHEN a.attcollation <> t.typcollation
                          THEN 'COLLATE ' || (SELECT quote_ident(collname) FROM pg_collation WHERE oid = a.attcollation)
                     END,
                     CASE WHEN a.attidentity <> '' THEN 'GENERATED ALWAYS AS IDENTITY' END,
                     CASE WHEN a.attgenerated <> ''
                          THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid)) END) AS type
) AS made
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
  AND c.relkind IN ('r', 'p', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
