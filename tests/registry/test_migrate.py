"""Migrations run once, refuse edited history, and rebuild the views; a fresh schema is what running them gives."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from registry import migrate as subject
from registry.cluster import Cluster
from registry.db import connect
from registry.errors import DatabaseError, SettingsError
from registry.lifecycle import initialise, remove
from registry.rights.roles import roles_in_use
from registry.settings import Settings
from registry.store import Registry, open_registry


def test_a_second_migrate_runs_nothing_and_keeps_the_data(registry: Registry) -> None:
    before = registry.state_hash()
    with connect(registry.info) as connection:
        roles = roles_in_use(connection)
    assert subject.migrate(registry.connection, roles=roles) == []
    assert registry.state_hash() == before


def test_every_geometry_column_has_the_working_crs(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        "SELECT f_table_name, srid FROM geometry_columns WHERE f_table_schema = 'registry'"
    ).fetchall()
    assert len(rows) == 15
    assert {srid for _, srid in rows} == {4549}


def test_an_edited_migration_is_refused(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = {name: content + b"\n-- later thought" for name, content in subject.sql_files("data").items()}
    monkeypatch.setattr(subject, "sql_files", lambda folder: edited if folder == "data" else {})
    with pytest.raises(DatabaseError) as fault:
        subject.migrate(registry.connection)
    assert fault.value.code == "migration_edited"


def test_a_migration_from_a_newer_version_is_refused(registry: Registry) -> None:
    registry.connection.execute("INSERT INTO registry.migration (name, sha256) VALUES ('9999_future.sql', 'x')")
    with pytest.raises(DatabaseError) as fault:
        subject.migrate(registry.connection)
    assert fault.value.code == "migration_unknown"


def test_a_failing_migration_leaves_no_trace(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    known = subject.sql_files("data")
    broken = known | {"9998_broken.sql": b"CREATE TABLE registry.half (a int); SELECT 1/0;"}
    real = subject.sql_files
    monkeypatch.setattr(subject, "sql_files", lambda folder: broken if folder == "data" else real(folder))
    with pytest.raises(psycopg.errors.DivisionByZero):
        subject.migrate(registry.connection)
    assert registry.connection.execute("SELECT to_regclass('registry.half')").fetchone() == (None,)
    assert list(subject.applied(registry.connection)) == list(known)


def test_an_older_registry_is_told_to_migrate(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = subject.sql_files("data") | {"9997_more.sql": b"SELECT 1"}
    monkeypatch.setattr(subject, "sql_files", lambda folder: newer if folder == "data" else {})
    with pytest.raises(DatabaseError) as fault, open_registry(settings):
        pass
    assert fault.value.code == "migrations_pending"
    assert "9997_more.sql" in str(fault.value)


def test_a_registry_is_made_once(settings: Settings) -> None:
    with pytest.raises(DatabaseError) as fault:
        initialise(settings, crs="EPSG:4549", city="招远")
    assert fault.value.code == "registry_exists"


@pytest.mark.parametrize(
    ("crs", "timezone", "code"),
    [
        ("EPSG:4490", "Asia/Shanghai", "crs_in_degrees"),
        ("EPSG:4326", "Asia/Shanghai", "crs_in_degrees"),
        ("EPSG:2263", "Asia/Shanghai", "crs_not_in_metres"),
        ("EPSG:999999", "Asia/Shanghai", "crs_unknown"),
        ("北京54", "Asia/Shanghai", "crs_unknown"),
        ("EPSG:4549", "Mars/Olympus", "timezone_unknown"),
    ],
)
def test_a_registry_that_could_not_work_is_not_made(home: Path, crs: str, timezone: str, code: str) -> None:
    own = Settings(home, "test_unmakeable", None, "tester", "en")
    with pytest.raises(SettingsError) as fault:
        initialise(own, crs=crs, city="招远", timezone=timezone)
    assert fault.value.code == code
    assert own.registry not in Cluster(home).databases()


def test_a_removed_registry_is_gone_and_says_how_to_make_one(home: Path) -> None:
    own = Settings(home, "test_removed", None, "tester", "en")
    initialise(own, crs="EPSG:4549", city="招远")
    remove(own)
    remove(own)
    with pytest.raises(DatabaseError) as fault, open_registry(own):
        pass
    assert "digonce init" in str(fault.value)


def test_an_empty_database_is_no_registry(home: Path) -> None:
    own = Settings(home, "test_bare", None, "tester", "en")
    cluster = Cluster(home)
    cluster.create_database(own.registry)
    try:
        with pytest.raises(DatabaseError) as fault, open_registry(own):
            pass
        assert fault.value.code == "registry_not_initialised"
    finally:
        cluster.drop_database(own.registry)


def test_a_past_version_cannot_overlap_another(connection: psycopg.Connection) -> None:
    """The exclusion constraint covers superseded and bounded versions; it costs current rows nothing."""
    connection.execute("SELECT set_config('digonce.delivery', 'D1', true)")
    insert = """
        INSERT INTO registry.road_version (road_id, geom, valid, recorded)
        VALUES ('R1', ST_GeomFromText('LINESTRING(0 0, 1 0)', 4549), %s::daterange, %s::tstzrange)
    """
    connection.execute(insert, ["[2000-01-01,2010-01-01)", "[2020-01-01,2021-01-01)"])
    connection.execute(insert, ["[2010-01-01,2011-01-01)", "[2020-01-01,2021-01-01)"])
    connection.execute(insert, ["[2000-01-01,2010-01-01)", "[2021-01-01,)"])
    with pytest.raises(psycopg.errors.ExclusionViolation) as fault:
        connection.execute(insert, ["[2009-12-31,2010-01-01)", "[2020-12-31,2021-06-01)"])
    assert fault.value.diag.constraint_name == "road_past_versions_do_not_overlap"


def test_only_one_version_is_current(connection: psycopg.Connection) -> None:
    connection.execute("SELECT set_config('digonce.delivery', 'D1', true)")
    insert = (
        "INSERT INTO registry.road_version (road_id, geom) VALUES ('R1', ST_GeomFromText('LINESTRING(0 0, 1 0)', 4549))"
    )
    connection.execute(insert)
    with pytest.raises(psycopg.errors.UniqueViolation) as fault:
        connection.execute(insert)
    assert fault.value.diag.constraint_name == "road_has_one_current_version"


def test_the_state_hash_sees_content_and_nothing_else(connection: psycopg.Connection) -> None:
    def state() -> str:
        row = connection.execute("SELECT registry_app.state_hash()").fetchone()
        assert row is not None
        return str(row[0])

    def insert(road: str, delivery: str) -> None:
        connection.execute(
            """
            INSERT INTO registry.road_version (road_id, geom, delivery_id)
            VALUES (%s, ST_GeomFromText('LINESTRING(0 0, 1 0)', 4549), %s)
            """,
            [road, delivery],
        )

    empty = state()
    insert("R1", "D1")
    insert("R2", "D1")
    one_way = state()
    connection.execute("DELETE FROM registry.road_version")
    assert state() == empty != one_way
    insert("R2", "D2")
    insert("R1", "D3")
    assert state() == one_way
    connection.execute("UPDATE registry.road_version SET name = '金城路' WHERE road_id = 'R1'")
    assert state() != one_way
