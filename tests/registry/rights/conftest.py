"""A registry of two organisations with members of every role, who come to the server by logins of their own."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner, Result

from registry.cluster import Cluster
from registry.db import connect
from registry.lifecycle import initialise, upgrade
from registry.rights.members import add_member
from registry.settings import Settings
from registry.store import Registry, open_registry
from tests.conftest import TODAY
from tests.registry.deliveries import leaks_csv, line, segments, write

EAST_GAS, WEST_GAS = "城东燃气", "城西燃气"
# login -> role, organisation
MEMBERS: dict[str, tuple[str, str | None]] = {
    "t_reader": ("reader", None),
    "t_planner": ("planner", None),
    "t_editor": ("editor", None),
    "t_admin": ("admin", None),
    "t_east_reader": ("reader", EAST_GAS),
    "t_east_planner": ("planner", EAST_GAS),
    "t_east_editor": ("editor", EAST_GAS),
    "t_west_editor": ("editor", WEST_GAS),
}
OWNERS = {"EAST": EAST_GAS, "WEST": WEST_GAS, "OPEN": None}
Run = Callable[..., Result]


def census(count: int = 3, prefixes: tuple[str, ...] = tuple(OWNERS), **columns: Any) -> Any:
    """Segments of each organisation and of nobody: EAST-0, …, WEST-0, …, OPEN-0, …"""
    ids = [f"{prefix}-{number}" for prefix in prefixes for number in range(count)]
    owners = [OWNERS[prefix] for prefix in prefixes for _ in range(count)]
    lines = [line(200.0 * list(OWNERS).index(prefix), 60.0 * number) for prefix in prefixes for number in range(count)]
    return segments(len(ids), geometry=lines, **({"管段编号": ids, "权属单位": owners} | columns))


def fill(registry: Registry, folder: Path) -> None:
    """Take in segments and leaks of both, one row of each held back, and a correction that waits for review."""
    folder.mkdir(exist_ok=True)
    rows = census()
    rows.loc[[2, 5, 8], "管径"] = "粗"
    registry.import_file("segments", write(rows, folder / "census.gpkg"), today=TODAY)
    leaks = [
        {"漏点编号": f"{name}-L{number}", "发现日期": "2020-01-02" if number else "2031-01-02", "泄漏部位": "干管",
         "权属单位": owner or "", "X坐标": 4_137_000.0 + number, "Y坐标": 535_010.0}
        for name, owner in OWNERS.items() for number in range(2)
    ]  # fmt: skip
    registry.import_file("leaks", leaks_csv(folder / "leaks.csv", leaks), today=TODAY)
    newer = census().drop(index=[2, 5, 8]).assign(管材="PE100")
    assert registry.import_file("segments", write(newer, folder / "newer.gpkg"), today=TODAY).state == "pending"


@pytest.fixture(scope="session")
def logins(home: Path) -> tuple[str, ...]:
    """Let the one who runs the tests come to the server as each member."""
    own = getpass.getuser()
    ident = Cluster(home).data_folder / "pg_ident.conf"
    with ident.open("a", encoding="utf-8") as lines:
        lines.writelines(f'digonce "{own}" {login}\n' for login in MEMBERS)
    with connect(Cluster(home).conninfo("postgres"), is_autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
    return tuple(MEMBERS)


@pytest.fixture(scope="session")
def city_template(home: Path, template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A filled registry to clone from."""
    name = "template_rights"
    Cluster(home).create_database(name, template)
    with open_registry(Settings(home, name, None, "founder", "en")) as registry:
        fill(registry, tmp_path_factory.mktemp("rights"))
    return name


@pytest.fixture
def city(settings: Settings, home: Path, city_template: str, logins: tuple[str, ...]) -> Settings:
    """The owner's settings of a filled registry with roles of its own and all the members."""
    cluster = Cluster(home)
    cluster.drop_database(settings.registry)
    cluster.create_database(settings.registry, city_template)
    upgrade(settings)
    with open_registry(settings) as registry:
        for login in logins:
            role, organisation = MEMBERS[login]
            add_member(registry.connection, registry.acting, login, role, organisation, is_making_logins=True)
    return settings


@pytest.fixture
def empty_city(settings: Settings, logins: tuple[str, ...]) -> Settings:
    """The same, with nothing in it."""
    upgrade(settings)
    with open_registry(settings) as registry:
        for login in logins:
            role, organisation = MEMBERS[login]
            add_member(registry.connection, registry.acting, login, role, organisation, is_making_logins=True)
    return settings


def as_login(settings: Settings, login: str) -> Settings:
    """Return the settings of a member: a server that is reached by a login, as a city's own."""
    info = Cluster(settings.home).conninfo(settings.registry)
    return replace(settings, dsn=make_conninfo(info, user=login), actor=login)


@pytest.fixture
def verb(city: Settings) -> Run:
    """Run a verb of the command line as a member, or as the owner of the server (None)."""
    from digonce import app

    def run(login: str | None, *arguments: str | Path) -> Result:
        dsn = [] if login is None else ["--dsn", str(as_login(city, login).dsn)]
        environment = {
            "DIGONCE_HOME": str(city.home),
            "DIGONCE_REGISTRY": city.registry,
            "DIGONCE_LANG": "en",
            "COLUMNS": "200",
        }
        return CliRunner().invoke(app, [*map(str, arguments), *dsn], env=environment)

    return run


@pytest.fixture
def another(home: Path, settings: Settings) -> Generator[Settings]:
    """A second registry of the same server."""
    own = replace(settings, registry=f"{settings.registry}_b")
    initialise(own, crs="EPSG:4549", city="莱州")
    yield own
    Cluster(home).drop_database(own.registry)
