-- Comments on everything in our two schemas, and on the schemas.
SELECT found.type || ' ' || found.identity AS name,
       CASE WHEN c.oid IS NOT NULL AND d.objsubid > 0 THEN found.identity
            WHEN c.oid IS NOT NULL THEN c.oid::regclass::text
            WHEN d.classoid = 'pg_proc'::regclass THEN d.objoid::regprocedure::text
            WHEN d.classoid = 'pg_namespace'::regclass THEN found.identity END AS parent,
       d.description AS definition, mend.statement AS mend_absent, mend.statement AS mend_changed
FROM pg_description AS d
CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS found
LEFT JOIN pg_class AS c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid
CROSS JOIN LATERAL (
    SELECT CASE WHEN found.schema = 'registry_app' THEN NULL
                ELSE format('COMMENT ON %s %s IS %L',
                            CASE WHEN found.type LIKE '% column' THEN 'COLUMN'
                                 WHEN found.type LIKE '% constraint' THEN 'CONSTRAINT' ELSE upper(found.type) END,
                            found.identity, d.description) END AS statement
) AS mend
WHERE d.classoid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass, 'pg_type'::regclass,
                     'pg_constraint'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass)
  AND (found.schema IN ('registry', 'registry_app')
       OR found.type = 'schema' AND found.identity IN ('registry', 'registry_app')
       OR found.identity ~ ' on registry(_app)?\.')
