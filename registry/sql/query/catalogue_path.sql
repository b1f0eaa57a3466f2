-- Names of our schemas are written out, those of extensions are not, wherever a server keeps them.
SELECT set_config('search_path', concat_ws(', ', 'pg_catalog', string_agg(DISTINCT quote_ident(n.nspname), ', ')), true)
FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
