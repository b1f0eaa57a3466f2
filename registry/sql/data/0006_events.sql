-- Events besides leaks: inspections, repairs, hazards, encroachments, valve work; and which segment each belongs to.

CREATE TABLE registry.event (
    event_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT event_id_is_not_empty CHECK (event_id <> '')
);
CREATE UNIQUE INDEX event_has_one_identity ON registry.event (event_id);
COMMENT ON TABLE registry.event IS 'Identity of events: that an id exists and which delivery named it first.';

CREATE TABLE registry.event_version (
    event_id text COLLATE "C" NOT NULL,
    happened_on date NOT NULL,
    kind text NOT NULL,
    medium text,
    grade text,
    finding text,
    source text,
    reporter text,
    position_quality text,
    address text,
    segment_id text,
    closed_on date,
    owner text,
    remark text,
    geom geometry(Geometry, 0),
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT event_has_a_place_or_a_segment CHECK (geom IS NOT NULL OR segment_id IS NOT NULL),
    CONSTRAINT event_is_not_closed_before_it_happens CHECK (happened_on <= closed_on),
    CONSTRAINT event_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT event_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT event_past_versions_do_not_overlap EXCLUDE USING gist (
        event_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX event_has_one_current_version ON registry.event_version (event_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX event_version_lies_in_space ON registry.event_version USING gist (geom);
CREATE INDEX event_version_is_found_by_segment ON registry.event_version (segment_id);
COMMENT ON TABLE registry.event_version IS 'Versions of events: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.event_version.event_id IS '事件编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.event_version.happened_on IS '发生日期: Day on which it happened or was found.';
COMMENT ON COLUMN registry.event_version.kind IS '事件类别: What kind of event it is.';
COMMENT ON COLUMN registry.event_version.medium IS '介质: What the pipe concerned carries.';
COMMENT ON COLUMN registry.event_version.grade IS '事件等级: How grave the finding is.';
COMMENT ON COLUMN registry.event_version.finding IS '检查结果: What was found or done, and why, as delivered.';
COMMENT ON COLUMN registry.event_version.source IS '事件来源: Who or what brought it up.';
COMMENT ON COLUMN registry.event_version.reporter IS '上报人: Person or crew who reported it, as delivered.';
COMMENT ON COLUMN registry.event_version.position_quality IS '定位方式: How the position is known.';
COMMENT ON COLUMN registry.event_version.address IS '地址: Address as reported.';
COMMENT ON COLUMN registry.event_version.segment_id IS '管段编号: Segment named by the crew, where stated.';
COMMENT ON COLUMN registry.event_version.closed_on IS '办结日期: Day on which it was settled; empty while it is open.';
COMMENT ON COLUMN registry.event_version.owner IS '权属单位: Company that answers for the event.';
COMMENT ON COLUMN registry.event_version.remark IS '备注: Free remark as delivered.';
COMMENT ON COLUMN registry.event_version.geom IS '图形: Place: point, line or area; none where a segment is named instead. [m]';
COMMENT ON COLUMN registry.event_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.event_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.event_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.run_event_links (
    run_id text NOT NULL,
    event_id text NOT NULL,
    segment_id text NOT NULL,
    probability double precision NOT NULL,
    distance_m double precision,
    measure_m double precision,
    CONSTRAINT run_event_links_row_is_named_once PRIMARY KEY (run_id, event_id, segment_id),
    CONSTRAINT run_event_links_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
COMMENT ON TABLE registry.run_event_links IS 'Rows of the frame event_links that a run made.';
COMMENT ON COLUMN registry.run_event_links.event_id IS '事件编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_event_links.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_event_links.probability IS '概率: Probability that the event was at the segment; those of one event add up to at most one.';
COMMENT ON COLUMN registry.run_event_links.distance_m IS '距离: Distance from the reported place to the segment; empty where the crew named the segment without a place. [m]';
COMMENT ON COLUMN registry.run_event_links.measure_m IS '里程: Distance along the segment from its start; empty where no place was reported. [m]';

ALTER TABLE registry.run_scores
    ADD COLUMN policy_is_certain boolean,
    ADD COLUMN age_least_years double precision,
    ADD COLUMN age_most_years double precision,
    ADD COLUMN predecessor_leak_count double precision,
    ADD COLUMN likelihood_sd_per_km_year double precision,
    ADD COLUMN expected_household_count double precision;
COMMENT ON COLUMN registry.run_scores.policy_is_certain IS '类别确定: Whether every install year of the interval leads to this policy class; else it is possibly another one.';
COMMENT ON COLUMN registry.run_scores.age_least_years IS '最小管龄: Least age at the as-of date that the install interval allows. [year]';
COMMENT ON COLUMN registry.run_scores.age_most_years IS '最大管龄: Greatest age at the as-of date that the install interval allows; empty where the interval has no end. [year]';
COMMENT ON COLUMN registry.run_scores.predecessor_leak_count IS '原管道漏点数: Expected number of leaks of the replaced pipes that lay in its place; they never count as its own.';
COMMENT ON COLUMN registry.run_scores.likelihood_sd_per_km_year IS '可能性离散度: Standard deviation of the likelihood over the install interval; empty where no install year is known. [1/(km*year)]';
COMMENT ON COLUMN registry.run_scores.expected_household_count IS '期望户数: Households that the segment may be expected to supply; empty where none are known.';

ALTER TABLE registry.delivery ADD COLUMN said_columns text[];
COMMENT ON COLUMN registry.delivery.said_columns IS 'Attributes that it says something about; the others were carried over. Empty where it was written before this was kept: then all of them.';

CREATE TABLE registry.confirmation (
    delivery_id text NOT NULL,
    object_ids text[] NOT NULL,
    CONSTRAINT confirmation_is_kept_once PRIMARY KEY (delivery_id),
    CONSTRAINT confirmation_belongs_to_a_delivery FOREIGN KEY (delivery_id) REFERENCES registry.delivery (delivery_id)
);
COMMENT ON TABLE registry.confirmation IS 'Objects that a delivery said again as they were known: it wrote no version of them, but it verified them.';
COMMENT ON COLUMN registry.confirmation.object_ids IS 'Ids of these objects.';

ALTER TABLE registry.event ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.event_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.run_event_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.confirmation ENABLE ROW LEVEL SECURITY;
