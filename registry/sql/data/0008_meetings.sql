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

CREATE TABLE registry.live_pair (
    segment_id text COLLATE "C" NOT NULL,
    project_id text COLLATE "C" NOT NULL,
    overlap_m double precision NOT NULL,
    CONSTRAINT live_pair_is_named_once PRIMARY KEY (project_id, segment_id)
);
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
COMMENT ON COLUMN registry.live_pair_stamp.reach IS 'Half width by kind of project, that of other kinds (unknown), and the margin. [m]';
