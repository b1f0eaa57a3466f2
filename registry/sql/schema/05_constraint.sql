-- Constraints of tables and domains.
SELECT format('%s.%I', owner.name, c.conname) AS name, owner.name AS parent, pg_get_constraintdef(c.oid) AS definition,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', owner.name, c.conname, pg_get_constraintdef(c.oid))
           AS mend_absent,
       format('ALTER TABLE %1$s DROP CONSTRAINT %2$I, ADD CONSTRAINT %2$I %3$s', owner.name, c.conname,
              pg_get_constraintdef(c.oid)) AS mend_changed
FROM pg_constraint AS c
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.conrelid <> 0 THEN c.conrelid::regclass::text ELSE c.contypid::regtype::text END AS name
) AS owner
WHERE c.connamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
  -- PostgreSQL 18 lists NOT NULL here; columns say it already
  AND c.contype NOT IN ('n', 't')
