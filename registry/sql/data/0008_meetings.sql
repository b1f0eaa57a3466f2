-- What a coordination meeting needs: freedom and certainty of projects, house numbers of roads, pavements as areas, dig
-- bans as they are published, and decisions.

ALTER TABLE registry.project_version
    ADD COLUMN works_class text,
    ADD COLUMN batch_year integer,
    ADD COLUMN utility text,
    ADD COLUMN contact text,
    ADD COLUMN date_certainty text,
    ADD COLUMN earliest_on date,
    ADD COLUMN latest_on date,
    ADD COLUMN completed_on date,
    ADD COLUMN address text,
    ADD COLUMN cross_street_from text,
    ADD COLUMN cross_street_to text,
    ADD COLUMN number_from integer,
    ADD COLUMN number_to integer,
    ADD CONSTRAINT project_batch_year_is_between_1990_and_2100 CHECK (batch_year BETWEEN 1990 AND 2100),
    ADD CONSTRAINT project_number_from_is_between_0_and_1000000 CHECK (number_from BETWEEN 0 AND 1000000),
    ADD CONSTRAINT project_number_to_is_between_0_and_1000000 CHECK (number_to BETWEEN 0 AND 1000000),
    ADD CONSTRAINT project_freedom_does_not_end_before_it_begins CHECK (earliest_on <= latest_on);
COMMENT ON COLUMN registry.project_version.works_class IS '改造内容分类: What a compound renovation brings: basics, improvements or upgrades.';
COMMENT ON COLUMN registry.project_version.batch_year IS '年度批次: Year in whose batch a compound is renovated. [year]';
COMMENT ON COLUMN registry.project_version.utility IS '管线专业: Whose pipes or cables another utility lays.';
COMMENT ON COLUMN registry.project_version.contact IS '联系人: Role or person to talk to, as delivered.';
COMMENT ON COLUMN registry.project_version.date_certainty IS '日期可靠程度: How certain the first and last day are.';
COMMENT ON COLUMN registry.project_version.earliest_on IS '最早可开工: Earliest day on which its owner could start.';
COMMENT ON COLUMN registry.project_version.latest_on IS '最晚须完工: Day by which its owner must have ended.';
COMMENT ON COLUMN registry.project_version.completed_on IS '实际竣工日期: Day on which the works were completed or, for a new road, handed over; the clock of a dig ban starts then.';
COMMENT ON COLUMN registry.project_version.address IS '地点说明: Where the works are, as delivered.';
COMMENT ON COLUMN registry.project_version.cross_street_from IS '起点路口: Cross street at which the works begin.';
COMMENT ON COLUMN registry.project_version.cross_street_to IS '终点路口: Cross street at which the works end.';
COMMENT ON COLUMN registry.project_version.number_from IS '起始门牌号: First house number of the works.';
COMMENT ON COLUMN registry.project_version.number_to IS '终止门牌号: Last house number of the works.';

ALTER TABLE registry.road_version
    ADD COLUMN overlaid_on date,
    ADD COLUMN left_number_from integer,
    ADD COLUMN left_number_to integer,
    ADD COLUMN right_number_from integer,
    ADD COLUMN right_number_to integer,
    ADD CONSTRAINT road_left_number_from_is_between_0_and_1000000 CHECK (left_number_from BETWEEN 0 AND 1000000),
    ADD CONSTRAINT road_left_number_to_is_between_0_and_1000000 CHECK (left_number_to BETWEEN 0 AND 1000000),
    ADD CONSTRAINT road_right_number_from_is_between_0_and_1000000 CHECK (right_number_from BETWEEN 0 AND 1000000),
    ADD CONSTRAINT road_right_number_to_is_between_0_and_1000000 CHECK (right_number_to BETWEEN 0 AND 1000000);
COMMENT ON COLUMN registry.road_version.overlaid_on IS '罩面竣工日期: Day on which the last overlay or medium repair was completed.';
COMMENT ON COLUMN registry.road_version.left_number_from IS '左侧起始门牌号: House number at the beginning of the line on its left side.';
COMMENT ON COLUMN registry.road_version.left_number_to IS '左侧终止门牌号: House number at the end of the line on its left side.';
COMMENT ON COLUMN registry.road_version.right_number_from IS '右侧起始门牌号: House number at the beginning of the line on its right side.';
COMMENT ON COLUMN registry.road_version.right_number_to IS '右侧终止门牌号: House number at the end of the line on its right side.';

