-- Who may do what; owners differ from server to server.
WITH held AS (
    SELECT c.oid::regclass::text AS object, c.relowner AS owner,
           coalesce(c.relacl, acldefault((CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", c.relowner)) AS rights
    FROM pg_class AS c
    WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
      AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
    UNION ALL
    SELECT format('%s.%I', a.attrelid::regclass, a.attname), c.relowner, a.attacl
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
  AND a.attacl IS NOT NULL
    UNION ALL
    SELECT p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc AS p
    WHERE p.pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
    UNION ALL
    SELECT n.nspname, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
    FROM pg_namespace AS n
    WHERE n.nspname IN ('registry', 'registry_app')
)
SELECT format('%s on %s to %s', granted.privilege_type, held.object, named.grantee) AS name, held.object AS parent,
       CASE WHEN bool_or(granted.is_grantable) THEN 'with grant option' ELSE '' END AS definition,
       'digonce db migrate' AS mend_absent, 'digonce db migrate' AS mend_changed
FROM held
CROSS JOIN LATERAL aclexplode(held.rights) AS granted
CROSS JOIN LATERAL (
    SELECT CASE granted.grantee WHEN 0 THEN 'PUBLIC' WHEN held.owner THEN '<owner>'
                ELSE pg_get_userbyid(granted.grantee)::text END AS grantee
) AS named
GROUP BY granted.privilege_type, held.object, named.grantee
