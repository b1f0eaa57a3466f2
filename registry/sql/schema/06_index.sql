-- Indexes that belong to no constraint.
SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS parent,
       pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END AS definition,
       pg_get_indexdef(i.indexrelid) AS mend_absent,
       format('DROP INDEX %s; %s', i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)) AS mend_changed
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
  AND NOT EXISTS (SELECT FROM pg_constraint AS made WHERE made.conindid = i.indexrelid)
