SELECT format('%s.%I', t.tgrelid::regclass, t.tgname) AS name, t.tgrelid::regclass::text AS parent,
       pg_get_triggerdef(t.oid) || CASE WHEN t.tgenabled = 'O' THEN '' ELSE format(' (%s)', t.tgenabled) END
           AS definition,
       pg_get_triggerdef(t.oid) AS mend_absent,
       format('DROP TRIGGER %1$I ON %2$s; %3$s; ALTER TABLE %2$s ENABLE TRIGGER %1$I', t.tgname, t.tgrelid::regclass,
              pg_get_triggerdef(t.oid)) AS mend_changed
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('registry', 'registry_app'))
  AND NOT t.tgisinternal
