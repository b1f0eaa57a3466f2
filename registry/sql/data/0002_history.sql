-- History as deliveries: every write has an instant of its own, can be reviewed before it counts, and can be taken back.

ALTER TABLE registry.delivery
    ADD COLUMN action text NOT NULL DEFAULT 'import',
    ADD COLUMN state text NOT NULL DEFAULT 'accepted',
    ADD COLUMN applied_at timestamptz DEFAULT now(),
    ADD COLUMN valid_from date,
    ADD COLUMN reference_day date,
    ADD COLUMN moved_m double precision,
    ADD COLUMN requested_crs text,
    ADD COLUMN accepted_classes text[],
    ADD COLUMN follows text,
    ADD COLUMN undoes text[],
    ADD COLUMN reason text,
    ADD COLUMN registry_version bigint,
    ALTER COLUMN file_name DROP NOT NULL,
    ALTER COLUMN file_sha256 DROP NOT NULL,
    ALTER COLUMN file_bytes DROP NOT NULL,
    DROP CONSTRAINT delivery_of_the_same_content_is_taken_once,
    ADD CONSTRAINT delivery_action_is_listed CHECK (action IN (
        'import', 'retry', 'correct', 'split', 'merge', 'redraw', 'retire', 'replace', 'undo'
    )),
    ADD CONSTRAINT delivery_state_is_listed CHECK (state IN ('pending', 'accepted', 'declined', 'undone')),
    ADD CONSTRAINT delivery_has_an_instant_unless_it_waits CHECK ((applied_at IS NULL) = (state IN ('pending', 'declined'))),
    ADD CONSTRAINT delivery_follows_a_delivery FOREIGN KEY (follows) REFERENCES registry.delivery (delivery_id);
UPDATE registry.delivery SET applied_at = received_at;
CREATE UNIQUE INDEX delivery_of_the_same_content_is_taken_once ON registry.delivery (content_key)
    WHERE state IN ('pending', 'accepted');
CREATE UNIQUE INDEX delivery_has_an_instant_of_its_own ON registry.delivery (applied_at);
COMMENT ON COLUMN registry.delivery.action IS 'What was done: a file imported, held-back rows tried again, a correction by hand, a change of lineage, an undo.';
COMMENT ON COLUMN registry.delivery.state IS 'pending: waits for review; accepted: counts; declined: was refused; undone: counted once and was taken back.';
COMMENT ON COLUMN registry.delivery.applied_at IS 'Instant from which this counts: the lower end of recorded of what it wrote, the upper end of what it superseded; empty while it waits.';
COMMENT ON COLUMN registry.delivery.valid_from IS 'Day from which its changes are true in the ground; empty where they correct what was true all along.';
COMMENT ON COLUMN registry.delivery.reference_day IS 'Day that the rows speak of: their values are compared with what was true on it.';
COMMENT ON COLUMN registry.delivery.moved_m IS 'Distance from which a changed course counts as moved. [m]';
COMMENT ON COLUMN registry.delivery.requested_crs IS 'CRS that was named for the file; empty where the file said it.';
COMMENT ON COLUMN registry.delivery.accepted_classes IS 'Classes of change that were accepted; empty where all were.';
COMMENT ON COLUMN registry.delivery.follows IS 'Delivery whose held-back rows this one tries again.';
COMMENT ON COLUMN registry.delivery.undoes IS 'Deliveries that an undo takes back, with those that build on them.';
COMMENT ON COLUMN registry.delivery.reason IS 'Why, in the words of the actor.';
COMMENT ON COLUMN registry.delivery.registry_version IS 'Version of the registry that it made.';

