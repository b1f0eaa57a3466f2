-- Policies of row-level security.
SELECT format('%s.%I', p.polrelid::regclass, p.polname) AS name, p.polrelid::regclass::text AS parent,
       concat_ws(' ', p.polcmd, CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
                 'to ' || (
                     SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(role)::text END, ', ' ORDER BY 1)
                     FROM unnest(p.polroles) AS role
                 ),
                 'using ' || pg_get_expr(p.polqual, p.polrelid),
                 'with check ' || pg_get_expr(p.polwithcheck, p.polrelid)) AS definition,
       'digonce db migrate' AS mend_absent, 'digonce db migrate' AS mend_changed
FROM pg_policy AS p
JOIN pg_class AS c ON c.oid = p.polrelid
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
