SELECT p.oid::regprocedure::text AS name, p.pronamespace::regnamespace::text AS parent,
       CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END AS definition,
       NULL AS mend_absent, NULL AS mend_changed
FROM pg_proc AS p
WHERE p.pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
