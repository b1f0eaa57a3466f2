-- Rows of a delivery that waits are kept as they were compared, so that accepting it reads no file; and the constraint
-- that keeps the past from overlapping looks at a number before it looks at a text, which GiST compares much faster.

CREATE TABLE registry.waiting_part (
    delivery_id text NOT NULL,
    part_name text NOT NULL,
    chunk integer NOT NULL,
    size_bytes integer NOT NULL,
    compressed bytea NOT NULL,
    compared_at bigint NOT NULL,
    column_names text[] NOT NULL,
    CONSTRAINT waiting_chunk_is_kept_once PRIMARY KEY (delivery_id, part_name, chunk),
    CONSTRAINT waiting_part_belongs_to_a_delivery FOREIGN KEY (delivery_id) REFERENCES registry.delivery (delivery_id)
);
ALTER TABLE registry.waiting_part ALTER COLUMN compressed SET STORAGE EXTERNAL;
ALTER TABLE registry.waiting_part ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.waiting_part IS 'Rows of deliveries that wait for review, as they were compared with what was known; gone once it is settled.';
COMMENT ON COLUMN registry.waiting_part.part_name IS 'rows: those that differ; verdicts: their classes and those of what is gone; ids: all delivered ids.';
COMMENT ON COLUMN registry.waiting_part.chunk IS 'Number of the chunk in the part, from 0.';
COMMENT ON COLUMN registry.waiting_part.size_bytes IS 'Size of the chunk before compression.';
COMMENT ON COLUMN registry.waiting_part.compressed IS 'Zstandard frame of a piece of a binary COPY of these columns.';
COMMENT ON COLUMN registry.waiting_part.compared_at IS 'Version of the registry that they were compared with.';
COMMENT ON COLUMN registry.waiting_part.column_names IS 'Columns of the rows in their order.';

DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT c.conname AS name, c.conrelid::regclass AS version_table, a.attname AS id
        FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'x' AND c.connamespace = 'registry'::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', held.version_table, held.name);
        EXECUTE format(
            'ALTER TABLE %s ADD CONSTRAINT %I EXCLUDE USING gist (hashtextextended(%3$I, 0) WITH =, %3$I WITH =, '
            'valid WITH &&, recorded WITH &&) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))',
            held.version_table, held.name, held.id
        );
    END LOOP;
END
$$;