CREATE TABLE registry.pavement (
    pavement_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT pavement_id_is_not_empty CHECK (pavement_id <> '')
);
CREATE UNIQUE INDEX pavement_has_one_identity ON registry.pavement (pavement_id);
COMMENT ON TABLE registry.pavement IS 'Identity of pavements: that an id exists and which delivery named it first.';

CREATE TABLE registry.pavement_version (
    pavement_id text COLLATE "C" NOT NULL,
    street_name text,
    road_id text,
    surface text,
    geom geometry(MultiPolygon, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT pavement_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT pavement_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT pavement_past_versions_do_not_overlap EXCLUDE USING gist (
        hashtextextended(pavement_id, 0) WITH =, pavement_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX pavement_has_one_current_version ON registry.pavement_version (pavement_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX pavement_version_lies_in_space ON registry.pavement_version USING gist (geom);
COMMENT ON TABLE registry.pavement_version IS 'Versions of pavements: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.pavement_version.pavement_id IS '路面编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.pavement_version.street_name IS '道路名称: Street that it belongs to.';
COMMENT ON COLUMN registry.pavement_version.road_id IS '道路编号: Road whose pavement or right of way it is.';
COMMENT ON COLUMN registry.pavement_version.surface IS '敷设环境: What the surface is made of.';
COMMENT ON COLUMN registry.pavement_version.geom IS '图形: Pavement or right of way of a street as an area. [m]';
COMMENT ON COLUMN registry.pavement_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.pavement_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.pavement_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.moratorium (
    moratorium_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT moratorium_id_is_not_empty CHECK (moratorium_id <> '')
);
CREATE UNIQUE INDEX moratorium_has_one_identity ON registry.moratorium (moratorium_id);
COMMENT ON TABLE registry.moratorium IS 'Identity of dig bans: that an id exists and which delivery named it first.';

CREATE TABLE registry.moratorium_version (
    moratorium_id text COLLATE "C" NOT NULL,
    cause text,
    street_name text,
    road_id text,
    cross_street_from text,
    cross_street_to text,
    number_from integer,
    number_to integer,
    starts_on date NOT NULL,
    ends_on date,
    authority text,
    remark text,
    geom geometry(Geometry, 0),
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT number_from_is_between_0_and_1000000 CHECK (number_from BETWEEN 0 AND 1000000),
    CONSTRAINT number_to_is_between_0_and_1000000 CHECK (number_to BETWEEN 0 AND 1000000),
    CONSTRAINT moratorium_does_not_end_before_it_starts CHECK (starts_on <= ends_on),
    CONSTRAINT moratorium_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT moratorium_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT moratorium_past_versions_do_not_overlap EXCLUDE USING gist (
        hashtextextended(moratorium_id, 0) WITH =, moratorium_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX moratorium_has_one_current_version ON registry.moratorium_version (moratorium_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX moratorium_version_lies_in_space ON registry.moratorium_version USING gist (geom);
COMMENT ON TABLE registry.moratorium_version IS 'Versions of dig bans: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.moratorium_version.moratorium_id IS '禁掘令编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.moratorium_version.cause IS '禁掘原因: Why the ground is closed.';
COMMENT ON COLUMN registry.moratorium_version.street_name IS '道路名称: Street that is closed.';
COMMENT ON COLUMN registry.moratorium_version.road_id IS '道路编号: Road that is closed, where the register of roads is named.';
COMMENT ON COLUMN registry.moratorium_version.cross_street_from IS '起点路口: Cross street at which the closed stretch begins.';
COMMENT ON COLUMN registry.moratorium_version.cross_street_to IS '终点路口: Cross street at which it ends.';
COMMENT ON COLUMN registry.moratorium_version.number_from IS '起始门牌号: First house number of the closed stretch.';
COMMENT ON COLUMN registry.moratorium_version.number_to IS '终止门牌号: Last house number of the closed stretch.';
COMMENT ON COLUMN registry.moratorium_version.starts_on IS '起始日期: First day on which digging is forbidden.';
COMMENT ON COLUMN registry.moratorium_version.ends_on IS '终止日期: Last day on which digging is forbidden; empty where it is not said.';
COMMENT ON COLUMN registry.moratorium_version.authority IS '发布单位: Who closed the ground.';
COMMENT ON COLUMN registry.moratorium_version.remark IS '备注: Free remark as delivered.';
COMMENT ON COLUMN registry.moratorium_version.geom IS '图形: Stretch of street or area that is closed. [m]';
COMMENT ON COLUMN registry.moratorium_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.moratorium_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.moratorium_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.decision (
    decision_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT decision_id_is_not_empty CHECK (decision_id <> '')
);
CREATE UNIQUE INDEX decision_has_one_identity ON registry.decision (decision_id);
COMMENT ON TABLE registry.decision IS 'Identity of decisions: that an id exists and which delivery named it first.';

CREATE TABLE registry.decision_version (
    decision_id text COLLATE "C" NOT NULL,
    project_id text NOT NULL,
    segment_id text,
    verdict text NOT NULL,
    decided_on date NOT NULL,
    decided_by text NOT NULL,
    due_on date,
    note text,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT decision_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT decision_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT decision_past_versions_do_not_overlap EXCLUDE USING gist (
        hashtextextended(decision_id, 0) WITH =, decision_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX decision_has_one_current_version ON registry.decision_version (decision_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX decision_version_is_found_by_project ON registry.decision_version (project_id);
-- planners record what a meeting decided, and change nothing that was recorded
ALTER TABLE registry.decision_version ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.decision_version IS 'Versions of decisions: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.decision_version.decision_id IS '决定编号: Id of the decision; the index of the frame.';
COMMENT ON COLUMN registry.decision_version.project_id IS '工程编号: Project that the decision is about.';
COMMENT ON COLUMN registry.decision_version.segment_id IS '管段编号: Segment that it is about; empty where it holds for all segments in the project.';
COMMENT ON COLUMN registry.decision_version.verdict IS '会商结论: What was decided.';
COMMENT ON COLUMN registry.decision_version.decided_on IS '决定日期: Day of the meeting.';
COMMENT ON COLUMN registry.decision_version.decided_by IS '决定单位: Who decided.';
COMMENT ON COLUMN registry.decision_version.due_on IS '办理期限: Day by which it must be carried out.';
COMMENT ON COLUMN registry.decision_version.note IS '会议记录: Reason, reference to the minutes, next step.';
COMMENT ON COLUMN registry.decision_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.decision_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.decision_version.delivery_id IS 'Delivery that wrote this version.';

ALTER TABLE registry.delivery
    DROP CONSTRAINT delivery_action_is_listed,
    ADD CONSTRAINT delivery_action_is_listed CHECK (action IN (
        'import', 'retry', 'correct', 'split', 'merge', 'redraw', 'retire', 'replace', 'undo', 'decide', 'meeting'
    ));

ALTER TABLE registry.project_version ADD COLUMN located_by text;
COMMENT ON COLUMN registry.project_version.located_by IS '位置来源: How the place was found where it came in words or as a point; empty where it was drawn.';
ALTER TABLE registry.moratorium_version ADD COLUMN located_by text;
COMMENT ON COLUMN registry.moratorium_version.located_by IS '位置来源: How the place was found where it came in words or as a point; empty where it was drawn.';

ALTER TABLE registry.leak_version ADD COLUMN located_by text, ADD COLUMN place_confidence double precision;
COMMENT ON COLUMN registry.leak_version.located_by IS '位置来源: How the position was found from the address; empty where it was delivered.';
COMMENT ON COLUMN registry.leak_version.place_confidence IS '位置置信度: How likely the position found from the address is right; empty where it was delivered.';
ALTER TABLE registry.event_version ADD COLUMN located_by text, ADD COLUMN place_confidence double precision;
COMMENT ON COLUMN registry.event_version.located_by IS '位置来源: How the position was found from the address; empty where it was delivered.';
COMMENT ON COLUMN registry.event_version.place_confidence IS '位置置信度: How likely the position found from the address is right; empty where it was delivered.';

-- empty in pairs that earlier versions saved
ALTER TABLE registry.run_pairs
    ADD COLUMN distance_m double precision,
    ADD COLUMN project_share double precision,
    ADD COLUMN course text,
    ADD COLUMN side text;
COMMENT ON COLUMN registry.run_pairs.distance_m IS '距离: Least distance of the segment from the extent of the project; 0 where they share length. [m]';
COMMENT ON COLUMN registry.run_pairs.project_share IS '占工程内管段比例: Overlap divided by the metres of all segments inside the project.';
COMMENT ON COLUMN registry.run_pairs.course IS '走向关系: Whether the segment runs along the centreline of the project or crosses it; inside where the project is an area.';
COMMENT ON COLUMN registry.run_pairs.side IS '位置侧别: Side of the centreline in drawing direction; empty where the project is an area.';

-- what was recorded since an instant is looked for each time that live pairs follow the registry; rows come in the order
-- of time, so the least index does
CREATE INDEX segment_version_is_found_by_beginning ON registry.segment_version USING brin (lower(recorded));
CREATE INDEX segment_version_is_found_by_end ON registry.segment_version (upper(recorded)) WHERE NOT upper_inf(recorded);
CREATE INDEX pavement_version_is_found_by_beginning ON registry.pavement_version USING brin (lower(recorded));
CREATE INDEX pavement_version_is_found_by_end ON registry.pavement_version (upper(recorded)) WHERE NOT upper_inf(recorded);

CREATE TABLE registry.live_pair (
    segment_id text COLLATE "C" NOT NULL,
    project_id text COLLATE "C" NOT NULL,
    overlap_m double precision NOT NULL
);
-- no primary key: plain indexes are taken off while the table is filled anew
CREATE UNIQUE INDEX live_pair_is_named_once ON registry.live_pair (project_id, segment_id);
CREATE INDEX live_pair_is_found_by_segment ON registry.live_pair (segment_id);
ALTER TABLE registry.live_pair ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.live_pair IS 'Pairs of segments and projects that share length on the day of the stamp, as known then; pairs of saved plans are in run_pairs and do not follow.';
COMMENT ON COLUMN registry.live_pair.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.live_pair.project_id IS '工程编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.live_pair.overlap_m IS '重叠长度: Length of the segment inside the extent of the project. [m]';

CREATE TABLE registry.live_pair_stamp (
    is_only boolean NOT NULL DEFAULT true,
    as_of date NOT NULL,
    known_at timestamptz NOT NULL,
    reach jsonb NOT NULL,
    CONSTRAINT live_pair_stamp_is_the_only_one PRIMARY KEY (is_only),
    CONSTRAINT live_pair_stamp_is_only CHECK (is_only)
);
COMMENT ON TABLE registry.live_pair_stamp IS 'For which day, up to which delivery and with which widths the live pairs were computed.';
COMMENT ON COLUMN registry.live_pair_stamp.is_only IS 'Always true: there is one row.';
COMMENT ON COLUMN registry.live_pair_stamp.as_of IS 'Day on which segments and projects count.';
COMMENT ON COLUMN registry.live_pair_stamp.known_at IS 'Instant of the last delivery that is in the pairs.';
COMMENT ON COLUMN registry.live_pair_stamp.reach IS 'Half width by kind of project, that of other kinds (unknown), the margin, and how far pavements count. [m]';

CREATE TABLE registry.run_pair_times (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    project_id text NOT NULL,
    due_from date,
    due_until date,
    project_from date,
    project_until date,
    project_earliest date,
    project_latest date,
    relation text NOT NULL,
    overlap_days integer,
    gap_days integer,
    years_apart double precision,
    mover text,
    move_days integer,
    locked_from date,
    locked_until date,
    rule_code text,
    exceptions text,
    open_days integer,
    season text,
    closures text,
    file_by date,
    CONSTRAINT run_pair_times_row_is_named_once PRIMARY KEY (run_id, segment_id, project_id),
    CONSTRAINT run_pair_times_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_pair_times ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_pair_times IS 'Rows of the frame pair_times that a run made.';
COMMENT ON COLUMN registry.run_pair_times.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_pair_times.project_id IS '工程编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_pair_times.due_from IS '应改造起始日期: First day on which the renewal is due; empty where nothing asks for it.';
COMMENT ON COLUMN registry.run_pair_times.due_until IS '应改造截止日期: Last day on which the renewal is due.';
COMMENT ON COLUMN registry.run_pair_times.project_from IS '工程起始日期: First day of the project as stated; empty where it has no usable dates.';
COMMENT ON COLUMN registry.run_pair_times.project_until IS '工程结束日期: Last day of the project as stated.';
COMMENT ON COLUMN registry.run_pair_times.project_earliest IS '工程最早可开工: Earliest day on which the project could start.';
COMMENT ON COLUMN registry.run_pair_times.project_latest IS '工程最晚可完工: Latest day on which the project could end.';
COMMENT ON COLUMN registry.run_pair_times.relation IS '时间关系: How renewal and project stand to each other in time.';
COMMENT ON COLUMN registry.run_pair_times.overlap_days IS '重合天数: Days that the due window and the project share; empty where one of them is not known. [day]';
COMMENT ON COLUMN registry.run_pair_times.gap_days IS '相隔天数: Days by which one of the two would have to move for them to share a day; 0 where they do. [day]';
COMMENT ON COLUMN registry.run_pair_times.years_apart IS '相隔年数: The gap in years of 365.25 days. [year]';
COMMENT ON COLUMN registry.run_pair_times.mover IS '可调整方: Which side could move that far; empty where nothing is to be settled.';
COMMENT ON COLUMN registry.run_pair_times.move_days IS '需调整天数: Days that this side would have to move; empty where neither can. [day]';
COMMENT ON COLUMN registry.run_pair_times.locked_from IS '禁掘起始日期: First locked day of the ban that concerns the pair.';
COMMENT ON COLUMN registry.run_pair_times.locked_until IS '禁掘截止日期: Last locked day; empty where it is not said.';
COMMENT ON COLUMN registry.run_pair_times.rule_code IS '禁掘规则代码: Rule whose ban ends last.';
COMMENT ON COLUMN registry.run_pair_times.exceptions IS '可适用例外代码: Codes of the exceptions that could apply to the renewal, joined by bars; empty without a ban.';
COMMENT ON COLUMN registry.run_pair_times.open_days IS '可施工重合天数: Days in common on which the calendar of the ban set closes nothing; empty where one of the windows is not known. [day]';
COMMENT ON COLUMN registry.run_pair_times.season IS '施工时段: Whether the calendar leaves an open day in common that can still be filed; empty where both share no day.';
COMMENT ON COLUMN registry.run_pair_times.closures IS '停工时段代码: Codes of the closures that close days in common, joined by bars; empty where both share no day.';
COMMENT ON COLUMN registry.run_pair_times.file_by IS '计划申报截止: Last day on which a dig plan with open days in common can be filed; empty where there is none.';

CREATE TABLE registry.run_pair_values (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    project_id text NOT NULL,
    cost_alone_cny double precision NOT NULL,
    cost_together_cny double precision NOT NULL,
    saving_cny double precision NOT NULL,
    saving_low_cny double precision,
    saving_high_cny double precision,
    trench_saving_cny double precision NOT NULL,
    paving_saving_cny double precision NOT NULL,
    traffic_saving_cny double precision NOT NULL,
    mobilisation_saving_cny double precision NOT NULL,
    life_lost_cny_per_year double precision NOT NULL,
    waiting_cny_per_year double precision NOT NULL,
    joining_from_year integer,
    joining_until_year integer,
    break_even_year integer,
    best_year integer,
    at_stake_cny double precision,
    co2_saving_kg double precision,
    CONSTRAINT run_pair_values_row_is_named_once PRIMARY KEY (run_id, segment_id, project_id),
    CONSTRAINT run_pair_values_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_pair_values ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_pair_values IS 'Rows of the frame pair_values that a run made.';
COMMENT ON COLUMN registry.run_pair_values.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_pair_values.project_id IS '工程编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_pair_values.cost_alone_cny IS '单独实施费用: Cost of renewing the whole segment without the project: pipe and trench, paving, traffic and its share of a site. [CNY]';
COMMENT ON COLUMN registry.run_pair_values.cost_together_cny IS '同步实施费用: Cost alone less the saving. [CNY]';
COMMENT ON COLUMN registry.run_pair_values.saving_cny IS '同步节约: What going together with the project saves: trench, paving, traffic and site of the overlapped metres, as far as the project opens them. [CNY]';
COMMENT ON COLUMN registry.run_pair_values.saving_low_cny IS '同步节约(低): The saving with each of its prices at its low end; empty where a range is not known. [CNY]';
COMMENT ON COLUMN registry.run_pair_values.saving_high_cny IS '同步节约(高): The saving with each of its prices at its high end; empty where a range is not known. [CNY]';
COMMENT ON COLUMN registry.run_pair_values.trench_saving_cny IS '节约沟槽费: Trench of the overlapped metres where the project opens it. [CNY]';
COMMENT ON COLUMN registry.run_pair_values.paving_saving_cny IS '节约路面修复费: Reinstatement of the overlapped metres over the width of the trench where the project opens the paving. [CNY]';
COMMENT ON COLUMN registry.run_pair_values.traffic_saving_cny IS '节约交通导改费: Guiding of the traffic along the overlapped metres. [CNY]';
COMMENT ON COLUMN registry.run_pair_values.mobilisation_saving_cny IS '节约进场费: Share of one site; the shares of the pairs of a project add up to one site. [CNY]';
COMMENT ON COLUMN registry.run_pair_values.life_lost_cny_per_year IS '每提前一年改造损失: Annuity of the cost alone over the design life of the renewal: what pulling it forward by one year loses. [CNY/year]';
COMMENT ON COLUMN registry.run_pair_values.waiting_cny_per_year IS '每等待一年费用: Expected leaks of the first year with their repair and harm, and one year''s rise of the price. [CNY/year]';
COMMENT ON COLUMN registry.run_pair_values.joining_from_year IS '同步划算起始年: First year of the window in which joining pays; empty where the due window is not known or joining never pays. [year]';
COMMENT ON COLUMN registry.run_pair_values.joining_until_year IS '同步划算截止年: Last year of that window; the last year looked at where joining never stops paying. [year]';
COMMENT ON COLUMN registry.run_pair_values.break_even_year IS '盈亏平衡年: Edge of that window on the side of the project: the first year where the project ends before the renewal is due, else the last. [year]';
COMMENT ON COLUMN registry.run_pair_values.best_year IS '最佳同步年: Year of the project in which joining is worth most; empty where it pays in none. [year]';
COMMENT ON COLUMN registry.run_pair_values.at_stake_cny IS '利害金额: What is lost by not joining: the net of the best year, discounted to the as-of year; 0 where joining pays in no year of the project. [CNY]';
COMMENT ON COLUMN registry.run_pair_values.co2_saving_kg IS '减少二氧化碳: Carbon dioxide of the saved paving and trench; unverified. [kg]';

CREATE TABLE registry.run_neighbours (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    project_id text NOT NULL,
    distance_m double precision NOT NULL,
    is_same_street boolean,
    is_same_block boolean,
    CONSTRAINT run_neighbours_row_is_named_once PRIMARY KEY (run_id, segment_id, project_id),
    CONSTRAINT run_neighbours_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_neighbours ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_neighbours IS 'Rows of the frame neighbours that a run made.';
COMMENT ON COLUMN registry.run_neighbours.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_neighbours.project_id IS '工程编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_neighbours.distance_m IS '距离: Least distance of the segment from the extent of the project. [m]';
COMMENT ON COLUMN registry.run_neighbours.is_same_street IS '是否同一道路: Whether segment and project lie in one street; empty where the street of one is not known.';
COMMENT ON COLUMN registry.run_neighbours.is_same_block IS '是否同一街坊: Whether no road centreline lies between them; empty where no roads are known.';
