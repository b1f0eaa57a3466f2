"""Settings that fit the machine, and the fall-back locale."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cluster import Cluster, configure, find_binaries
from registry.cluster.account import Account, settle_account
from registry.cluster.configure import Machine, Making, initdb_command, read_machine, server_settings

from .conftest import execute

GIB = 1024**3
SERVICE = Account("postgres", 101, 104)
PERSON = Account("li", 1000, 1000)
BOX = Machine(memory=8 * GIB, disk_free=100 * GIB, shared_memory_free=4 * GIB, processors=2)
machines = st.builds(
    Machine,
    memory=st.integers(GIB // 2, 2048 * GIB),
    disk_free=st.integers(GIB // 5, 10_000 * GIB),
    shared_memory_free=st.integers(0, 100 * GIB),
    processors=st.integers(1, 256),
)


def megabytes(text: str) -> int:
    assert text.endswith("MB")
    return int(text[:-2])


@given(machines, st.booleans())
def test_memory_leaves_room_for_the_planner(machine: Machine, is_throwaway: bool) -> None:
    settings = server_settings(machine, SERVICE, is_throwaway=is_throwaway)
    memory = machine.memory // 1024**2
    assert 128 <= megabytes(settings["shared_buffers"]) <= max(128, memory // 8)
    assert 64 <= megabytes(settings["maintenance_work_mem"]) <= max(64, memory // 16)
    assert megabytes(settings["effective_cache_size"]) <= max(256, memory // 2)
    assert int(settings["max_parallel_workers_per_gather"]) < machine.processors
    assert settings["listen_addresses"] == ""
    assert (settings.get("fsync") == "off") is is_throwaway


@given(machines, st.integers(1, 64))
def test_more_memory_never_lowers_a_setting(machine: Machine, factor: int) -> None:
    roomier = replace(machine, memory=machine.memory * factor)
    for name in ("shared_buffers", "maintenance_work_mem", "work_mem", "effective_cache_size"):
        less = server_settings(machine, SERVICE, is_throwaway=False)[name]
        more = server_settings(roomier, SERVICE, is_throwaway=False)[name]
        assert megabytes(more) >= megabytes(less)


def test_box_of_eight_gibibytes() -> None:
    settings = server_settings(BOX, SERVICE, is_throwaway=False)
    assert settings["shared_buffers"] == "1024MB"
    assert settings["maintenance_work_mem"] == "512MB"
    assert settings["work_mem"] == "32MB"
    assert settings["max_wal_size"] == "4096MB"
    assert settings["max_parallel_workers_per_gather"] == "1"


@pytest.mark.parametrize(
    ("machine", "account", "kind"),
    [
        (BOX, SERVICE, "posix"),
        (BOX, PERSON, "mmap"),
        (replace(BOX, shared_memory_free=64 * 1024**2), SERVICE, "mmap"),
    ],
    ids=["service", "person who logs out", "container"],
)
def test_parallel_queries_do_not_depend_on_a_small_dev_shm(machine: Machine, account: Account, kind: str) -> None:
    assert server_settings(machine, account, is_throwaway=False)["dynamic_shared_memory_type"] == kind


def test_this_machine_is_measured(tmp_path: Path) -> None:
    machine = read_machine(tmp_path)
    assert machine.memory > GIB // 4
    assert machine.processors >= 1
    assert machine.disk_free == pytest.approx(configure.free_bytes(tmp_path), rel=0.1)
    assert configure.free_bytes(tmp_path / "absent") == 0


def test_server_takes_the_settings_of_a_person(cluster: Cluster) -> None:
    # The mmap kind is otherwise not started in tests that run as root.
    settings = server_settings(BOX, PERSON, is_throwaway=False)
    text = configure.settings_text(settings)
    account = settle_account(cluster.data_folder)
    configure.write_file(cluster.data_folder / "postgresql.auto.conf", text, account)
    cluster.up()
    rows = dict(execute(cluster, "SELECT name, setting FROM pg_settings"))
    assert rows["dynamic_shared_memory_type"] == "mmap"
    assert rows["shared_buffers"] == str(1024 * 1024 // 8)


def test_map_names_the_server_root_and_nobody_else() -> None:
    lines = configure.ident_text(PERSON).splitlines()
    assert lines[:2] == ['digonce "li" digonce', 'digonce "root" digonce']
    assert len(lines) <= 3


def test_fall_back_locale_knows_chinese_letters(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Every supported machine has C.UTF-8 and perhaps no other: let the first choice be one that none has.
    fall_back = ("--locale=C", "--lc-ctype=C.UTF-8")
    monkeypatch.setattr(configure, "LOCALES", (("--locale=xx_XX.UTF-8",), fall_back))
    cluster = Cluster(folder / "home", is_throwaway=True)
    cluster.up()
    cluster.create_database("census")
    execute(cluster, "CREATE EXTENSION pg_trgm")
    statement = "SELECT datcollate, datctype FROM pg_database WHERE datname = 'census'"
    assert execute(cluster, statement) == [("C", "C.UTF-8")]
    [(similarity,)] = execute(cluster, "SELECT similarity('金城路', '金城路12号')")
    assert similarity > 0.2


def test_lasting_cluster_keeps_checksums(folder: Path) -> None:
    lasting = Making(SERVICE, find_binaries(), held=0, is_throwaway=False)
    command = initdb_command(lasting, folder, configure.LOCALES[0])
    assert "--data-checksums" in command
    assert "--username=digonce" in command
    throwaway = initdb_command(replace(lasting, is_throwaway=True), folder, configure.LOCALES[0])
    assert "--no-sync" in throwaway


def test_checksums_are_on_in_a_lasting_cluster(folder: Path) -> None:
    cluster = Cluster(folder / "home")
    cluster.up()
    control = subprocess.run(
        [cluster.program("pg_controldata"), cluster.data_folder],
        env={"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Data page checksum version:           1" in control.stdout
    cluster.down()
