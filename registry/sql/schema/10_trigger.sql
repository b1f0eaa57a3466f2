SELECT format('%s.%I', t.tgrelid::regclass, t.tgname) AS name, t.tgrelid::regclass::text AS parent,
       pg_get_triggerdef(t.oid) || CASE WHEN t.tgenabled = 'O' THEN '' ELSE format(' (%s)', t.tgenabled) END AS definition,
       pg_get_triggerdef(t.oid) AS mend_absent,
       format('DROP TRIGGER %I ON %s; %s; ALTER TABLE %2$s ENABLE TRIGGER %1$I', t.tgname, t.tgrelid::regclass,
              pg_get_triggerdef(t.oid)) AS mend_changed
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace IN ('registry'::regnamespace, 'registry_app'::regnamespace) AND NOT t.tgisinternal
