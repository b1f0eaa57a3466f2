"""`digonce db check` is silent on a sound registry and finds each damage that is planted."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from typer.testing import Result

from registry.cluster import Cluster
from registry.db import connect
from registry.errors import DatabaseError
from registry.migrate import sql_files
from registry.rights.roles import roles_in_use
from registry.settings import Settings
from registry.store import open_registry
from registry.upkeep.check import check_registry
from registry.upkeep.content import check_laws, check_listed_columns, check_value_lists
from registry.upkeep.programs import Database, database_of
from registry.upkeep.schema import Snapshot, differences, first_difference, snapshot
from tests.cities import import_city, write_small_city
from tests.registry.upkeep.conftest import all_databases, content, silent

Digonce = Callable[..., Result]
# what is done behind digonce's back -> code of the finding, words in its sentence
SCHEMA_DAMAGE = {
    "index dropped": (
        "DROP INDEX registry.leak_version_lies_in_space",
        "check_absent",
        "CREATE INDEX leak_version_lies",
    ),
    "index altered": (
        "DROP INDEX registry.leak_version_lies_in_space;"
        "CREATE INDEX leak_version_lies_in_space ON registry.leak_version USING gist (geom) WHERE part IS NULL",
        "check_changed",
        "DROP INDEX registry.leak_version_lies_in_space; CREATE INDEX",
    ),
    "function altered": (
        "CREATE OR REPLACE FUNCTION registry_app.state_hash() RETURNS text LANGUAGE sql AS $$SELECT 'same'$$",
        "check_changed",
        "digonce db migrate",
    ),
    "function dropped": ("DROP FUNCTION registry_app.take_indexes_off", "check_absent", "digonce db migrate"),
    "view altered": (
        "CREATE OR REPLACE VIEW registry_app.valves WITH (security_invoker = false) AS"
        " SELECT row.* FROM registry.valve_version AS row WHERE upper_inf(recorded) AND valid @> current_date",
        "check_changed",
        "registry_app.valves",
    ),
    "comment changed": (
        "COMMENT ON COLUMN registry.segment_version.material IS 'colour'",
        "check_changed",
        "it is “colour” and should be “管材",
    ),
    "comment removed": (
        "COMMENT ON TABLE registry.held_row IS NULL",
        "check_absent",
        "COMMENT ON TABLE registry.held_row",
    ),
    "constraint dropped": (
        "ALTER TABLE registry.delivery DROP CONSTRAINT delivery_accounts_for_every_row",
        "check_absent",
        "ADD CONSTRAINT delivery_accounts_for_every_row CHECK",
    ),
    "constraint weakened": (
        "ALTER TABLE registry.run DROP CONSTRAINT run_is_of_a_known_kind;"
        "ALTER TABLE registry.run ADD CONSTRAINT run_is_of_a_known_kind CHECK (kind <> '')",
        "check_changed",
        "DROP CONSTRAINT run_is_of_a_known_kind, ADD CONSTRAINT",
    ),
    "column loosened": ("ALTER TABLE registry.delivery ALTER actor DROP NOT NULL", "check_changed", "SET NOT NULL"),
    "default changed": (
        "ALTER TABLE registry.segment_version ALTER valid SET DEFAULT '[2000-01-01,)'",
        "check_changed",
        "SET DEFAULT '(,)'::daterange",
    ),
    "type changed": (
        "ALTER TABLE registry.held_fault ALTER offered TYPE varchar",
        "check_changed",
        "it is “character varying” and should be “text”",
    ),
    "schema dropped": ("DROP SCHEMA registry_app CASCADE", "check_absent", "digonce db migrate"),
    "table dropped": ("DROP TABLE registry.run_pairs", "check_absent", "digonce db restore"),
    "column added": ("ALTER TABLE registry.info ADD mood text", "check_foreign", "registry.info.mood"),
    "trigger added": (
        "CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;"
        "CREATE TRIGGER swallow BEFORE INSERT ON registry.leak FOR EACH ROW EXECUTE FUNCTION public.nothing()",
        "check_foreign",
        "registry.leak.swallow",
    ),
    "right given": (
        "GRANT DELETE ON registry.segment TO PUBLIC",
        "check_foreign",
        "DELETE on registry.segment to PUBLIC",
    ),
    "row security": ("ALTER TABLE registry.road ENABLE ROW LEVEL SECURITY", "check_changed", "row security"),
    "policy": ("CREATE POLICY nobody ON registry.leak USING (false)", "check_foreign", "registry.leak.nobody"),
}
DATA_DAMAGE = {
    "value gone": ("DELETE FROM registry.value_list WHERE code = 'steel'", "check_value_absent", "“steel”"),
    "value added": (
        "INSERT INTO registry.value_list VALUES ('material', 'bamboo', 99, 'bamboo', '竹')",
        "check_value_foreign",
        "“bamboo”",
    ),
    "value retired": (
        "UPDATE registry.value_list SET is_active = false WHERE code = 'steel'",
        "check_value_absent",
        "steel",
    ),
    "value renamed": (
        "UPDATE registry.value_list SET label_zh = '铁' WHERE code = 'steel'",
        "check_value_changed",
        "steel",
    ),
    "value unlisted": (
        "UPDATE registry.segment_version SET material = 'bamboo' WHERE segment_id = 'GAS-0'",
        "check_value_unlisted",
        "bamboo",
    ),
    "identity deleted": (
        "DELETE FROM registry.segment WHERE segment_id = 'GAS-1'",
        "check_version_has_an_identity",
        "GAS-1",
    ),
    "identity doubled": (
        "DROP INDEX registry.segment_has_one_identity; INSERT INTO registry.segment SELECT * FROM registry.segment",
        "check_identity_is_named_once",
        "GAS-1",
    ),
    "identity of no delivery": (
        "UPDATE registry.segment SET first_delivery_id = 'D0' WHERE segment_id = 'GAS-1'",
        "check_identity_has_a_delivery",
        "GAS-1",
    ),
    "version of no delivery": (
        "UPDATE registry.segment_version SET delivery_id = 'D0' WHERE segment_id = 'GAS-1'",
        "check_version_has_a_delivery",
        "GAS-1",
    ),
    "version doubled": (
        "DROP INDEX registry.segment_has_one_current_version;"
        "INSERT INTO registry.segment_version SELECT * FROM registry.segment_version"
        " WHERE segment_id = 'GAS-1' AND upper_inf(recorded)",
        "check_each_id_is_true_once_now",
        "GAS-1",
    ),
    "version bounded, still overlapping": (
        "INSERT INTO registry.segment_version (segment_id, medium, geom, valid, delivery_id)"
        " SELECT segment_id, medium, geom, '[2001-01-01,2002-01-01)', delivery_id FROM registry.segment_version"
        " WHERE segment_id = 'GAS-1' AND upper_inf(recorded)",
        "check_each_id_is_true_once_now",
        "GAS-1",
    ),
    "past rewritten": (
        "ALTER TABLE registry.segment_version DROP CONSTRAINT segment_past_versions_do_not_overlap;"
        "UPDATE registry.segment_version SET recorded = tstzrange(lower(recorded) - interval '1 day', NULL)"
        " WHERE segment_id = 'GAS-0' AND upper_inf(recorded)",
        "check_each_id_was_true_once",
        "GAS-0",
    ),
    "known from the future on": (
        "UPDATE registry.segment_version SET recorded = tstzrange(now() + interval '1 day', NULL)"
        " WHERE segment_id = 'GAS-1'",
        "check_each_range_holds_something",
        "GAS-1",
    ),
    "shape crossed": (
        "INSERT INTO registry.building (building_id, first_delivery_id)"
        " SELECT 'B', min(delivery_id) FROM registry.delivery;"
        "INSERT INTO registry.building_version (building_id, geom, delivery_id)"
        " SELECT 'B', ST_GeomFromText('MULTIPOLYGON(((0 0, 1 1, 1 0, 0 1, 0 0)))', 4549), min(delivery_id)"
        " FROM registry.delivery",
        "check_geometry_is_valid",
        "building_version",
    ),
    "shape elsewhere": (
        "DROP SCHEMA registry_app CASCADE; ALTER TABLE registry.node_version ALTER geom TYPE geometry;"
        "INSERT INTO registry.node_version (node_id, geom, delivery_id)"
        " SELECT 'N', ST_GeomFromText('POINT(0 0)', 4326), min(delivery_id) FROM registry.delivery",
        "check_geometry_is_in_the_working_crs",
        "node_version",
    ),
    "held row of no delivery": (
        "ALTER TABLE registry.held_row DROP CONSTRAINT held_row_belongs_to_a_delivery;"
        "INSERT INTO registry.held_row VALUES ('D0', 1, '{}')",
        "check_held_row_belongs_to_a_delivery",
        "D0 1",
    ),
    "reason lost": ("DELETE FROM registry.held_fault", "check_held_row_has_a_reason", "D20"),
    "held row lost": (
        "DELETE FROM registry.held_fault; DELETE FROM registry.held_row",
        "check_delivery_has_its_held_rows",
        "D20",
    ),
    "count changed": (
        "ALTER TABLE registry.delivery DROP CONSTRAINT delivery_accounts_for_every_row;"
        "UPDATE registry.delivery SET rows_read = rows_read + 1 WHERE kind = 'leaks'",
        "check_delivery_counts_add_up",
        "D20",
    ),
}
DAMAGE = SCHEMA_DAMAGE | DATA_DAMAGE
MENDED_BY_A_STATEMENT = (
    "index dropped",
    "comment changed",
    "comment removed",
    "constraint dropped",
    "constraint weakened",
    "column loosened",
    "default changed",
    "type changed",
)


def plant(database: Database, statements: str) -> None:
    with connect(database.info) as connection:
        connection.execute(statements.encode())


def test_a_new_registry_is_sound(digonce: Digonce) -> None:
    told = digonce("db", "check", "--json")
    said = json.loads(told.stdout)
    assert (told.exit_code, said["is_sound"], said["findings"], said["notes"]) == (0, True, [], [])
    assert said["looked_at"]["objects"] > 800
    assert said["looked_at"]["laws"] == len(sql_files("check"))
    assert said["looked_at"]["pages"] > 20


def test_a_registry_with_history_is_sound_and_stays_as_it_is(cluster: Cluster, database: Database) -> None:
    before = (content(database.info), content(database.info, "registry_app"), all_databases(cluster))
    checked = check_registry(database, silent)
    assert (checked.findings, checked.notes) == ([], [])
    assert (content(database.info), content(database.info, "registry_app"), all_databases(cluster)) == before
    with connect(database.info) as connection:
        assert connection.execute("SELECT FROM pg_extension WHERE extname = 'amcheck'").fetchall() == []


def test_a_whole_city_is_sound(settings: Settings, tmp_path: Path) -> None:
    with open_registry(settings) as registry:
        import_city(registry, write_small_city(tmp_path, 300))
    assert check_registry(database_of(settings), silent).findings == []


@pytest.fixture(scope="session")
def expected(home: Path, template: str) -> Snapshot:
    """What a new registry of this version has."""
    with connect(Cluster(home).conninfo(template), is_autocommit=True) as connection:
        return snapshot(connection)


@pytest.mark.parametrize("name", SCHEMA_DAMAGE)
def test_each_damage_of_the_schema_is_found_and_told_once(database: Database, expected: Snapshot, name: str) -> None:
    statements, code, words = SCHEMA_DAMAGE[name]
    plant(database, statements)
    with connect(database.info, is_autocommit=True) as connection:
        findings = list(differences(snapshot(connection), expected))
    assert [finding.code for finding in findings] == [code], [finding.message("en") for finding in findings]
    assert words in findings[0].message("en")
    assert findings[0].message("zh") != findings[0].message("en")


@pytest.mark.parametrize("name", DATA_DAMAGE)
def test_each_damage_of_the_data_is_found(database: Database, name: str) -> None:
    statements, code, words = DATA_DAMAGE[name]
    plant(database, statements)
    with connect(database.info, is_autocommit=True) as connection:
        looks = (check_value_lists(connection), check_listed_columns(connection), check_laws(connection, silent))
        findings = [finding for look in looks for finding in look]
    found = [finding.message("en") for finding in findings if finding.code == code]
    assert len(found) == 1, findings
    assert words in found[0]


def test_every_law_has_a_damage_that_breaks_it() -> None:
    laws = {f"check_{name.removesuffix('.sql')}" for name in sql_files("check")}
    assert laws <= {code for _, code, _ in DAMAGE.values()}


def test_the_statement_of_a_finding_mends_it(digonce: Digonce, database: Database) -> None:
    """Every finding that offers a statement is made good by it: planted all at once, mended one by one."""
    for name in MENDED_BY_A_STATEMENT:
        plant(database, SCHEMA_DAMAGE[name][0])
    findings = check_registry(database, silent).findings
    assert len(findings) == len(MENDED_BY_A_STATEMENT)
    for finding in findings:
        plant(database, str(finding.parameters["mend"]))
    # a changed type takes the views along, and says what brings them back
    assert any("then: digonce db migrate" in str(finding.parameters["mend"]) for finding in findings)
    digonce("db", "migrate")
    assert check_registry(database, silent).findings == []


def test_migrate_mends_what_is_rebuilt(digonce: Digonce, database: Database) -> None:
    for name in ("function altered", "function dropped", "view altered", "value renamed"):
        plant(database, DAMAGE[name][0])
    told = digonce("db", "check")
    assert told.exit_code == 1
    assert told.output.count("digonce db migrate") == 4
    digonce("db", "migrate")
    assert digonce("db", "check").exit_code == 0


def test_it_ends_with_1_and_says_what_in_the_readers_words(digonce: Digonce, database: Database) -> None:
    plant(database, "DROP INDEX registry.leak_version_lies_in_space")
    told = digonce("db", "check", "--lang", "zh")
    assert told.exit_code == 1
    assert "缺少索引 registry.leak_version_lies_in_space" in told.output
    said = json.loads(digonce("db", "check", "--json").stdout)
    assert [finding["code"] for finding in said["findings"]] == ["check_absent"]


def test_an_edited_migration_is_told(database: Database) -> None:
    plant(database, "UPDATE registry.migration SET sha256 = 'x'")
    [finding] = check_registry(database, silent).findings
    assert finding.code == "migration_edited"
    assert "0001_core.sql" in finding.message("zh")


def test_laws_wait_for_a_damaged_schema(database: Database) -> None:
    plant(database, "DROP TABLE registry.held_fault")
    codes = {finding.code for finding in check_registry(database, silent).findings}
    assert codes == {"check_absent", "check_laws_unseen"}


def test_an_index_that_contradicts_its_table_is_found(database: Database) -> None:
    """An index over a function whose answer was changed later holds entries that the table denies."""
    plant(
        database,
        "CREATE FUNCTION public.shown(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT $1$$;"
        "CREATE INDEX shown ON registry.segment_version (public.shown(segment_id));"
        "CREATE OR REPLACE FUNCTION public.shown(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT $1 || 'x'$$",
    )
    found = [finding for finding in check_registry(database, silent).findings if finding.code == "check_pages_of_index"]
    assert [finding.parameters["name"] for finding in found] == ["registry.shown"]


def test_an_older_registry_is_told_to_migrate_first(database: Database) -> None:
    plant(database, "DELETE FROM registry.migration WHERE name = (SELECT max(name) FROM registry.migration)")
    with pytest.raises(DatabaseError):
        check_registry(database, silent)


def test_an_empty_database_is_no_registry(cluster: Cluster, absent: Database) -> None:
    cluster.create_database(absent.name)
    with pytest.raises(DatabaseError) as fault:
        check_registry(absent, silent)
    assert fault.value.code == "registry_not_initialised"


@pytest.fixture
def plain_role(home: Path) -> Generator[str]:
    """A role that may make neither databases nor extensions; gone after the database that gives it rights."""
    name = "test_plain"
    server = Cluster(home).conninfo("postgres")
    role = sql.Identifier(name)
    with connect(server) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
    yield name
    with connect(server) as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(role))


def test_what_a_citys_own_server_forbids_is_noted(plain_role: str, own_server: Settings) -> None:
    assert own_server.dsn is not None
    role, name = sql.Identifier(plain_role), sql.Identifier(own_server.registry)
    with connect(own_server.dsn, is_autocommit=True) as connection:
        for schema in ("registry", "registry_app"):
            part = sql.Identifier(schema)
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(part, role))
            connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(part, role))
        connection.execute(sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA registry_app TO {}").format(role))
        connection.execute(sql.SQL("ALTER DATABASE {} SET role = {}").format(name, sql.Literal(plain_role)))
    checked = check_registry(database_of(own_server), silent)
    assert checked.findings == []
    assert [note.code for note in checked.notes] == ["check_schema_unseen", "check_pages_unseen"]


def test_a_right_that_was_taken_is_missed(database: Database) -> None:
    with connect(database.info) as connection:
        reader = roles_in_use(connection)["reader"]
    plant(database, " ".join(("REVOKE SELECT ON registry.road FROM", reader)))
    [finding] = check_registry(database, silent).findings
    assert f"SELECT on registry.road to {reader}" in finding.message("en")


def test_a_snapshot_leaves_the_connection_as_it_was(connection: psycopg.Connection) -> None:
    before = connection.execute("SHOW search_path").fetchall()
    assert {kind for kind, _ in snapshot(connection)} >= {"table", "column", "constraint", "index", "comment", "view"}
    with connect(connection.info.dsn, is_autocommit=True) as other:
        snapshot(other)
        assert other.execute("SHOW search_path").fetchall() == before


@pytest.mark.parametrize(
    ("found", "expected", "told"),
    [
        ("a\nb\nc", "a\nx\nc", ("b", "x")),
        ("a", "a\nb", ("—", "b")),
        ("", "with grant option", ("—", "with grant option")),
        ("a   b", "a  c", ("a b", "a c")),
        ("y" * 500, "z", ("y" * 159 + "…", "z")),
    ],
)
def test_the_first_lines_that_differ_are_told(found: str, expected: str, told: tuple[str, str]) -> None:
    assert first_difference(found, expected) == told
