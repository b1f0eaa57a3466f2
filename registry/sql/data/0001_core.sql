-- Core tables of a registry: what lies in the ground, and how we know.
-- Identity stands apart from versions: `registry.segment` says that an id exists, `registry.segment_version` what was
-- true of it (valid, days) and when we knew it (recorded, instants). Geometry columns have SRID 0 until
-- `set_working_srid` gives them the working CRS of this registry. Ids have the collation "C": they are compared byte by
-- byte anyway, and PostgreSQL sorts them several times faster than by a locale.

CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE registry.info (
    is_only_row boolean NOT NULL DEFAULT true,
    city text NOT NULL,
    srid integer NOT NULL,
    timezone text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 0,
    CONSTRAINT info_has_one_row PRIMARY KEY (is_only_row),
    CONSTRAINT info_row_is_the_only_row CHECK (is_only_row),
    CONSTRAINT working_srid_is_an_epsg_code CHECK (srid > 0)
);
COMMENT ON TABLE registry.info IS 'The one registry that this database holds: city, working CRS, time zone, and a counter that rises with every writing transaction.';

CREATE TABLE registry.value_list (
    list_name text NOT NULL,
    code text NOT NULL,
    position integer NOT NULL,
    label_en text NOT NULL,
    label_zh text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    CONSTRAINT value_list_names_each_code_once PRIMARY KEY (list_name, code)
);
COMMENT ON TABLE registry.value_list IS 'Codes that columns may hold, with their words in English and Chinese; refreshed from the package at every migrate.';

CREATE TABLE registry.delivery (
    delivery_id text NOT NULL,
    kind text NOT NULL,
    file_name text NOT NULL,
    file_sha256 text NOT NULL,
    file_bytes bigint NOT NULL,
    content_key text NOT NULL,
    mapping jsonb NOT NULL DEFAULT '{}',
    crs text,
    encoding text,
    source text,
    actor text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    rows_read integer NOT NULL,
    rows_accepted integer NOT NULL,
    rows_held integer NOT NULL,
    rows_added integer NOT NULL,
    rows_changed integer NOT NULL,
    rows_unchanged integer NOT NULL,
    notes jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT delivery_has_an_id PRIMARY KEY (delivery_id),
    CONSTRAINT delivery_of_the_same_content_is_taken_once UNIQUE (content_key),
    CONSTRAINT delivery_accounts_for_every_row CHECK (rows_accepted + rows_held = rows_read),
    CONSTRAINT delivery_accepted_rows_are_added_changed_or_unchanged CHECK (rows_added + rows_changed + rows_unchanged = rows_accepted)
);
COMMENT ON TABLE registry.delivery IS 'One file that was taken in: what, from whom, when, how it was read, and what became of its rows.';
COMMENT ON COLUMN registry.delivery.content_key IS 'SHA-256 over file, kind, mapping and CRS: the same delivery twice is a no-op.';
COMMENT ON COLUMN registry.delivery.notes IS 'What the import noticed about the file as a whole: encoding, swapped axes, unused columns.';

CREATE TABLE registry.held_row (
    delivery_id text NOT NULL,
    row_number integer NOT NULL,
    row jsonb NOT NULL,
    length_m double precision,
    CONSTRAINT held_row_is_named_once PRIMARY KEY (delivery_id, row_number),
    CONSTRAINT held_row_belongs_to_a_delivery FOREIGN KEY (delivery_id) REFERENCES registry.delivery (delivery_id)
);
COMMENT ON TABLE registry.held_row IS 'Rows that were held back (未入库), as delivered; never dropped.';

CREATE TABLE registry.held_fault (
    delivery_id text NOT NULL,
    row_number integer NOT NULL,
    column_name text NOT NULL,
    code text NOT NULL,
    value text,
    offered text,
    parameters jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT held_fault_is_named_once PRIMARY KEY (delivery_id, row_number, column_name, code),
    CONSTRAINT held_fault_belongs_to_a_held_row FOREIGN KEY (delivery_id, row_number)
        REFERENCES registry.held_row (delivery_id, row_number)
);
COMMENT ON TABLE registry.held_fault IS 'Why a row was held back: column, code of the reason, the value, and the mend that is offered.';

CREATE TABLE registry.segment (
    segment_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT segment_id_is_not_empty CHECK (segment_id <> '')
);
CREATE UNIQUE INDEX segment_has_one_identity ON registry.segment (segment_id);
COMMENT ON TABLE registry.segment IS 'Identity of segments: that an id exists and which delivery named it first.';

