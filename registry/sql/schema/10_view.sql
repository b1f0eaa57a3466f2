-- Views, their lines in order of the alphabet: `table.*` lists columns in the order in which the table has them.
SELECT c.oid::regclass::text AS name, c.relnamespace::regnamespace::text AS parent,
       concat_ws(E'\n', array_to_string(c.reloptions, ', '), (
           SELECT string_agg(tidy.line, E'\n' ORDER BY tidy.line)
           FROM regexp_split_to_table(pg_get_viewdef(c.oid), E'\n') AS split (line)
           CROSS JOIN LATERAL (
               SELECT regexp_replace(split.line, '^\s*(SELECT )?\s*|[,;]?\s*$', '', 'g') AS line
           ) AS tidy
       )) AS definition,
       NULL AS mend_absent, NULL AS mend_changed
FROM pg_class AS c
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
  AND c.relkind IN ('v', 'm')
