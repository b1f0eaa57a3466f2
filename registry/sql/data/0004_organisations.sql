-- Whose a row is, who may see it, and who acts: organisations, members, and row-level security.
-- The policies and grants themselves stand in sql/app and are made anew at every migrate; here the tables are only told
-- to ask them. Nothing is FORCEd: the owner of the tables (the role admin) passes by, because PostgreSQL refuses COPY
-- into a table for those who are subject to policies, and a census of a million rows is loaded by COPY.

ALTER TABLE registry.leak_version ADD COLUMN owner text;
COMMENT ON COLUMN registry.leak_version.owner IS '权属单位: Company that answers for the leak.';
ALTER TABLE registry.valve_version ADD COLUMN owner text;
COMMENT ON COLUMN registry.valve_version.owner IS '权属单位: Company that owns the valve.';
ALTER TABLE registry.riser_group_version ADD COLUMN owner text;
COMMENT ON COLUMN registry.riser_group_version.owner IS '权属单位: Company that owns the risers.';

ALTER TABLE registry.delivery
    ADD COLUMN organisation text,
    ADD CONSTRAINT delivery_organisation_has_a_name CHECK (organisation <> '');
COMMENT ON COLUMN registry.delivery.organisation IS 'Organisation for which the actor acted; empty where for all.';
ALTER TABLE registry.held_row ADD COLUMN owner text;
COMMENT ON COLUMN registry.held_row.owner IS 'Owner that the row states; empty where none.';
ALTER TABLE registry.change ADD COLUMN owner text;
COMMENT ON COLUMN registry.change.owner IS 'Owner of the object as it is known, else as it was delivered; empty where it has none.';
ALTER TABLE registry.run
    ADD COLUMN organisation text,
    DROP CONSTRAINT run_of_a_kind_has_one_name,
    ADD CONSTRAINT run_organisation_has_a_name CHECK (organisation <> '');
CREATE UNIQUE INDEX run_of_a_kind_has_one_name ON registry.run (kind, name, coalesce(organisation, ''));
COMMENT ON COLUMN registry.run.organisation IS 'Organisation for which it was made, from what that one may see; empty where for all.';

CREATE TABLE registry.member (
    login text NOT NULL,
    role text NOT NULL,
    organisation text,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT member_has_one_role PRIMARY KEY (login),
    CONSTRAINT member_role_is_listed CHECK (role IN ('reader', 'planner', 'editor', 'admin')),
    CONSTRAINT member_organisation_has_a_name CHECK (organisation <> ''),
    CONSTRAINT member_admin_acts_for_all CHECK (role <> 'admin' OR organisation IS NULL)
);
COMMENT ON TABLE registry.member IS 'Database logins that may use this registry: as what and for which organisation.';
COMMENT ON COLUMN registry.member.login IS 'Login of the database; on the embedded server the user of the system.';
COMMENT ON COLUMN registry.member.role IS 'reader, planner, editor or admin; each may what the one before it may.';
COMMENT ON COLUMN registry.member.organisation IS 'Owner whose rows the member sees and writes, with those of nobody; empty where all.';
COMMENT ON COLUMN registry.member.added_by IS 'Who gave the right.';
COMMENT ON COLUMN registry.member.added_at IS 'When.';

ALTER TABLE registry.segment ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.segment_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.node ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.node_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.leak ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.leak_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.project ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.project_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.valve ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.valve_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.riser_group ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.riser_group_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.segment_lineage ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.held_row ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.held_fault ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.change ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.delivered_file ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.run ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.run_scores ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.run_leak_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.run_pairs ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.run_batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.run_batch_segments ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.member ENABLE ROW LEVEL SECURITY;
