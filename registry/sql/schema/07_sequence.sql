SELECT c.oid::regclass::text AS name, c.relnamespace::regnamespace::text AS parent,
       format('%s from %s by %s', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement) AS definition,
       format('CREATE SEQUENCE %s', c.oid::regclass) AS mend_absent, NULL AS mend_changed
FROM pg_sequence AS s
JOIN pg_class AS c ON c.oid = s.seqrelid
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
