-- Enumerations, domains and ranges; the row types of tables come with them.
SELECT t.oid::regtype::text AS name, t.typnamespace::regnamespace::text AS parent,
       concat_ws(' ', t.typtype, CASE WHEN t.typbasetype <> 0 THEN format_type(t.typbasetype, t.typtypmod) END,
                 CASE WHEN t.typnotnull THEN 'NOT NULL' END,
                 (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                  FROM pg_enum AS e WHERE e.enumtypid = t.oid)) AS definition,
       NULL AS mend_absent, NULL AS mend_changed
FROM pg_type AS t
WHERE t.typnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
  AND t.typtype IN ('e', 'd', 'r')
