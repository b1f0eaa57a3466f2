-- The yearly programme: states of saved plans, edits by hand and locks, yearly tasks, and what the months report as done.

ALTER TABLE registry.run
    ADD COLUMN parent_id text,
    -- what an edit started from stays as long as the edit does
    ADD CONSTRAINT run_parent_is_a_run FOREIGN KEY (parent_id) REFERENCES registry.run (run_id);
COMMENT ON COLUMN registry.run.parent_id IS 'Plan that this one was made of by hand; empty where it was computed.';

CREATE TABLE registry.run_plan_edits (
    run_id text NOT NULL,
    step integer NOT NULL,
    edit text NOT NULL,
    batch_id text NOT NULL,
    segment_count integer NOT NULL,
    length_m double precision NOT NULL,
    year_before integer,
    year_after integer,
    cause text,
    CONSTRAINT run_plan_edits_row_is_named_once PRIMARY KEY (run_id, step),
    CONSTRAINT run_plan_edits_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_plan_edits ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_plan_edits IS 'Rows of the frame plan_edits that a run made.';
COMMENT ON COLUMN registry.run_plan_edits.step IS '序号: Place of the edit among those made at once.';
COMMENT ON COLUMN registry.run_plan_edits.edit IS '调整方式: What was done.';
COMMENT ON COLUMN registry.run_plan_edits.batch_id IS '批次编号: Batch that was edited, by the id that it has afterwards.';
COMMENT ON COLUMN registry.run_plan_edits.segment_count IS '管段数: Segments of the batch.';
COMMENT ON COLUMN registry.run_plan_edits.length_m IS '长度: Length of the batch. [m]';
COMMENT ON COLUMN registry.run_plan_edits.year_before IS '原年度: Year before the edit; empty where it was left out. [year]';
COMMENT ON COLUMN registry.run_plan_edits.year_after IS '现年度: Year after the edit; empty where it is left out. [year]';
COMMENT ON COLUMN registry.run_plan_edits.cause IS '理由: Why, in the words of the actor.';

CREATE TABLE registry.run_plan_locks (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    batch_id text NOT NULL,
    year integer,
    CONSTRAINT run_plan_locks_row_is_named_once PRIMARY KEY (run_id, segment_id),
    CONSTRAINT run_plan_locks_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_plan_locks ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_plan_locks IS 'Rows of the frame plan_locks that a run made.';
COMMENT ON COLUMN registry.run_plan_locks.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_plan_locks.batch_id IS '批次编号: Batch that is locked, with all of its segments.';
COMMENT ON COLUMN registry.run_plan_locks.year IS '锁定年度: Year that it keeps; empty where it is kept out of the plan. [year]';

CREATE TABLE registry.plan_state (
    plan_state_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT plan_id_is_not_empty CHECK (plan_state_id <> ''),
    -- a plan that was ever proposed is a record: its run is never replaced by another one of its name
    CONSTRAINT plan_state_is_of_a_saved_plan FOREIGN KEY (plan_state_id) REFERENCES registry.run (run_id)
);
CREATE UNIQUE INDEX plan_state_has_one_identity ON registry.plan_state (plan_state_id);
ALTER TABLE registry.plan_state ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.plan_state IS 'Identity of plan states: that an id exists and which delivery named it first.';

CREATE TABLE registry.plan_state_version (
    plan_state_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    first_year integer NOT NULL,
    last_year integer NOT NULL,
    changed_on date NOT NULL,
    changed_by text NOT NULL,
    reason text,
    owner text,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT plan_state_is_listed CHECK (state IN ('draft', 'proposed', 'adopted', 'superseded')),
    CONSTRAINT plan_years_do_not_end_before_they_begin CHECK (first_year <= last_year),
    CONSTRAINT plan_state_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT plan_state_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT plan_state_past_versions_do_not_overlap EXCLUDE USING gist (
        hashtextextended(plan_state_id, 0) WITH =, plan_state_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid))),
    CONSTRAINT one_plan_is_adopted_for_a_year EXCLUDE USING gist (
        int4range(first_year, last_year, '[]') WITH &&, valid WITH &&, (coalesce(owner, '')) WITH =
    ) WHERE (state = 'adopted' AND upper_inf(recorded))
);
CREATE UNIQUE INDEX plan_state_has_one_current_version ON registry.plan_state_version (plan_state_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
ALTER TABLE registry.plan_state_version ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.plan_state_version IS 'Versions of plan states: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.plan_state_version.plan_state_id IS '计划编号: Id of the run that holds the plan; the index of the frame.';
COMMENT ON COLUMN registry.plan_state_version.name IS '计划名称: Name under which the plan was saved.';
COMMENT ON COLUMN registry.plan_state_version.state IS '计划状态: Where the plan stands.';
COMMENT ON COLUMN registry.plan_state_version.first_year IS '起始年度: First planning year. [year]';
COMMENT ON COLUMN registry.plan_state_version.last_year IS '终止年度: Last planning year. [year]';
COMMENT ON COLUMN registry.plan_state_version.changed_on IS '状态日期: Day on which it came into this state.';
COMMENT ON COLUMN registry.plan_state_version.changed_by IS '办理人: Who brought it into this state.';
COMMENT ON COLUMN registry.plan_state_version.reason IS '理由: Why, in the words of the actor.';
COMMENT ON COLUMN registry.plan_state_version.owner IS '权属单位: Company whose plan it is; empty where it is for all.';
COMMENT ON COLUMN registry.plan_state_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.plan_state_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.plan_state_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.yearly_task (
    yearly_task_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT task_id_is_not_empty CHECK (yearly_task_id <> '')
);
CREATE UNIQUE INDEX yearly_task_has_one_identity ON registry.yearly_task (yearly_task_id);
ALTER TABLE registry.yearly_task ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.yearly_task IS 'Identity of yearly tasks: that an id exists and which delivery named it first.';

CREATE TABLE registry.yearly_task_version (
    yearly_task_id text COLLATE "C" NOT NULL,
    year integer NOT NULL,
    tier text NOT NULL,
    medium text,
    district text,
    km double precision NOT NULL,
    household_count integer,
    batch_count integer,
    plan_name text,
    owner text,
    remark text,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT task_year_is_between_2000_and_2200 CHECK (year BETWEEN 2000 AND 2200),
    CONSTRAINT task_km_is_not_negative CHECK (km >= 0),
    CONSTRAINT yearly_task_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT yearly_task_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT yearly_task_past_versions_do_not_overlap EXCLUDE USING gist (
        hashtextextended(yearly_task_id, 0) WITH =, yearly_task_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX yearly_task_has_one_current_version ON registry.yearly_task_version (yearly_task_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
ALTER TABLE registry.yearly_task_version ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.yearly_task_version IS 'Versions of yearly tasks: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.yearly_task_version.yearly_task_id IS '任务编号: Id of the task; the index of the frame.';
COMMENT ON COLUMN registry.yearly_task_version.year IS '任务年度: Year in which it is to be done. [year]';
COMMENT ON COLUMN registry.yearly_task_version.tier IS '管段类别: Tier of the pipes; tiers are never added up without being shown apart.';
COMMENT ON COLUMN registry.yearly_task_version.medium IS '介质: What the pipes carry; empty where the task is for all.';
COMMENT ON COLUMN registry.yearly_task_version.district IS '区划名称: District that it is for; empty where for all.';
COMMENT ON COLUMN registry.yearly_task_version.km IS '任务公里数: Kilometres to renew. [km]';
COMMENT ON COLUMN registry.yearly_task_version.household_count IS '任务户数: Households concerned.';
COMMENT ON COLUMN registry.yearly_task_version.batch_count IS '批次数: Batches that it consists of; empty where it comes from the bureau.';
COMMENT ON COLUMN registry.yearly_task_version.plan_name IS '改造计划: Adopted plan that it follows from; empty where it comes from the bureau.';
COMMENT ON COLUMN registry.yearly_task_version.owner IS '权属单位: Company whose task it is.';
COMMENT ON COLUMN registry.yearly_task_version.remark IS '备注: Free remark as delivered.';
COMMENT ON COLUMN registry.yearly_task_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.yearly_task_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.yearly_task_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.progress_report (
    progress_report_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT progress_id_is_not_empty CHECK (progress_report_id <> '')
);
CREATE UNIQUE INDEX progress_report_has_one_identity ON registry.progress_report (progress_report_id);
ALTER TABLE registry.progress_report ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.progress_report IS 'Identity of progress reports: that an id exists and which delivery named it first.';

CREATE TABLE registry.progress_report_version (
    progress_report_id text COLLATE "C" NOT NULL,
    month date NOT NULL,
    plan_name text,
    batch_id text,
    segment_ids text,
    street_name text,
    tier text,
    medium text,
    district text,
    km_done double precision,
    households_done integer,
    work_state text,
    done_on date,
    owner text,
    remark text,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT progress_names_what_was_worked_on CHECK (
        batch_id IS NOT NULL OR segment_ids IS NOT NULL OR street_name IS NOT NULL
    ),
    CONSTRAINT km_done_is_not_negative CHECK (km_done >= 0),
    CONSTRAINT progress_report_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT progress_report_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT progress_report_past_versions_do_not_overlap EXCLUDE USING gist (
        hashtextextended(progress_report_id, 0) WITH =, progress_report_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX progress_report_has_one_current_version ON registry.progress_report_version (progress_report_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
ALTER TABLE registry.progress_report_version ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.progress_report_version IS 'Versions of progress reports: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.progress_report_version.progress_report_id IS '进度编号: Id of the row; the index of the frame.';
COMMENT ON COLUMN registry.progress_report_version.month IS '月份: Month that it reports; any day in it.';
COMMENT ON COLUMN registry.progress_report_version.plan_name IS '改造计划: Plan whose batch it is; empty where any.';
COMMENT ON COLUMN registry.progress_report_version.batch_id IS '批次编号: Batch that was worked on.';
COMMENT ON COLUMN registry.progress_report_version.segment_ids IS '管段编号: Segments that were worked on, where no batch is named; ids with commas between them.';
COMMENT ON COLUMN registry.progress_report_version.street_name IS '道路或小区: Street or compound that was worked on, where neither batch nor segments are named.';
COMMENT ON COLUMN registry.progress_report_version.tier IS '管段类别: Tier of the kilometres; empty where that of the batch.';
COMMENT ON COLUMN registry.progress_report_version.medium IS '介质: What the pipes carry; empty where that of the batch.';
COMMENT ON COLUMN registry.progress_report_version.district IS '区划名称: District where the row stands for no batch of a plan.';
COMMENT ON COLUMN registry.progress_report_version.km_done IS '本月完成公里数: Kilometres done in this month; of a completed batch all that was not reported before where empty. [km]';
COMMENT ON COLUMN registry.progress_report_version.households_done IS '本月完成户数: Households done in this month; as with the kilometres.';
COMMENT ON COLUMN registry.progress_report_version.work_state IS '形象进度: How far the works are.';
COMMENT ON COLUMN registry.progress_report_version.done_on IS '完工日期: Day on which the works were completed.';
COMMENT ON COLUMN registry.progress_report_version.owner IS '权属单位: Company that reports.';
COMMENT ON COLUMN registry.progress_report_version.remark IS '备注: Free remark as delivered.';
COMMENT ON COLUMN registry.progress_report_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.progress_report_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.progress_report_version.delivery_id IS 'Delivery that wrote this version.';

ALTER TABLE registry.delivery
    DROP CONSTRAINT delivery_action_is_listed,
    ADD CONSTRAINT delivery_action_is_listed CHECK (action IN (
        'import', 'retry', 'correct', 'split', 'merge', 'redraw', 'retire', 'replace', 'undo', 'decide', 'meeting',
        'propose', 'adopt', 'withdraw', 'complete'
    ));
