-- The extensions that the schema is built on, in the versions that the server has.
SELECT quote_ident(extname) AS name, NULL AS parent, extversion AS definition,
       format('CREATE EXTENSION %I', extname) AS mend_absent,
       CASE extname WHEN 'postgis' THEN 'SELECT postgis_extensions_upgrade()'
                    ELSE format('ALTER EXTENSION %I UPDATE', extname) END AS mend_changed
FROM pg_extension
WHERE extname IN ('postgis', 'btree_gist')
