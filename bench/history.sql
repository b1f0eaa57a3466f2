-- The peers of the history benchmark: a plain table, and the usual history by a trigger for each row.
CREATE TABLE plain_read AS
    SELECT row.*, ST_Length(row.geom) AS length_m
    FROM registry.segment_version AS row WHERE upper_inf(row.recorded);
ALTER TABLE plain_read DROP COLUMN valid, DROP COLUMN recorded, ADD PRIMARY KEY (segment_id);
CREATE TABLE triggered AS SELECT * FROM plain_read;
ALTER TABLE triggered ADD PRIMARY KEY (segment_id);
CREATE TABLE triggered_history AS SELECT *, now() AS replaced_at FROM triggered LIMIT 0;
CREATE INDEX ON triggered_history (segment_id);
CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO triggered_history SELECT OLD.*, now();
    RETURN NEW;
END
$$;
CREATE TRIGGER keeps_history BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION keep_history();
-- row by row, as an importer does that sends one statement for each row
CREATE FUNCTION change_by_trigger() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changed record;
BEGIN
    FOR changed IN SELECT segment_id FROM triggered LOOP
        UPDATE triggered SET owner = 'other', remark = 'other' WHERE segment_id = changed.segment_id;
    END LOOP;
END
$$;
ANALYZE plain_read;
ANALYZE triggered;
