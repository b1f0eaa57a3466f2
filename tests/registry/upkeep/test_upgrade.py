"""The move to a newer PostgreSQL: noticed, refused with the mend, and by dump and restore nothing is lost.

One major is installed where these tests run, so the move itself is made within it, by force.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from registry.cluster import Binaries, Cluster, locate
from registry.cluster.moving import MOVED_NAME
from registry.db import connect
from registry.errors import ClusterError, DatabaseError
from registry.lifecycle import initialise
from registry.settings import Settings
from registry.store import open_registry
from registry.upkeep.check import check_registry
from registry.upkeep.programs import embedded_database
from registry.upkeep.upgrade import newer_major, upgrade_cluster
from tests.registry.cluster.conftest import roomy_folder
from tests.registry.upkeep.conftest import content, deliver, silent


@pytest.fixture(scope="module")
def moved_home(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A cluster of its own with a filled registry, an empty one, and a database that is none."""
    with roomy_folder() as folder, ExitStack() as stack:
        cluster = Cluster(folder / "home", is_throwaway=True)
        cluster.up()
        stack.callback(cluster.down)
        for name in ("filled", "empty"):
            initialise(Settings(cluster.home, name, None, "tester", "en"), crs="EPSG:4549", city="招远")
        deliver(Settings(cluster.home, "filled", None, "tester", "en"), tmp_path_factory.mktemp("deliveries"))
        cluster.create_database("sundry")
        yield cluster.home


def contents(home: Path) -> dict[str, object]:
    cluster = Cluster(home)
    return {name: content(cluster.conninfo(name)) for name in ("filled", "empty")}


def pretend(monkeypatch: pytest.MonkeyPatch, *versions: str) -> None:
    """Let the installed programs pass for other versions of PostgreSQL."""
    folder = locate.find_binaries().folder
    installed = [Binaries(folder, version) for version in versions]
    monkeypatch.setattr(locate, "installations", lambda: installed)


def test_a_newer_postgres_is_noticed_and_told(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, digonce: Callable[..., Result]
) -> None:
    major = cluster.status().major_on_disk
    assert newer_major(cluster) is None
    assert "digonce db upgrade" not in digonce("db", "status").output
    pretend(monkeypatch, "99.1", f"{major}.9")
    assert newer_major(cluster) == 99
    assert "digonce db upgrade" in digonce("db", "status").output


def test_data_whose_postgres_is_gone_are_refused_with_the_packages(
    moved_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    major = Cluster(moved_home).status().major_on_disk
    before = contents(moved_home)
    pretend(monkeypatch, "99.1")
    with pytest.raises(ClusterError) as fault:
        upgrade_cluster(moved_home, is_forced=False, report=silent)
    assert fault.value.code == "upgrade_old_missing"
    assert f"postgresql-{major}-postgis-3" in str(fault.value)
    monkeypatch.undo()
    assert contents(moved_home) == before


def test_a_start_on_data_of_another_major_names_the_verb(moved_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Cluster(moved_home).down()
    pretend(monkeypatch, "99.1")
    with pytest.raises(ClusterError, match="digonce db upgrade") as fault:
        Cluster(moved_home).up()
    assert fault.value.code == "cluster_other_major"
    monkeypatch.undo()
    Cluster(moved_home, is_throwaway=True).up()


def test_the_newest_major_has_nothing_to_move(moved_home: Path) -> None:
    done = upgrade_cluster(moved_home, is_forced=False, report=silent, is_throwaway=True)
    assert (done.registries, done.kept_in) == ([], None)


def test_nothing_is_moved_where_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(ClusterError) as fault:
        upgrade_cluster(tmp_path / "home", is_forced=False, report=silent)
    assert fault.value.code == "cluster_absent"


def test_registries_move_whole_and_the_old_data_are_kept(moved_home: Path) -> None:
    before = contents(moved_home)
    old_server = Cluster(moved_home).status().server_pid
    done = upgrade_cluster(moved_home, is_forced=True, report=silent, is_throwaway=True)
    assert (done.registries, done.left_out) == (["empty", "filled"], ["sundry"])
    assert done.from_major == done.to_major
    assert Cluster(moved_home).status().server_pid != old_server
    assert contents(moved_home) == before
    cluster = Cluster(moved_home)
    assert cluster.databases() == ["empty", "filled"]
    assert check_registry(embedded_database(cluster, "filled"), silent).findings == []
    with open_registry(Settings(moved_home, "filled", None, "tester", "en")) as registry:
        assert registry.counts()["segments"] > 0
    assert done.kept_in is not None
    assert (done.kept_in / "PG_VERSION").is_file()
    assert not (moved_home / "upgrading").exists()
    shutil.rmtree(done.kept_in)


def test_what_is_written_meanwhile_is_not_lost(moved_home: Path) -> None:
    cluster = Cluster(moved_home)
    folders = sorted(entry.name for entry in moved_home.iterdir())

    def disturb(step: str, done: int, _total: int) -> None:
        if (step, done) == ("compare", 1):
            with connect(cluster.conninfo("empty")) as connection:
                connection.execute("UPDATE registry.info SET version = version + 1")

    with pytest.raises(ClusterError) as fault:
        upgrade_cluster(moved_home, is_forced=True, report=disturb, is_throwaway=True)
    assert fault.value.code == "upgrade_disturbed"
    assert "empty" in str(fault.value)
    assert cluster.status().is_running
    assert sorted(entry.name for entry in moved_home.iterdir()) == folders


def test_a_fault_on_the_way_leaves_the_old_data_in_use(moved_home: Path) -> None:
    before = contents(moved_home)
    folders = sorted(entry.name for entry in moved_home.iterdir())

    def fail(step: str, _done: int, _total: int) -> None:
        if step == "restore":
            raise DatabaseError("program_failed", program="pg_restore", detail="pulled plug")

    with pytest.raises(DatabaseError):
        upgrade_cluster(moved_home, is_forced=True, report=fail, is_throwaway=True)
    assert contents(moved_home) == before
    assert sorted(entry.name for entry in moved_home.iterdir()) == folders


def test_a_kill_between_the_two_renames_is_mended_by_the_next_start(moved_home: Path) -> None:
    cluster = Cluster(moved_home, is_throwaway=True)
    before = contents(moved_home)
    cluster.down()
    cluster.data_folder.rename(moved_home / MOVED_NAME)
    cluster.up()
    assert contents(moved_home) == before
    assert not (moved_home / MOVED_NAME).exists()


def test_a_new_folder_that_waits_never_replaces_data(moved_home: Path) -> None:
    """Killed before the first rename: the old data are in place and may have been written since."""
    (moved_home / MOVED_NAME).mkdir()
    cluster = Cluster(moved_home, is_throwaway=True)
    before = contents(moved_home)
    cluster.down()
    cluster.up()
    assert contents(moved_home) == before
    (moved_home / MOVED_NAME).rmdir()


def test_a_short_disk_is_told_before_anything_is_written(moved_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.upkeep.upgrade.free_bytes", lambda _folder: 1024**2)
    with pytest.raises(ClusterError) as fault:
        upgrade_cluster(moved_home, is_forced=True, report=silent, is_throwaway=True)
    assert fault.value.code == "upgrade_space_short"
    assert not (moved_home / "upgrading").exists()


def test_the_verb_leaves_a_citys_own_server_alone() -> None:
    from digonce import app

    told = CliRunner().invoke(app, ["db", "upgrade", "--dsn", "host=db.example", "--lang", "zh"])
    assert told.exit_code == 1
    assert "upgrade" in told.stderr
