"""The shape of the code: imports go one way, modules stay small, the planner knows neither clock nor files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PACKAGES = ("registry", "planner", "maps")
# what each package may import of ours
ALLOWED = {"registry": {"registry"}, "planner": {"planner", "registry"}, "maps": set(PACKAGES)}
LONGEST_MODULE, LONGEST_TEST_MODULE, LONGEST_FUNCTION = 400, 600, 60
MODULES = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))
TEST_MODULES = sorted((REPOSITORY / "tests").rglob("*.py"))
# only these may know what the synthetic city was made from
CITY_READERS = {"registry/cli.py", "maps/demo.py"}
# runs the solver in a process of its own and stops it when its time is up
CLOCK_READERS = {"planner/solve/process.py"}


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(REPOSITORY).parts[0]
    ours = {name.split(".")[0] for name in imported(path)} & {*PACKAGES, "tests", "bench", "digonce"}
    assert ours <= ALLOWED[package]


@pytest.mark.parametrize("path", MODULES + TEST_MODULES, ids=name_of)
def test_modules_and_functions_stay_small(path: Path) -> None:
    is_test = name_of(path).startswith("tests/")
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= (LONGEST_TEST_MODULE if is_test else LONGEST_MODULE)
    long_ones = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
        and not is_test
    ]
    assert long_ones == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nobody_is_told_how_the_synthetic_city_was_made(path: Path) -> None:
    if name_of(path).startswith("registry/city/") or name_of(path) in CITY_READERS:
        return
    assert not [name for name in imported(path) if name.startswith("registry.city")]


@pytest.mark.parametrize(
    "path", [p for p in MODULES if "planner" in p.parts and not p.name.startswith("cli")], ids=name_of
)
def test_the_planner_is_pure(path: Path) -> None:
    """No connection, no clock, no unseeded random: what it needs are arguments."""
    forbidden = {
        "psycopg",
        "adbc_driver_postgresql",
        "time",
        "random",
        "registry.store",
        "registry.db",
        "registry.frames",
    }
    if name_of(path) in CLOCK_READERS:
        forbidden.discard("time")
    assert not set(imported(path)) & forbidden
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    clocks = {
        "date.today",
        "datetime.now",
        "datetime.today",
        "datetime.utcnow",
        "pd.Timestamp.now",
        "pd.Timestamp.today",
    }
    assert not calls & (clocks | {"np.random.rand", "np.random.seed", "np.random.random"})


@pytest.mark.parametrize("path", [p for p in MODULES if not name_of(p).startswith("registry/")], ids=name_of)
def test_sql_stays_in_the_registry(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & {"psycopg", "adbc_driver_postgresql", "sqlalchemy"}


def test_setup_cfg_names_every_package_folder() -> None:
    config = ConfigParser()
    config.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    listed = set(config["options"]["packages"].split())
    folders = {name_of(path.parent).replace("/", ".") for path in MODULES if path.name == "__init__.py"}
    assert listed == folders


def test_light_modules_import_no_heavy_library() -> None:
    """The command line must answer --help at once, so these load pandas and the like only when a verb runs."""
    heavy = {"pandas", "geopandas", "numpy", "shapely", "pyarrow", "numba", "folium", "scipy", "networkx", "pyproj"}
    light = [
        REPOSITORY / "digonce.py",
        REPOSITORY / "registry/console.py",
        *(REPOSITORY / p / "cli.py" for p in PACKAGES),
        *(path for p in PACKAGES for path in (REPOSITORY / p).glob("cli_*.py")),
    ]
    for path in light:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        at_top = {
            (node.names[0].name if isinstance(node, ast.Import) else node.module or "").split(".")[0]
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        assert not at_top & heavy, name_of(path)
