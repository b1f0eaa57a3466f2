"""Real clusters for the tests: folders that the server's user may enter, stopped and removed afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from registry.cluster import Cluster
from registry.cluster.account import settle_account
from registry.cluster.configure import free_bytes
from registry.cluster.processes import servers_in, wait_until
from tests.conftest import DISK, MEMORY_DISK

REPOSITORY = Path(__file__).parents[3]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as another user")


@contextmanager
def roomy_folder() -> Generator[Path]:
    """A folder in which every user may search, unlike pytest's own; in memory where there is room for it."""
    is_roomy = free_bytes(MEMORY_DISK) > 2 * 1024**3
    folder = Path(tempfile.mkdtemp(prefix="digonce-test-", dir=MEMORY_DISK if is_roomy else DISK))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        end_all_servers(folder)
        shutil.rmtree(folder)


def end_all_servers(folder: Path) -> None:
    """End, by process number, whatever a test left running under the folder."""
    for data_folder in [*folder.rglob("cluster"), *folder.rglob("cluster.new")]:
        end_servers(data_folder)


def end_servers(data_folder: Path) -> None:
    account = settle_account(data_folder)

    def ended(signal_number: int) -> bool:
        for pid in servers_in(data_folder, account):
            with suppress(ProcessLookupError):
                os.kill(pid, signal_number)
        return not servers_in(data_folder, account)

    # First the signal after which a server still gives its shared memory back.
    is_ended = wait_until(lambda: ended(signal.SIGQUIT), 10) or wait_until(lambda: ended(signal.SIGKILL), 10)
    assert is_ended, f"servers remain in {data_folder}"


@pytest.fixture
def folder() -> Generator[Path]:
    with roomy_folder() as made:
        yield made


@pytest.fixture(scope="session")
def finished_home() -> Generator[Path]:
    """A stopped cluster with one committed row, to be copied."""
    with roomy_folder() as made:
        cluster = Cluster(made / "home", is_throwaway=True)
        cluster.up()
        cluster.create_database("census")
        execute(cluster, "CREATE TABLE kept (words text)")
        execute(cluster, "INSERT INTO kept VALUES ('灰口铸铁')")
        cluster.down()
        yield cluster.home


@pytest.fixture
def cluster(folder: Path, finished_home: Path) -> Cluster:
    """A cluster of one's own, stopped, with the row 灰口铸铁 in census.kept."""
    home = folder / "home"
    subprocess.run(["cp", "-a", "--", finished_home, home], check=True)
    return Cluster(home, is_throwaway=True)


def execute(cluster: Cluster, statement: str, database: str = "census") -> list[tuple[Any, ...]]:
    """Run one statement in a connection of its own and return its rows."""
    with psycopg.connect(cluster.conninfo(database), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def kept(cluster: Cluster) -> list[tuple[Any, ...]]:
    """The row that must survive whatever a test does."""
    return execute(cluster, "SELECT words FROM kept")


KEPT = [("灰口铸铁",)]


def server_pid(cluster: Cluster) -> int:
    pid = cluster.status().server_pid
    assert pid is not None
    return pid


def others_may_run(program: Path) -> bool:
    """Tell whether every user may run a program: itself and each folder on the way, links followed."""
    real = program.resolve()
    return all(path.stat().st_mode & 0o001 for folder in (program.parent, real) for path in (folder, *folder.parents))


def python_as(
    program: str, *arguments: str | Path, uid: int | None = None, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a Python program in our environment, as another user or behind another command (`before`)."""
    if uid is not None and not others_may_run(Path(sys.executable)):
        pytest.skip("this Python lies in a folder that other users may not enter")
    return subprocess.run(
        [*before, sys.executable, "-c", program, *map(str, arguments)],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "LC_ALL": "C.UTF-8"},
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )


def skip_unless_readable(uid: int) -> None:
    answer = python_as("import registry.cluster, psycopg", uid=uid)
    if answer.returncode != 0:
        pytest.skip(f"user {uid} cannot read this environment: {answer.stderr.strip()[-200:]}")
