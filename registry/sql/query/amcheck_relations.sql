-- What amcheck can read: tables and their B-tree indexes.
SELECT c.oid::regclass::text AS name, c.relkind = 'r' AS is_table
FROM pg_class AS c
LEFT JOIN pg_am AS a ON a.oid = c.relam
WHERE c.relnamespace = 'registry'::regnamespace AND (c.relkind = 'r' OR c.relkind = 'i' AND a.amname = 'btree')
ORDER BY is_table DESC, name
