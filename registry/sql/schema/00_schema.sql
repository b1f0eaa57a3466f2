SELECT nspname AS name, NULL AS parent, '' AS definition, 'digonce db migrate' AS mend_absent, NULL AS mend_changed
FROM pg_namespace
WHERE nspname IN ('registry', 'registry_app')
