-- Whether a column must have a value, and which it takes where none is given.
SELECT format('%s.%I NOT NULL', a.attrelid::regclass, a.attname) AS name,
       format('%s.%I', a.attrelid::regclass, a.attname) AS parent,
       CASE WHEN a.attnotnull THEN 'required' ELSE 'optional' END AS definition, NULL AS mend_absent,
       format('ALTER TABLE %s ALTER COLUMN %I %s NOT NULL', a.attrelid::regclass, a.attname,
              CASE WHEN a.attnotnull THEN 'SET' ELSE 'DROP' END) AS mend_changed
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
  AND c.relkind IN ('r', 'p', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT format('%s.%I DEFAULT', a.attrelid::regclass, a.attname), format('%s.%I', a.attrelid::regclass, a.attname),
       pg_get_expr(d.adbin, d.adrelid), made.statement, made.statement
FROM pg_attrdef AS d
JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated = ''
JOIN pg_class AS c ON c.oid = d.adrelid
CROSS JOIN LATERAL (
    SELECT format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', a.attrelid::regclass, a.attname,
                  pg_get_expr(d.adbin, d.adrelid)) AS statement
) AS made
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
  AND c.relkind IN ('r', 'p', 'f')