CREATE TABLE registry.delivered_file (
    file_sha256 text NOT NULL,
    part_name text NOT NULL,
    chunk integer NOT NULL,
    size_bytes integer NOT NULL,
    compressed bytea NOT NULL,
    CONSTRAINT delivered_file_chunk_is_kept_once PRIMARY KEY (file_sha256, part_name, chunk)
);
ALTER TABLE registry.delivered_file ALTER COLUMN compressed SET STORAGE EXTERNAL;
COMMENT ON TABLE registry.delivered_file IS 'The delivered files themselves, in compressed chunks, once for each content.';
COMMENT ON COLUMN registry.delivered_file.file_sha256 IS 'SHA-256 of the delivery, over all of its parts.';
COMMENT ON COLUMN registry.delivered_file.part_name IS 'Name of the file; a shapefile and a folder have several.';
COMMENT ON COLUMN registry.delivered_file.chunk IS 'Number of the chunk in the part, from 0.';
COMMENT ON COLUMN registry.delivered_file.size_bytes IS 'Size of the chunk before compression.';
COMMENT ON COLUMN registry.delivered_file.compressed IS 'Zstandard frame of up to four million bytes of the part.';

CREATE TABLE registry.change (
    delivery_id text NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    class text NOT NULL,
    column_name text NOT NULL DEFAULT '',
    old_value text,
    new_value text,
    moved_m double precision,
    CONSTRAINT change_is_named_once PRIMARY KEY (delivery_id, object_id, column_name),
    CONSTRAINT change_belongs_to_a_delivery FOREIGN KEY (delivery_id) REFERENCES registry.delivery (delivery_id),
    CONSTRAINT change_class_is_listed CHECK (class IN ('added', 'changed', 'moved', 'reopened', 'gone'))
);
COMMENT ON TABLE registry.change IS 'Change report of a delivery that waited for review: what it would change, value by value.';
COMMENT ON COLUMN registry.change.class IS 'added, changed, moved (course off by more than the distance of the delivery), reopened (was closed before), gone (known, but not in the delivery).';
COMMENT ON COLUMN registry.change.column_name IS 'Attribute that differs; geometry for a course; empty for rows that are added, reopened or gone.';
COMMENT ON COLUMN registry.change.moved_m IS 'Largest distance between the old and the new course. [m]';

CREATE TABLE registry.segment_lineage (
    parent_id text COLLATE "C" NOT NULL,
    child_id text COLLATE "C" NOT NULL,
    relation text NOT NULL,
    happened_on date NOT NULL,
    parent_from_m double precision,
    parent_to_m double precision,
    child_from_m double precision,
    child_to_m double precision,
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT lineage_relation_is_listed CHECK (relation IN ('split', 'merge', 'replace')),
    CONSTRAINT lineage_leads_to_another_segment CHECK (parent_id <> child_id),
    CONSTRAINT lineage_was_known_for_some_time CHECK (NOT isempty(recorded))
);
CREATE INDEX lineage_is_found_by_parent ON registry.segment_lineage (parent_id);
CREATE INDEX lineage_is_found_by_child ON registry.segment_lineage (child_id);
COMMENT ON TABLE registry.segment_lineage IS 'Which segment became which: split, merged, or replaced by a new pipe.';
COMMENT ON COLUMN registry.segment_lineage.happened_on IS 'Day of the change in the ground.';
COMMENT ON COLUMN registry.segment_lineage.parent_from_m IS 'Part of the parent that the child continues: its beginning along the parent. [m]';
COMMENT ON COLUMN registry.segment_lineage.parent_to_m IS 'End of that part along the parent. [m]';
COMMENT ON COLUMN registry.segment_lineage.child_from_m IS 'Where that part begins along the child. [m]';
COMMENT ON COLUMN registry.segment_lineage.child_to_m IS 'Where that part ends along the child; before its beginning where the child runs the other way. [m]';
COMMENT ON COLUMN registry.segment_lineage.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.segment_lineage.delivery_id IS 'Delivery that wrote this.';

ALTER TABLE registry.held_row
    ADD COLUMN object_id text,
    ADD COLUMN fixes jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN settled_by text,
    ADD CONSTRAINT held_row_is_settled_by_a_delivery FOREIGN KEY (settled_by) REFERENCES registry.delivery (delivery_id);
COMMENT ON COLUMN registry.held_row.object_id IS 'Id that the row gives its object; empty where it has none or one that another row has.';
COMMENT ON COLUMN registry.held_row.fixes IS 'Values that were mended in place, by heading of the file; tried with the next retry.';
COMMENT ON COLUMN registry.held_row.settled_by IS 'Delivery that took the mended row in, or a later row of the same id; empty while it is held back.';
