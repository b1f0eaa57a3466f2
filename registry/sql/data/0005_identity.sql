-- Segments that are delivered under other ids: in the change report, in the lineage, and as decisions of their own.

ALTER TABLE registry.change
    ADD COLUMN known_id text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN relation text,
    ADD COLUMN probability double precision,
    ADD COLUMN reason text,
    ADD COLUMN settled_by text,
    DROP CONSTRAINT change_is_named_once,
    DROP CONSTRAINT change_class_is_listed,
    ADD CONSTRAINT change_is_named_once PRIMARY KEY (delivery_id, object_id, column_name, known_id),
    ADD CONSTRAINT change_class_is_listed CHECK (class IN (
        'added', 'changed', 'moved', 'reopened', 'renumbered', 'split', 'merged', 'doubtful', 'gone'
    )),
    ADD CONSTRAINT change_relation_is_listed CHECK (relation IN ('same', 'renumbered', 'split', 'merged', 'moved')),
    ADD CONSTRAINT change_probability_is_a_share CHECK (probability BETWEEN 0 AND 1),
    ADD CONSTRAINT change_is_settled_by_a_delivery FOREIGN KEY (settled_by) REFERENCES registry.delivery (delivery_id);
COMMENT ON COLUMN registry.change.class IS 'added, changed, moved (course off by more than the distance of the delivery), reopened (was closed before), renumbered, split, merged (known under other ids), doubtful (a person decides), gone (known, but not in the delivery).';
COMMENT ON COLUMN registry.change.known_id IS 'Id that the object had before, where it is known under another one or may be; else empty text.';
COMMENT ON COLUMN registry.change.relation IS 'What became of the known object, where its id is in doubt or was left.';
COMMENT ON COLUMN registry.change.probability IS 'Probability that the two ids stand for one object or a piece of it.';
COMMENT ON COLUMN registry.change.reason IS 'Code of the words that say why a person should decide.';
COMMENT ON COLUMN registry.change.settled_by IS 'Delivery with which a doubtful object was decided; empty while it waits.';

ALTER TABLE registry.segment_lineage
    DROP CONSTRAINT lineage_relation_is_listed,
    ADD CONSTRAINT lineage_relation_is_listed CHECK (relation IN ('split', 'merge', 'replace', 'renumber'));
COMMENT ON TABLE registry.segment_lineage IS 'Which segment became which: split, merged, replaced by a new pipe, or the same pipe under a new id.';

ALTER TABLE registry.delivery
    DROP CONSTRAINT delivery_action_is_listed,
    ADD CONSTRAINT delivery_action_is_listed CHECK (action IN (
        'import', 'retry', 'correct', 'split', 'merge', 'redraw', 'retire', 'replace', 'undo', 'decide'
    ));
COMMENT ON COLUMN registry.delivery.follows IS 'Delivery whose held-back rows this one tries again, or whose doubtful objects it decides.';
