-- Give every geometry column that has no CRS yet the working CRS of this registry. Runs after the numbered migrations
-- and before registry_app is rebuilt. A generated column that reads the geometry is taken off and put back, because
-- PostgreSQL does not change the type of a column that another one is computed from.
DO $$
DECLARE
    working_srid integer := (SELECT srid FROM registry.info);
    held record;
    derived record;
    restore text;
BEGIN
    FOR held IN
        SELECT f_table_name AS table_name, type AS geometry_type,
               format('registry.%I', f_table_name)::regclass AS relation
        FROM public.geometry_columns
        WHERE f_table_schema = 'registry' AND srid = 0
    LOOP
        restore := '';
        FOR derived IN
            SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type_name,
                   pg_get_expr(d.adbin, d.adrelid) AS expression,
                   col_description(a.attrelid, a.attnum) AS remark
            FROM pg_attribute AS a JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = held.relation AND a.attgenerated = 's' AND NOT a.attisdropped
        LOOP
            EXECUTE format('ALTER TABLE %s DROP COLUMN %I', held.relation, derived.attname);
            restore := restore || format(
                'ALTER TABLE %s ADD COLUMN %I %s GENERATED ALWAYS AS (%s) STORED; COMMENT ON COLUMN %s.%I IS %L;',
                held.relation, derived.attname, derived.type_name, derived.expression,
                held.relation, derived.attname, derived.remark
            );
        END LOOP;
        EXECUTE format(
            'ALTER TABLE %s ALTER COLUMN geom TYPE geometry(%s, %s) USING ST_SetSRID(geom, %s)',
            held.relation, held.geometry_type, working_srid, working_srid
        );
        EXECUTE restore;
    END LOOP;
END
$$;
