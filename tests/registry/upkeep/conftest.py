"""What the tests of the upkeep share: a registry with all sorts of rows, and its whole content to compare."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from registry.cluster import Cluster
from registry.db import connect
from registry.settings import Settings
from registry.store import open_registry
from registry.upkeep.programs import Database, embedded_database
from tests.conftest import TODAY
from tests.registry.deliveries import leaks_csv, segments, write

Content = dict[str, list[str]]


def silent(_step: str, _done: int, _total: int) -> None:
    """Report to nobody."""


def content(info: str, schema: str = "registry") -> Content:
    """Every row of every table as PostgreSQL writes it: the slow, obvious way to tell two registries apart."""
    with connect(info, is_autocommit=True) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema]
        ).fetchall()
        return {name: _rows(connection, schema, name) for (name,) in names}


def _rows(connection: psycopg.Connection, schema: str, table: str) -> list[str]:
    statement = sql.SQL("SELECT row::text FROM {} AS row ORDER BY 1").format(sql.Identifier(schema, table))
    return [text for (text,) in connection.execute(statement).fetchall()]


def all_databases(cluster: Cluster) -> set[str]:
    """The databases of the server, scratch ones too."""
    with connect(cluster.conninfo("postgres"), is_autocommit=True) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}


def deliver(settings: Settings, folder: Path) -> None:
    """Take in two censuses, the second of which changes the first, and leaks; one row of each is held back."""
    with open_registry(settings) as registry:
        for number, material in enumerate(("灰口铸铁", "钢")):
            census = segments(4, 管材=[material, "PE", "灰口铸鉄", "不明"], 备注=["a'b", "换行\t制表", None, "\\N"])
            path = write(census, folder / f"census-{number}.gpkg")
            registry.import_file("segments", path, today=TODAY, is_accepted=True)
        rows = [{"漏点编号": f"L{n}", "发现日期": day, "X坐标": 4_137_000.0, "Y坐标": 535_000.0 + n, "泄漏部位": "干管"}
                for n, day in enumerate(("2020-01-02", "2031-01-02"))]  # fmt: skip
        registry.import_file("leaks", leaks_csv(folder / "leaks.csv", rows), today=TODAY)


@pytest.fixture
def cluster(home: Path) -> Cluster:
    return Cluster(home)


@pytest.fixture(scope="session")
def filled_template(home: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry with versions, held-back rows and words that are hard to quote, to clone from."""
    name = "template_filled"
    Cluster(home).create_database(name, template)
    deliver(Settings(home, name, None, "tester", "en"), tmp_path_factory.mktemp("deliveries"))
    return name


@pytest.fixture
def filled(settings: Settings, cluster: Cluster, filled_template: str) -> Settings:
    """The settings of such a registry that only this test has."""
    cluster.drop_database(settings.registry)
    cluster.create_database(settings.registry, filled_template)
    return settings


@pytest.fixture
def database(filled: Settings, cluster: Cluster) -> Database:
    """The database of the filled registry."""
    return embedded_database(cluster, filled.registry)


@pytest.fixture
def absent(settings: Settings, cluster: Cluster) -> Generator[Database]:
    """A registry that does not exist yet; dropped afterwards."""
    name = f"{settings.registry}_restored"
    yield embedded_database(cluster, name)
    cluster.drop_database(name)


@pytest.fixture
def own_server(settings: Settings, cluster: Cluster) -> Settings:
    """Settings that name the database of this test as one on a city's own server."""
    return replace(settings, dsn=cluster.conninfo(settings.registry))
