-- Functions of the registry that are not tied to one kind.

CREATE FUNCTION registry_app.take_indexes_off(version_table regclass) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    definitions text[] := '{}';
    held record;
BEGIN
    FOR held IN
        SELECT i.indexrelid::regclass AS index_name, pg_get_indexdef(i.indexrelid) AS definition
        FROM pg_index AS i
            INNER JOIN pg_class AS c ON c.oid = i.indexrelid
            INNER JOIN pg_am AS a ON a.oid = c.relam
        WHERE i.indrelid = version_table
          AND NOT EXISTS (SELECT FROM pg_constraint AS t WHERE t.conindid = i.indexrelid)
        -- those of space take longest, by one processor: whatever the caller does beside them costs nothing
        ORDER BY a.amname <> 'gist', c.relname
    LOOP
        definitions := definitions || held.definition;
        EXECUTE format('DROP INDEX %s', held.index_name);
    END LOOP;
    RETURN definitions;
END
$$;
COMMENT ON FUNCTION registry_app.take_indexes_off(regclass) IS
    'Drop the plain indexes of an empty table before a bulk load and return how to make them again: building afterwards is faster.';

CREATE FUNCTION registry_app.fix_defaults(loaded_table regclass) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    definitions text[] := '{}';
    held record;
    fixed text;
BEGIN
    FOR held IN
        SELECT a.attname AS column_name, pg_get_expr(d.adbin, d.adrelid) AS expression
        FROM pg_attrdef AS d
            INNER JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE d.adrelid = loaded_table AND a.attgenerated = ''
        ORDER BY a.attnum
    LOOP
        EXECUTE format('SELECT (%s)::text', held.expression) INTO fixed;
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %L', loaded_table, held.column_name, fixed);
        definitions := definitions
            || format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', loaded_table, held.column_name, held.expression);
    END LOOP;
    RETURN definitions;
END
$$;
COMMENT ON FUNCTION registry_app.fix_defaults(regclass) IS
    'Put what each default says in this transaction in its place and return how to make it as it was: a bulk load then computes it once, not for each row. Not for defaults that differ from row to row; our tables have none.';

CREATE FUNCTION registry_app.state_hash() RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    held record;
    row_count bigint;
    row_sum numeric;
    seen text := '';
BEGIN
    FOR held IN
        SELECT c.table_name, string_agg(quote_ident(c.column_name), ', ' ORDER BY c.column_name) AS column_names
        FROM information_schema.columns AS c
        WHERE c.table_schema = 'registry' AND c.table_name LIKE '%\_version'
          AND c.column_name NOT IN ('recorded', 'delivery_id')
        GROUP BY c.table_name
        ORDER BY c.table_name
    LOOP
        EXECUTE format(
            'SELECT count(*), coalesce(sum(hashtextextended(ROW(%s)::text, 0)), 0) FROM registry.%I WHERE upper_inf(recorded)',
            held.column_names, held.table_name
        ) INTO row_count, row_sum;
        seen := seen || held.table_name || ':' || row_count || ':' || row_sum || ';';
    END LOOP;
    RETURN md5(seen);
END
$$;
COMMENT ON FUNCTION registry_app.state_hash() IS
    'One hash over what is true now for every valid day, whatever the order of the rows and whoever delivered them.';

CREATE FUNCTION registry_app.row_counts() RETURNS TABLE (table_name text, row_count bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'registry' AND c.relkind = 'r' AND c.relname <> 'migration'
        ORDER BY c.relname
    LOOP
        RETURN QUERY EXECUTE format('SELECT %L::text, count(*) FROM registry.%I', held.relname, held.relname);
    END LOOP;
END
$$;
COMMENT ON FUNCTION registry_app.row_counts() IS 'Rows of every table of the registry.';
