-- Tables, with what is set on each as a whole.
SELECT c.oid::regclass::text AS name, c.relnamespace::regnamespace::text AS parent,
       concat_ws(', ', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
                 CASE WHEN c.relrowsecurity THEN 'row security' END,
                 CASE WHEN c.relforcerowsecurity THEN 'forced' END,
                 array_to_string(c.reloptions, ', ')) AS definition,
       NULL AS mend_absent, NULL AS mend_changed
FROM pg_class AS c
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
  AND c.relkind IN ('r', 'p', 'f')