CREATE TABLE registry.segment_version (
    segment_id text COLLATE "C" NOT NULL,
    medium text NOT NULL,
    tier text,
    material text,
    diameter_mm double precision,
    diameter_kind text,
    pressure_class text,
    pressure_kpa double precision,
    installed_year_min integer,
    installed_year_max integer,
    installed_quality text,
    coating text,
    cathodic_protection text,
    joint text,
    laying text,
    surface text,
    cover_depth_m double precision,
    street_name text,
    compound_name text,
    owner text,
    status text,
    assessment text,
    assessed_on date,
    is_encroached boolean,
    retired_on date,
    remark text,
    elevations_m double precision[],
    geom geometry(LineString, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT diameter_mm_is_between_10_and_4000 CHECK (diameter_mm BETWEEN 10 AND 4000),
    CONSTRAINT pressure_kpa_is_between_0_and_10000 CHECK (pressure_kpa BETWEEN 0 AND 10000),
    CONSTRAINT installed_year_min_is_between_1850_and_2100 CHECK (installed_year_min BETWEEN 1850 AND 2100),
    CONSTRAINT installed_year_max_is_between_1850_and_2100 CHECK (installed_year_max BETWEEN 1850 AND 2100),
    CONSTRAINT cover_depth_m_is_between_0_and_15 CHECK (cover_depth_m BETWEEN 0 AND 15),
    CONSTRAINT install_interval_does_not_end_before_it_begins CHECK (installed_year_min <= installed_year_max),
    CONSTRAINT segment_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT segment_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT segment_past_versions_do_not_overlap EXCLUDE USING gist (
        segment_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX segment_has_one_current_version ON registry.segment_version (segment_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX segment_version_lies_in_space ON registry.segment_version USING gist (geom);
COMMENT ON TABLE registry.segment_version IS 'Versions of segments: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.segment_version.segment_id IS '管段编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.segment_version.medium IS '介质: What the pipe carries.';
COMMENT ON COLUMN registry.segment_version.tier IS '管段类别: Municipal main, courtyard pipe or riser.';
COMMENT ON COLUMN registry.segment_version.material IS '管材: Pipe material; grey cast iron is kept apart from other iron.';
COMMENT ON COLUMN registry.segment_version.diameter_mm IS '管径: Nominal (DN) or outer (OD) diameter, see diameter_kind. [mm]';
COMMENT ON COLUMN registry.segment_version.diameter_kind IS '管径类型: Whether the diameter is nominal (DN) or outer (OD).';
COMMENT ON COLUMN registry.segment_version.pressure_class IS '压力级别: Gas pressure class by design pressure.';
COMMENT ON COLUMN registry.segment_version.pressure_kpa IS '设计压力: Gauge design pressure. [kPa]';
COMMENT ON COLUMN registry.segment_version.installed_year_min IS '建设年代(最早): Earliest year in which the object can have been put in the ground. [year]';
COMMENT ON COLUMN registry.segment_version.installed_year_max IS '建设年代(最晚): Latest year in which the object can have been put in the ground; equal to the earliest where the year is known. [year]';
COMMENT ON COLUMN registry.segment_version.installed_quality IS '年代来源: How the install year is known.';
COMMENT ON COLUMN registry.segment_version.coating IS '防腐层: Outer coating of steel.';
COMMENT ON COLUMN registry.segment_version.cathodic_protection IS '阴极保护: Cathodic protection in service.';
COMMENT ON COLUMN registry.segment_version.joint IS '接口型式: Joint type that prevails on the segment.';
COMMENT ON COLUMN registry.segment_version.laying IS '埋设方式: How the pipe is laid.';
COMMENT ON COLUMN registry.segment_version.surface IS '敷设环境: Ground surface above the pipe.';
COMMENT ON COLUMN registry.segment_version.cover_depth_m IS '埋深: Depth of cover to the pipe top. [m]';
COMMENT ON COLUMN registry.segment_version.street_name IS '所在道路: Street in which the pipe lies, as delivered.';
COMMENT ON COLUMN registry.segment_version.compound_name IS '所在小区: Residential compound in which the pipe lies, as delivered.';
COMMENT ON COLUMN registry.segment_version.owner IS '权属单位: Company that owns the pipe.';
COMMENT ON COLUMN registry.segment_version.status IS '使用状态: Whether the pipe is in use.';
COMMENT ON COLUMN registry.segment_version.assessment IS '评估结果: Latest ageing assessment, one of the four outcomes of the official guide.';
COMMENT ON COLUMN registry.segment_version.assessed_on IS '评估日期: Day of the latest ageing assessment.';
COMMENT ON COLUMN registry.segment_version.is_encroached IS '是否占压: A structure stands on the pipe or inside its clearance.';
COMMENT ON COLUMN registry.segment_version.retired_on IS '停用日期: Day on which the pipe was taken out of service.';
COMMENT ON COLUMN registry.segment_version.remark IS '备注: Free remark as delivered.';
COMMENT ON COLUMN registry.segment_version.geom IS '图形: Course of the pipe, two-dimensional, in the working CRS. [m]';
COMMENT ON COLUMN registry.segment_version.elevations_m IS '高程: Elevation of each vertex where the delivery had a third dimension. [m]';
COMMENT ON COLUMN registry.segment_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.segment_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.segment_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.node (
    node_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT node_id_is_not_empty CHECK (node_id <> '')
);
CREATE UNIQUE INDEX node_has_one_identity ON registry.node (node_id);
COMMENT ON TABLE registry.node IS 'Identity of nodes: that an id exists and which delivery named it first.';

CREATE TABLE registry.node_version (
    node_id text COLLATE "C" NOT NULL,
    medium text,
    kind text,
    ground_elevation_m double precision,
    cover_depth_m double precision,
    owner text,
    geom geometry(Point, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT ground_elevation_m_is_between_minus_500_and_9000 CHECK (ground_elevation_m BETWEEN -500 AND 9000),
    CONSTRAINT cover_depth_m_is_between_0_and_15 CHECK (cover_depth_m BETWEEN 0 AND 15),
    CONSTRAINT node_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT node_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT node_past_versions_do_not_overlap EXCLUDE USING gist (
        node_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX node_has_one_current_version ON registry.node_version (node_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX node_version_lies_in_space ON registry.node_version USING gist (geom);
COMMENT ON TABLE registry.node_version IS 'Versions of nodes: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.node_version.node_id IS '管点编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.node_version.medium IS '介质: What the network carries.';
COMMENT ON COLUMN registry.node_version.kind IS '管点类别: Feature or appendage at the point, as delivered.';
COMMENT ON COLUMN registry.node_version.ground_elevation_m IS '地面高程: Ground elevation at the point. [m]';
COMMENT ON COLUMN registry.node_version.cover_depth_m IS '埋深: Depth of cover to the pipe top. [m]';
COMMENT ON COLUMN registry.node_version.owner IS '权属单位: Company that owns the point.';
COMMENT ON COLUMN registry.node_version.geom IS '图形: Position of the survey point. [m]';
COMMENT ON COLUMN registry.node_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.node_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.node_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.leak (
    leak_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT leak_id_is_not_empty CHECK (leak_id <> '')
);
CREATE UNIQUE INDEX leak_has_one_identity ON registry.leak (leak_id);
COMMENT ON TABLE registry.leak IS 'Identity of leaks: that an id exists and which delivery named it first.';

CREATE TABLE registry.leak_version (
    leak_id text COLLATE "C" NOT NULL,
    leaked_on date NOT NULL,
    medium text,
    part text,
    cause text,
    grade text,
    source text,
    position_quality text,
    address text,
    segment_id text,
    repaired_on date,
    geom geometry(Point, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT leak_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT leak_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT leak_past_versions_do_not_overlap EXCLUDE USING gist (
        leak_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX leak_has_one_current_version ON registry.leak_version (leak_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX leak_version_lies_in_space ON registry.leak_version USING gist (geom);
COMMENT ON TABLE registry.leak_version IS 'Versions of leaks: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.leak_version.leak_id IS '漏点编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.leak_version.leaked_on IS '发现日期: Day on which the leak was found.';
COMMENT ON COLUMN registry.leak_version.medium IS '介质: What leaked.';
COMMENT ON COLUMN registry.leak_version.part IS '泄漏部位: Which part of the network leaked; only mains count towards a segment''s own history.';
COMMENT ON COLUMN registry.leak_version.cause IS '泄漏原因: Cause of the leak.';
COMMENT ON COLUMN registry.leak_version.grade IS '泄漏等级: Urgency of the leak.';
COMMENT ON COLUMN registry.leak_version.source IS '信息来源: Who or what reported it.';
COMMENT ON COLUMN registry.leak_version.position_quality IS '定位方式: How the position is known.';
COMMENT ON COLUMN registry.leak_version.address IS '地址: Address as reported.';
COMMENT ON COLUMN registry.leak_version.segment_id IS '管段编号: Segment named by the crew, where stated.';
COMMENT ON COLUMN registry.leak_version.repaired_on IS '修复日期: Day on which the repair was finished.';
COMMENT ON COLUMN registry.leak_version.geom IS '图形: Reported position. [m]';
COMMENT ON COLUMN registry.leak_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.leak_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.leak_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.project (
    project_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT project_id_is_not_empty CHECK (project_id <> '')
);
CREATE UNIQUE INDEX project_has_one_identity ON registry.project (project_id);
COMMENT ON TABLE registry.project IS 'Identity of projects: that an id exists and which delivery named it first.';

CREATE TABLE registry.project_version (
    project_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    state text,
    starts_on date,
    ends_on date,
    owner text,
    opens_ground text,
    compound_name text,
    street_name text,
    half_width_m double precision,
    building_count integer,
    household_count integer,
    cost_cny double precision,
    geom geometry(Geometry, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT half_width_m_is_between_0_5_and_100 CHECK (half_width_m BETWEEN 0.5 AND 100),
    CONSTRAINT building_count_is_between_0_and_100000 CHECK (building_count BETWEEN 0 AND 100000),
    CONSTRAINT household_count_is_between_0_and_10000000 CHECK (household_count BETWEEN 0 AND 10000000),
    CONSTRAINT cost_cny_is_at_least_0 CHECK (cost_cny >= 0),
    CONSTRAINT project_does_not_end_before_it_starts CHECK (starts_on <= ends_on),
    CONSTRAINT project_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT project_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT project_past_versions_do_not_overlap EXCLUDE USING gist (
        project_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX project_has_one_current_version ON registry.project_version (project_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX project_version_lies_in_space ON registry.project_version USING gist (geom);
COMMENT ON TABLE registry.project_version IS 'Versions of projects: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.project_version.project_id IS '工程编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.project_version.name IS '工程名称: Name of the project.';
COMMENT ON COLUMN registry.project_version.kind IS '工程类别: What kind of project it is.';
COMMENT ON COLUMN registry.project_version.state IS '工程状态: How firm the project is.';
COMMENT ON COLUMN registry.project_version.starts_on IS '开工日期: First day of work on site.';
COMMENT ON COLUMN registry.project_version.ends_on IS '完工日期: Last day of work on site; a plan year alone means the whole year.';
COMMENT ON COLUMN registry.project_version.owner IS '实施主体: Party that carries the project out.';
COMMENT ON COLUMN registry.project_version.opens_ground IS '开挖程度: How much of the ground the project opens.';
COMMENT ON COLUMN registry.project_version.compound_name IS '小区名称: Compound that is renovated; gives the extent where none is delivered.';
COMMENT ON COLUMN registry.project_version.street_name IS '道路名称: Street that is repaired; gives the extent where none is delivered.';
COMMENT ON COLUMN registry.project_version.half_width_m IS '半宽: Half of the width of the works where the extent is a centreline. [m]';
COMMENT ON COLUMN registry.project_version.building_count IS '楼栋数: Buildings in a renovated compound.';
COMMENT ON COLUMN registry.project_version.household_count IS '户数: Households in a renovated compound.';
COMMENT ON COLUMN registry.project_version.cost_cny IS '投资: Budget of the project. [CNY]';
COMMENT ON COLUMN registry.project_version.geom IS '图形: Extent: polygon of a compound or centreline of a road project. [m]';
COMMENT ON COLUMN registry.project_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.project_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.project_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.compound (
    compound_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT compound_id_is_not_empty CHECK (compound_id <> '')
);
CREATE UNIQUE INDEX compound_has_one_identity ON registry.compound (compound_id);
COMMENT ON TABLE registry.compound IS 'Identity of compounds: that an id exists and which delivery named it first.';

CREATE TABLE registry.compound_version (
    compound_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    built_year integer,
    building_count integer,
    household_count integer,
    geom geometry(MultiPolygon, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT built_year_is_between_1850_and_2100 CHECK (built_year BETWEEN 1850 AND 2100),
    CONSTRAINT building_count_is_between_0_and_100000 CHECK (building_count BETWEEN 0 AND 100000),
    CONSTRAINT household_count_is_between_0_and_10000000 CHECK (household_count BETWEEN 0 AND 10000000),
    CONSTRAINT compound_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT compound_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT compound_past_versions_do_not_overlap EXCLUDE USING gist (
        compound_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX compound_has_one_current_version ON registry.compound_version (compound_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX compound_version_lies_in_space ON registry.compound_version USING gist (geom);
COMMENT ON TABLE registry.compound_version IS 'Versions of compounds: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.compound_version.compound_id IS '小区编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.compound_version.name IS '小区名称: Name of the residential compound.';
COMMENT ON COLUMN registry.compound_version.built_year IS '建成年代: Year in which most of the compound was built. [year]';
COMMENT ON COLUMN registry.compound_version.building_count IS '楼栋数: Buildings in the compound.';
COMMENT ON COLUMN registry.compound_version.household_count IS '户数: Households in the compound.';
COMMENT ON COLUMN registry.compound_version.geom IS '图形: Boundary of the compound. [m]';
COMMENT ON COLUMN registry.compound_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.compound_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.compound_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.road (
    road_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT road_id_is_not_empty CHECK (road_id <> '')
);
CREATE UNIQUE INDEX road_has_one_identity ON registry.road (road_id);
COMMENT ON TABLE registry.road IS 'Identity of roads: that an id exists and which delivery named it first.';

CREATE TABLE registry.road_version (
    road_id text COLLATE "C" NOT NULL,
    name text,
    road_class text,
    width_m double precision,
    pavement text,
    opened_on date,
    overhauled_on date,
    geom geometry(LineString, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT width_m_is_between_1_and_200 CHECK (width_m BETWEEN 1 AND 200),
    CONSTRAINT road_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT road_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT road_past_versions_do_not_overlap EXCLUDE USING gist (
        road_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX road_has_one_current_version ON registry.road_version (road_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX road_version_lies_in_space ON registry.road_version USING gist (geom);
COMMENT ON TABLE registry.road_version IS 'Versions of roads: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.road_version.road_id IS '道路编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.road_version.name IS '道路名称: Name of the street.';
COMMENT ON COLUMN registry.road_version.road_class IS '道路等级: Class of the road.';
COMMENT ON COLUMN registry.road_version.width_m IS '路宽: Width of the carriageway with pavements. [m]';
COMMENT ON COLUMN registry.road_version.pavement IS '路面类型: Pavement of the carriageway.';
COMMENT ON COLUMN registry.road_version.opened_on IS '通车日期: Day on which the road, new or rebuilt, was opened.';
COMMENT ON COLUMN registry.road_version.overhauled_on IS '大修竣工日期: Day on which the last overhaul was completed.';
COMMENT ON COLUMN registry.road_version.geom IS '图形: Centreline. [m]';
COMMENT ON COLUMN registry.road_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.road_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.road_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.building (
    building_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT building_id_is_not_empty CHECK (building_id <> '')
);
CREATE UNIQUE INDEX building_has_one_identity ON registry.building (building_id);
COMMENT ON TABLE registry.building IS 'Identity of buildings: that an id exists and which delivery named it first.';

CREATE TABLE registry.building_version (
    building_id text COLLATE "C" NOT NULL,
    name text,
    use text,
    built_year integer,
    floor_count integer,
    household_count integer,
    compound_id text,
    geom geometry(MultiPolygon, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT built_year_is_between_1500_and_2100 CHECK (built_year BETWEEN 1500 AND 2100),
    CONSTRAINT floor_count_is_between_0_and_200 CHECK (floor_count BETWEEN 0 AND 200),
    CONSTRAINT household_count_is_between_0_and_100000 CHECK (household_count BETWEEN 0 AND 100000),
    CONSTRAINT building_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT building_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT building_past_versions_do_not_overlap EXCLUDE USING gist (
        building_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX building_has_one_current_version ON registry.building_version (building_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX building_version_lies_in_space ON registry.building_version USING gist (geom);
COMMENT ON TABLE registry.building_version IS 'Versions of buildings: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.building_version.building_id IS '建筑编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.building_version.name IS '楼栋名称: Name or number of the building.';
COMMENT ON COLUMN registry.building_version.use IS '用途: What the building is used for.';
COMMENT ON COLUMN registry.building_version.built_year IS '建成年代: Year of construction. [year]';
COMMENT ON COLUMN registry.building_version.floor_count IS '层数: Storeys above ground.';
COMMENT ON COLUMN registry.building_version.household_count IS '户数: Households in the building.';
COMMENT ON COLUMN registry.building_version.compound_id IS '小区编号: Compound to which the building belongs.';
COMMENT ON COLUMN registry.building_version.geom IS '图形: Footprint. [m]';
COMMENT ON COLUMN registry.building_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.building_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.building_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.district (
    district_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT district_id_is_not_empty CHECK (district_id <> '')
);
CREATE UNIQUE INDEX district_has_one_identity ON registry.district (district_id);
COMMENT ON TABLE registry.district IS 'Identity of districts: that an id exists and which delivery named it first.';

CREATE TABLE registry.district_version (
    district_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    geom geometry(MultiPolygon, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT district_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT district_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT district_past_versions_do_not_overlap EXCLUDE USING gist (
        district_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX district_has_one_current_version ON registry.district_version (district_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX district_version_lies_in_space ON registry.district_version USING gist (geom);
COMMENT ON TABLE registry.district_version IS 'Versions of districts: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.district_version.district_id IS '区划编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.district_version.name IS '区划名称: Name of the district.';
COMMENT ON COLUMN registry.district_version.geom IS '图形: Boundary of the district. [m]';
COMMENT ON COLUMN registry.district_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.district_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.district_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.customer (
    customer_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT customer_id_is_not_empty CHECK (customer_id <> '')
);
CREATE UNIQUE INDEX customer_has_one_identity ON registry.customer (customer_id);
COMMENT ON TABLE registry.customer IS 'Identity of customers: that an id exists and which delivery named it first.';

CREATE TABLE registry.customer_version (
    customer_id text COLLATE "C" NOT NULL,
    kind text,
    household_count integer,
    building_id text,
    segment_id text,
    address text,
    geom geometry(Point, 0),
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT household_count_is_between_0_and_100000 CHECK (household_count BETWEEN 0 AND 100000),
    CONSTRAINT customer_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT customer_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT customer_past_versions_do_not_overlap EXCLUDE USING gist (
        customer_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX customer_has_one_current_version ON registry.customer_version (customer_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX customer_version_lies_in_space ON registry.customer_version USING gist (geom);
COMMENT ON TABLE registry.customer_version IS 'Versions of customers: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.customer_version.customer_id IS '用户编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.customer_version.kind IS '用户类别: Kind of customer.';
COMMENT ON COLUMN registry.customer_version.household_count IS '户数: Households behind this connection.';
COMMENT ON COLUMN registry.customer_version.building_id IS '建筑编号: Building that is supplied.';
COMMENT ON COLUMN registry.customer_version.segment_id IS '管段编号: Segment to which the customer is connected, where known.';
COMMENT ON COLUMN registry.customer_version.address IS '地址: Address of the customer.';
COMMENT ON COLUMN registry.customer_version.geom IS '图形: Position of the connection. [m]';
COMMENT ON COLUMN registry.customer_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.customer_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.customer_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.riser_group (
    riser_group_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT riser_group_id_is_not_empty CHECK (riser_group_id <> '')
);
CREATE UNIQUE INDEX riser_group_has_one_identity ON registry.riser_group (riser_group_id);
COMMENT ON TABLE registry.riser_group IS 'Identity of risers: that an id exists and which delivery named it first.';

CREATE TABLE registry.riser_group_version (
    riser_group_id text COLLATE "C" NOT NULL,
    compound_id text,
    compound_name text,
    building_id text,
    riser_count integer,
    household_count integer NOT NULL,
    metres_per_household double precision NOT NULL,
    material text,
    installed_year_min integer,
    installed_year_max integer,
    installed_quality text,
    length_m double precision GENERATED ALWAYS AS (household_count * metres_per_household) STORED,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT riser_count_is_between_0_and_10000 CHECK (riser_count BETWEEN 0 AND 10000),
    CONSTRAINT household_count_is_between_0_and_100000 CHECK (household_count BETWEEN 0 AND 100000),
    CONSTRAINT metres_per_household_is_between_0_5_and_20 CHECK (metres_per_household BETWEEN 0.5 AND 20),
    CONSTRAINT installed_year_min_is_between_1850_and_2100 CHECK (installed_year_min BETWEEN 1850 AND 2100),
    CONSTRAINT installed_year_max_is_between_1850_and_2100 CHECK (installed_year_max BETWEEN 1850 AND 2100),
    CONSTRAINT install_interval_does_not_end_before_it_begins CHECK (installed_year_min <= installed_year_max),
    CONSTRAINT riser_group_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT riser_group_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT riser_group_past_versions_do_not_overlap EXCLUDE USING gist (
        riser_group_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX riser_group_has_one_current_version ON registry.riser_group_version (riser_group_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
COMMENT ON TABLE registry.riser_group_version IS 'Versions of risers: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.riser_group_version.riser_group_id IS '立管组编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.riser_group_version.compound_id IS '小区编号: Compound of the group.';
COMMENT ON COLUMN registry.riser_group_version.compound_name IS '小区名称: Name of the compound, as delivered.';
COMMENT ON COLUMN registry.riser_group_version.building_id IS '建筑编号: Building of the group.';
COMMENT ON COLUMN registry.riser_group_version.riser_count IS '立管根数: Number of risers.';
COMMENT ON COLUMN registry.riser_group_version.household_count IS '户数: Households on the risers.';
COMMENT ON COLUMN registry.riser_group_version.metres_per_household IS '每户米数: Stated factor by which the length is booked. [m]';
COMMENT ON COLUMN registry.riser_group_version.material IS '管材: Material of the risers.';
COMMENT ON COLUMN registry.riser_group_version.installed_year_min IS '建设年代(最早): Earliest year in which the object can have been put in the ground. [year]';
COMMENT ON COLUMN registry.riser_group_version.installed_year_max IS '建设年代(最晚): Latest year in which the object can have been put in the ground; equal to the earliest where the year is known. [year]';
COMMENT ON COLUMN registry.riser_group_version.installed_quality IS '年代来源: How the install year is known.';
COMMENT ON COLUMN registry.riser_group_version.length_m IS '长度: Booked length: households times metres per household. [m]';
COMMENT ON COLUMN registry.riser_group_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.riser_group_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.riser_group_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.valve (
    valve_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT valve_id_is_not_empty CHECK (valve_id <> '')
);
CREATE UNIQUE INDEX valve_has_one_identity ON registry.valve (valve_id);
COMMENT ON TABLE registry.valve IS 'Identity of valves: that an id exists and which delivery named it first.';

CREATE TABLE registry.valve_version (
    valve_id text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    diameter_mm double precision,
    segment_id text,
    installed_year_min integer,
    installed_year_max integer,
    installed_quality text,
    geom geometry(Point, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT diameter_mm_is_between_10_and_4000 CHECK (diameter_mm BETWEEN 10 AND 4000),
    CONSTRAINT installed_year_min_is_between_1850_and_2100 CHECK (installed_year_min BETWEEN 1850 AND 2100),
    CONSTRAINT installed_year_max_is_between_1850_and_2100 CHECK (installed_year_max BETWEEN 1850 AND 2100),
    CONSTRAINT install_interval_does_not_end_before_it_begins CHECK (installed_year_min <= installed_year_max),
    CONSTRAINT valve_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT valve_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT valve_past_versions_do_not_overlap EXCLUDE USING gist (
        valve_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX valve_has_one_current_version ON registry.valve_version (valve_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX valve_version_lies_in_space ON registry.valve_version USING gist (geom);
COMMENT ON TABLE registry.valve_version IS 'Versions of valves: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.valve_version.valve_id IS '阀门编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.valve_version.kind IS '设备类别: Valve, well or regulator.';
COMMENT ON COLUMN registry.valve_version.diameter_mm IS '口径: Nominal diameter. [mm]';
COMMENT ON COLUMN registry.valve_version.segment_id IS '管段编号: Segment on which it sits, where known.';
COMMENT ON COLUMN registry.valve_version.installed_year_min IS '建设年代(最早): Earliest year in which the object can have been put in the ground. [year]';
COMMENT ON COLUMN registry.valve_version.installed_year_max IS '建设年代(最晚): Latest year in which the object can have been put in the ground; equal to the earliest where the year is known. [year]';
COMMENT ON COLUMN registry.valve_version.installed_quality IS '年代来源: How the install year is known.';
COMMENT ON COLUMN registry.valve_version.geom IS '图形: Position. [m]';
COMMENT ON COLUMN registry.valve_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.valve_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.valve_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.context_object (
    context_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT context_object_id_is_not_empty CHECK (context_id <> '')
);
CREATE UNIQUE INDEX context_object_has_one_identity ON registry.context_object (context_id);
COMMENT ON TABLE registry.context_object IS 'Identity of context: that an id exists and which delivery named it first.';

CREATE TABLE registry.context_object_version (
    context_id text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    name text,
    level text,
    geom geometry(Geometry, 0) NOT NULL,
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT context_object_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT context_object_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT context_object_past_versions_do_not_overlap EXCLUDE USING gist (
        context_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX context_object_has_one_current_version ON registry.context_object_version (context_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX context_object_version_lies_in_space ON registry.context_object_version USING gist (geom);
COMMENT ON TABLE registry.context_object_version IS 'Versions of context: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.context_object_version.context_id IS '环境要素编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.context_object_version.kind IS '要素类别: What the layer tells about the ground.';
COMMENT ON COLUMN registry.context_object_version.name IS '名称: Name of the object.';
COMMENT ON COLUMN registry.context_object_version.level IS '程度: Degree as delivered, for example of soil corrosivity.';
COMMENT ON COLUMN registry.context_object_version.geom IS '图形: Point or area. [m]';
COMMENT ON COLUMN registry.context_object_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.context_object_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.context_object_version.delivery_id IS 'Delivery that wrote this version.';

CREATE TABLE registry.run (
    run_id text NOT NULL,
    kind text NOT NULL,
    name text,
    made_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    as_of date NOT NULL,
    known_at timestamptz,
    registry_version bigint NOT NULL,
    code_version text NOT NULL,
    policy jsonb NOT NULL,
    summary jsonb NOT NULL,
    CONSTRAINT run_has_an_id PRIMARY KEY (run_id),
    CONSTRAINT run_is_a_score_an_overlap_or_a_plan CHECK (kind IN ('score', 'overlap', 'plan')),
    CONSTRAINT run_of_a_kind_has_one_name UNIQUE (kind, name)
);
COMMENT ON TABLE registry.run IS 'One computation whose results are kept: what it was made from and with which policy, so that it can be re-made and never needs to be.';

CREATE TABLE registry.run_scores (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    policy_class text NOT NULL,
    policy_code text NOT NULL,
    is_backward_material boolean NOT NULL,
    is_long_service boolean NOT NULL,
    is_heavy_leakage boolean NOT NULL,
    has_hazard boolean NOT NULL,
    age_years double precision,
    length_m double precision NOT NULL,
    leak_count double precision NOT NULL,
    ln_likelihood_base double precision NOT NULL,
    ln_likelihood_material double precision NOT NULL,
    ln_likelihood_protection double precision NOT NULL,
    ln_likelihood_age double precision NOT NULL,
    ln_likelihood_diameter double precision NOT NULL,
    ln_likelihood_history double precision NOT NULL,
    likelihood_per_km_year double precision NOT NULL,
    ln_consequence_pressure double precision NOT NULL,
    ln_consequence_building double precision NOT NULL,
    ln_consequence_surface double precision NOT NULL,
    ln_consequence_household double precision NOT NULL,
    consequence_index double precision NOT NULL,
    risk_per_km_year double precision NOT NULL,
    risk_per_year double precision NOT NULL,
    grade text NOT NULL,
    gap_count integer NOT NULL,
    gaps text NOT NULL,
    CONSTRAINT run_scores_row_is_named_once PRIMARY KEY (run_id, segment_id),
    CONSTRAINT run_scores_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
COMMENT ON TABLE registry.run_scores IS 'Rows of the frame scores that a run made.';
COMMENT ON COLUMN registry.run_scores.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_scores.policy_class IS '政策类别: What the rules ask of the segment, before any score.';
COMMENT ON COLUMN registry.run_scores.policy_code IS '规则代码: Code of the rule that decided the class.';
COMMENT ON COLUMN registry.run_scores.is_backward_material IS '材质落后: The material is on the list of backward materials of the rule set.';
COMMENT ON COLUMN registry.run_scores.is_long_service IS '使用年限较长: In service for at least the threshold of the rule set.';
COMMENT ON COLUMN registry.run_scores.is_heavy_leakage IS '漏损严重: Leaks per kilometre and year of its own record reach the threshold of the rule set.';
COMMENT ON COLUMN registry.run_scores.has_hazard IS '存在安全隐患: A hazard is on record: encroachment or an assessment that asks for renewal.';
COMMENT ON COLUMN registry.run_scores.age_years IS '管龄: Age at the as-of date, middle of the install interval. [year]';
COMMENT ON COLUMN registry.run_scores.length_m IS '长度: Length of the segment. [m]';
COMMENT ON COLUMN registry.run_scores.leak_count IS '漏点数: Expected number of leaks on record on the segment, without the causes that the weights leave out (third-party damage).';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_base IS '可能性·基准率: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_material IS '可能性·管材: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_protection IS '可能性·防腐与阴保: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_age IS '可能性·管龄: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_diameter IS '可能性·管径: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_history IS '可能性·自身漏损史: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.likelihood_per_km_year IS '失效可能性: Expected leaks per kilometre and year. [1/(km*year)]';
COMMENT ON COLUMN registry.run_scores.ln_consequence_pressure IS '后果·压力: Natural logarithm of the factor; the contributions add up to the logarithm of the consequence.';
COMMENT ON COLUMN registry.run_scores.ln_consequence_building IS '后果·临近建筑: Natural logarithm of the factor; the contributions add up to the logarithm of the consequence.';
COMMENT ON COLUMN registry.run_scores.ln_consequence_surface IS '后果·地面: Natural logarithm of the factor; the contributions add up to the logarithm of the consequence.';
COMMENT ON COLUMN registry.run_scores.ln_consequence_household IS '后果·户数: Natural logarithm of the factor; the contributions add up to the logarithm of the consequence.';
COMMENT ON COLUMN registry.run_scores.consequence_index IS '失效后果: Consequence of a leak relative to the reference segment of the weights.';
COMMENT ON COLUMN registry.run_scores.risk_per_km_year IS '单位长度风险: Likelihood times consequence. [1/(km*year)]';
COMMENT ON COLUMN registry.run_scores.risk_per_year IS '年风险: Risk per kilometre and year times length. [1/year]';
COMMENT ON COLUMN registry.run_scores.grade IS '风险等级: One of four grades by fixed thresholds of the weights.';
COMMENT ON COLUMN registry.run_scores.gap_count IS '缺项数: Number of attributes that were unknown and took a documented default.';
COMMENT ON COLUMN registry.run_scores.gaps IS '缺项: Names of the unknown attributes, separated by commas.';

CREATE TABLE registry.run_leak_links (
    run_id text NOT NULL,
    leak_id text NOT NULL,
    segment_id text NOT NULL,
    probability double precision NOT NULL,
    distance_m double precision,
    measure_m double precision,
    CONSTRAINT run_leak_links_row_is_named_once PRIMARY KEY (run_id, leak_id, segment_id),
    CONSTRAINT run_leak_links_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
COMMENT ON TABLE registry.run_leak_links IS 'Rows of the frame leak_links that a run made.';
COMMENT ON COLUMN registry.run_leak_links.leak_id IS '漏点编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_leak_links.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_leak_links.probability IS '概率: Probability that the leak belongs to the segment; those of one leak add up to at most one.';
COMMENT ON COLUMN registry.run_leak_links.distance_m IS '距离: Distance from the reported position to the segment; empty where the crew named the segment without a position. [m]';
COMMENT ON COLUMN registry.run_leak_links.measure_m IS '里程: Distance along the segment from its start; empty where no position was reported. [m]';

CREATE TABLE registry.run_pairs (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    project_id text NOT NULL,
    project_kind text NOT NULL,
    overlap_m double precision NOT NULL,
    overlap_share double precision NOT NULL,
    starts_on date,
    ends_on date,
    meets_years boolean NOT NULL,
    first_year integer,
    last_year integer,
    CONSTRAINT run_pairs_row_is_named_once PRIMARY KEY (run_id, segment_id, project_id),
    CONSTRAINT run_pairs_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
COMMENT ON TABLE registry.run_pairs IS 'Rows of the frame pairs that a run made.';
COMMENT ON COLUMN registry.run_pairs.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_pairs.project_id IS '工程编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_pairs.project_kind IS '工程类别: Kind of the project.';
COMMENT ON COLUMN registry.run_pairs.overlap_m IS '重叠长度: Length of the segment inside the extent of the project. [m]';
COMMENT ON COLUMN registry.run_pairs.overlap_share IS '重叠比例: Overlap divided by the length of the segment.';
COMMENT ON COLUMN registry.run_pairs.starts_on IS '开工日期: First day of the project.';
COMMENT ON COLUMN registry.run_pairs.ends_on IS '完工日期: Last day of the project.';
COMMENT ON COLUMN registry.run_pairs.meets_years IS '与计划期相交: Whether the dates of the project meet the planning years.';
COMMENT ON COLUMN registry.run_pairs.first_year IS '首个共同年度: First planning year in which the project is on site. [year]';
COMMENT ON COLUMN registry.run_pairs.last_year IS '最后共同年度: Last planning year in which the project is on site. [year]';

CREATE TABLE registry.run_batches (
    run_id text NOT NULL,
    batch_id text NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    year integer,
    policy_class text NOT NULL,
    segment_count integer NOT NULL,
    length_m double precision NOT NULL,
    mandatory_m double precision NOT NULL,
    household_count integer,
    risk_per_year double precision NOT NULL,
    value double precision NOT NULL,
    cost_alone_cny double precision NOT NULL,
    saving_cny double precision NOT NULL,
    cost_cny double precision NOT NULL,
    project_id text,
    CONSTRAINT run_batches_row_is_named_once PRIMARY KEY (run_id, batch_id),
    CONSTRAINT run_batches_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
COMMENT ON TABLE registry.run_batches IS 'Rows of the frame batches that a run made.';
COMMENT ON COLUMN registry.run_batches.batch_id IS '批次编号: Id of the batch, stable for equal content.';
COMMENT ON COLUMN registry.run_batches.kind IS '批次类别: Compound or street run.';
COMMENT ON COLUMN registry.run_batches.label IS '地点: Name of the compound or street; a dash where the street has no name.';
COMMENT ON COLUMN registry.run_batches.year IS '年度: Year in which it is renewed; empty where the plan leaves it out. [year]';
COMMENT ON COLUMN registry.run_batches.policy_class IS '政策类别: Strictest policy class among its segments.';
COMMENT ON COLUMN registry.run_batches.segment_count IS '管段数: Number of segments.';
COMMENT ON COLUMN registry.run_batches.length_m IS '长度: Length renewed. [m]';
COMMENT ON COLUMN registry.run_batches.mandatory_m IS '必改长度: Length of its mandatory segments. [m]';
COMMENT ON COLUMN registry.run_batches.household_count IS '户数: Households of its compound or connected to its segments; empty where no customer or compound record tells.';
COMMENT ON COLUMN registry.run_batches.risk_per_year IS '年风险: Risk that its renewal removes each year. [1/year]';
COMMENT ON COLUMN registry.run_batches.value IS '效益: Discounted risk removed over the horizon when done in its year; 0 where the plan leaves it out.';
COMMENT ON COLUMN registry.run_batches.cost_alone_cny IS '单独实施费用: Cost without any project. [CNY]';
COMMENT ON COLUMN registry.run_batches.saving_cny IS '同步节约: Reinstatement saved by going together with a project in that year. [CNY]';
COMMENT ON COLUMN registry.run_batches.cost_cny IS '费用: Cost alone less the saving. [CNY]';
COMMENT ON COLUMN registry.run_batches.project_id IS '同步工程: Project that opens most of its ground in that year.';

CREATE TABLE registry.run_batch_segments (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    batch_id text NOT NULL,
    year integer,
    cost_cny double precision NOT NULL,
    project_id text,
    CONSTRAINT run_batch_segments_row_is_named_once PRIMARY KEY (run_id, segment_id),
    CONSTRAINT run_batch_segments_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
COMMENT ON TABLE registry.run_batch_segments IS 'Rows of the frame batch_segments that a run made.';
COMMENT ON COLUMN registry.run_batch_segments.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_batch_segments.batch_id IS '批次编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_batch_segments.year IS '年度: Year of its batch; empty where the plan leaves it out. [year]';
COMMENT ON COLUMN registry.run_batch_segments.cost_cny IS '费用: Share of the cost of the batch. [CNY]';
COMMENT ON COLUMN registry.run_batch_segments.project_id IS '同步工程: Project that opens the ground above it in that year.';
