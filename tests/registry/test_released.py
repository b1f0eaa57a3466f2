"""A registry of any released version becomes one of this version and keeps what it held."""

from __future__ import annotations

from collections.abc import Generator
from hashlib import md5
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from registry.cluster import Cluster
from registry.db import connect
from registry.migrate import applied, migrate, sql_files
from registry.settings import Settings
from registry.store import open_registry
from registry.upkeep.backup import row_counts
from registry.upkeep.check import check_registry
from registry.upkeep.programs import Database, embedded_database
from tests.conftest import TODAY
from tests.registry.deliveries import segments, write
from tests.registry.released import FOLDER, load_released, released_versions

LARGEST_BYTES = 200_000
Columns = dict[str, list[str]]


@pytest.fixture(params=released_versions())
def released(request: pytest.FixtureRequest, home: Path) -> Generator[Database]:
    """A registry as a released version made it, in a database of its own."""
    name = f"test_released_{request.param.replace('.', '_')}"
    cluster = Cluster(home)
    cluster.create_database(name)
    database = embedded_database(cluster, name)
    load_released(database, request.param)
    yield database
    cluster.drop_database(name)


def columns_of(connection: psycopg.Connection) -> Columns:
    rows = connection.execute(
        """
        SELECT table_name, array_agg(column_name::text ORDER BY column_name) FROM information_schema.columns
        WHERE table_schema = 'registry' AND table_name NOT IN ('migration', 'value_list') GROUP BY table_name
        """
    ).fetchall()
    return dict(rows)


def hashes(connection: psycopg.Connection, columns: Columns) -> dict[str, str]:
    """One hash a table over the given columns of all its rows."""
    found: dict[str, str] = {}
    for table, names in columns.items():
        statement = sql.SQL("SELECT ROW({})::text FROM {} ORDER BY 1").format(
            sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier("registry", table)
        )
        text = "\n".join(row for (row,) in connection.execute(statement).fetchall())
        found[table] = md5(text.encode(), usedforsecurity=False).hexdigest()
    return found


def test_a_released_registry_is_upgraded_and_keeps_what_it_held(released: Database) -> None:
    with connect(released.info, is_autocommit=True) as connection:
        columns = columns_of(connection)
        counts = row_counts(connection)
        state_hash = connection.execute("SELECT registry_app.state_hash()").fetchall()
        before = hashes(connection, columns)
        assert counts["segment_version"] > 250
        assert counts["held_row"] > 0
        lacking = [name for name in sql_files("data") if name not in applied(connection)]
        assert migrate(connection) == lacking
        assert hashes(connection, columns) == before
        assert {name: row_counts(connection)[name] for name in counts if name != "value_list"} == {
            name: count for name, count in counts.items() if name != "value_list"
        }
        if columns_of(connection) == columns:
            assert connection.execute("SELECT registry_app.state_hash()").fetchall() == state_hash


def test_an_upgraded_registry_is_as_sound_as_a_new_one_and_works_on(
    home: Path, released: Database, tmp_path: Path
) -> None:
    with connect(released.info, is_autocommit=True) as connection:
        migrate(connection)
    checked = check_registry(released, lambda _step, _done, _total: None)
    assert [finding.message("en") for finding in checked.findings] == []
    with open_registry(Settings(home, released.name, None, "tester", "en")) as registry:
        receipt = registry.import_file("segments", write(segments(3), tmp_path / "more.gpkg"), today=TODAY)
        assert receipt.accepted == 3


def test_released_registries_are_kept_and_small() -> None:
    assert {"0.1.0", "0.2.0"} <= set(released_versions())
    assert all(path.stat().st_size < LARGEST_BYTES for path in FOLDER.glob("*.sql.gz"))
