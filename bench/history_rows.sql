-- History by a trigger for each row, with the table, indexes and constraints of ours: who updates a row of the view ends
-- what was known of it and puts in what is known from now on; an equal row changes nothing.
CREATE TABLE rowwise_version (LIKE registry.segment_version INCLUDING ALL);
INSERT INTO rowwise_version SELECT * FROM registry.segment_version WHERE upper_inf(recorded);
CREATE VIEW rowwise AS SELECT * FROM rowwise_version WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NULL;
    END IF;
    UPDATE rowwise_version SET recorded = tstzrange(lower(recorded), now())
    WHERE segment_id = OLD.segment_id AND upper_inf(recorded) AND upper_inf(valid);
    NEW.recorded := tstzrange(now(), NULL);
    NEW.delivery_id := 'rowwise';
    INSERT INTO rowwise_version SELECT NEW.*;
    RETURN NEW;
END
$$;
CREATE TRIGGER keeps_history INSTEAD OF UPDATE ON rowwise FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE FUNCTION loop_rowwise(new_owner text, new_remark text, tenth integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    known record;
BEGIN
    FOR known IN SELECT * FROM rowwise ORDER BY segment_id LOOP
        IF substr(known.segment_id, 5)::integer % 10 = tenth THEN
            known.owner := new_owner;
            known.remark := new_remark;
        END IF;
        UPDATE rowwise SET owner = known.owner, remark = known.remark, geom = known.geom, material = known.material
        WHERE segment_id = known.segment_id;
    END LOOP;
END
$$;
ANALYZE rowwise_version;
