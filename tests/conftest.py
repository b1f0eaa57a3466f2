"""One throw-away server for the whole run, a registry of its own for each test, and the way to real data."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

import hypothesis
import psycopg
import pytest
from typer.testing import CliRunner, Result

from registry.cluster import Cluster
from registry.cluster.configure import free_bytes
from registry.db import connect
from registry.lifecycle import initialise
from registry.settings import Settings
from registry.store import Registry, open_registry

REPOSITORY = Path(__file__).parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - mkdtemp makes the folder
DISK = Path("/var/tmp")  # noqa: S108 - mkdtemp makes the folder
TODAY = date(2026, 11, 1)
_TEMPLATE = "template_zhaoyuan"

# no test depends on how fast the machine is
hypothesis.settings.register_profile("unhurried", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def home() -> Generator[Path]:
    """The folder of the throw-away server; every user may search it, unlike pytest's own folders.

    A registry is some 900 files: to copy one can take ten times longer on a disk than in memory.
    """
    with ExitStack() as stack:
        is_roomy = free_bytes(MEMORY_DISK) > 8 * 1024**3
        folder = Path(tempfile.mkdtemp(prefix="digonce-suite-", dir=MEMORY_DISK if is_roomy else DISK))
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o755)
        cluster = Cluster(folder, is_throwaway=True)
        cluster.up()
        stack.callback(cluster.down)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def _away_from_home(home: Path) -> Generator[None]:
    """No test touches the data, the language or the server of the person who runs it."""
    patch = pytest.MonkeyPatch()
    for name in ("DIGONCE_DSN", "DIGONCE_REGISTRY", "DIGONCE_ACTOR"):
        patch.delenv(name, raising=False)
    patch.setenv("DIGONCE_HOME", str(home))
    patch.setenv("DIGONCE_LANG", "en")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def template(home: Path) -> str:
    """A migrated, empty registry in EPSG:4549 to clone from."""
    initialise(Settings(home, _TEMPLATE, None, "tester", "en"), crs="EPSG:4549", city="招远")
    return _TEMPLATE


@pytest.fixture
def settings(home: Path, template: str) -> Generator[Settings]:
    """The settings of an empty registry that only this test has."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    cluster = Cluster(home, is_throwaway=True)
    cluster.create_database(name, template)
    yield Settings(home, name, None, "tester", "en")
    cluster.drop_database(name)


@pytest.fixture
def registry(settings: Settings) -> Generator[Registry]:
    """An empty registry, open."""
    with open_registry(settings) as opened:
        yield opened


@pytest.fixture
def connection(home: Path, template: str) -> Generator[psycopg.Connection]:
    """A connection to the template whose transaction is rolled back after the test."""
    with connect(Cluster(home).conninfo(template)) as opened, opened.transaction(force_rollback=True):
        yield opened


@pytest.fixture
def digonce(settings: Settings) -> Callable[..., Result]:
    """Run a verb of the command line in this process, on this test's registry."""
    from digonce import app

    def run(*arguments: str | Path, language: str = "en", columns: str = "200") -> Result:
        environment = {
            "DIGONCE_HOME": str(settings.home),
            "DIGONCE_REGISTRY": settings.registry,
            "DIGONCE_LANG": language,
            "COLUMNS": columns,
        }
        return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)

    return run


@pytest.fixture
def kitchener_settings(settings: Settings, home: Path) -> Generator[Settings]:
    """The settings of an empty registry in Kitchener's CRS."""
    own = replace(settings, registry=f"{settings.registry}_k")
    initialise(own, crs="EPSG:26917", city="Kitchener", timezone="America/Toronto")
    yield own
    Cluster(home).drop_database(own.registry)


def real_data(*parts: str) -> Path:
    """Return the path of a real data set, or skip the test with the reason."""
    path = SHARED_DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"real data set {'/'.join(parts)} is not beside the repository")
    return path


def is_ci() -> bool:
    """Tell whether this is CI, where a missing browser is a failure and not a reason to skip."""
    return os.environ.get("CI", "").lower() == "true"
