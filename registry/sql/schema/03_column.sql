-- Columns, whatever their order: it depends on the way by which a schema came about.
SELECT format('%s.%I', a.attrelid::regclass, a.attname) AS name, a.attrelid::regclass::text AS parent,
       made.definition,
       format('ALTER TABLE %s ADD COLUMN %I %s', a.attrelid::regclass, a.attname, made.definition) AS mend_absent,
       format('ALTER TABLE %s ALTER COLUMN %I TYPE %s, ALTER COLUMN %2$I %s NOT NULL%s', a.attrelid::regclass,
              a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'SET' ELSE 'DROP' END,
              CASE WHEN a.attgenerated <> '' THEN ''
                   WHEN d.adbin IS NULL THEN format(', ALTER COLUMN %I DROP DEFAULT', a.attname)
                   ELSE format(', ALTER COLUMN %I SET DEFAULT %s', a.attname, pg_get_expr(d.adbin, d.adrelid)) END
       ) AS mend_changed
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
CROSS JOIN LATERAL (
    SELECT concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                     CASE WHEN a.attcollation <> t.typcollation
                          THEN 'COLLATE ' || (SELECT quote_ident(collname) FROM pg_collation WHERE oid = a.attcollation)
                     END,
                     CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                     CASE WHEN a.attidentity <> '' THEN 'GENERATED ALWAYS AS IDENTITY' END,
                     CASE WHEN a.attgenerated <> ''
                          THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
                          ELSE 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END) AS definition
) AS made
WHERE c.relnamespace IN ('registry'::regnamespace, 'registry_app'::regnamespace) AND c.relkind IN ('r', 'p', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
