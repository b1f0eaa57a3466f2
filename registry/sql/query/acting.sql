-- Who this session is, whether it may act as the owner of the registry, and which roles of the registry it has.
-- The roles are those of the owner of the schema: a database that was renamed keeps them until the next migrate.
SELECT session_user::text, pg_has_role(session_user, n.nspowner, 'MEMBER'), pg_get_userbyid(n.nspowner)::text,
       ARRAY(
           SELECT r.rolname::text FROM pg_roles AS r
           WHERE r.rolname ~ '_(reader|planner|editor|admin)$' AND pg_has_role(session_user, r.oid, 'MEMBER')
       )
FROM pg_namespace AS n
WHERE n.nspname = 'registry'
