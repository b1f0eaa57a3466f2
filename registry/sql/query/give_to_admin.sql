-- Let the role admin own the registry, so that its members may do what only an owner may: migrate, load by COPY.
DO $$
DECLARE
    admin constant text := current_setting('digonce.role_admin');
    held record;
BEGIN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', current_database(), admin);
    FOR held IN
        SELECT format('ALTER SCHEMA %I OWNER TO %I', n.nspname, admin) AS statement
        FROM pg_namespace AS n
        WHERE n.nspname IN ('registry', 'registry_app') AND pg_get_userbyid(n.nspowner) <> admin
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO %I', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
                      c.oid::regclass, admin)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('registry', 'registry_app') AND c.relkind IN ('r', 'v')
          AND pg_get_userbyid(c.relowner) <> admin
        UNION ALL
        SELECT format('ALTER FUNCTION %s OWNER TO %I', p.oid::regprocedure, admin)
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname IN ('registry', 'registry_app') AND pg_get_userbyid(p.proowner) <> admin
    LOOP
        EXECUTE held.statement;
    END LOOP;
END
$$;
