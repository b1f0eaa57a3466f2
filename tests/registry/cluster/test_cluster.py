"""The life of a cluster: made, started, used, stopped, and refused with words that help."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pytest

from registry.cluster import Cluster
from registry.cluster.cluster import LEAST_FREE
from registry.errors import ClusterError, SettingsError

from .conftest import KEPT, execute, kept, needs_root, server_pid

LONG = "很长的目录名" * 12


def test_first_start_makes_it_and_later_ones_change_nothing(folder: Path) -> None:
    cluster = Cluster(folder / "new" / "home", is_throwaway=True)
    before = cluster.status()
    assert (before.is_initialised, before.is_running, before.server_pid) == (False, False, None)
    assert not cluster.home.exists(), "status must not make anything"

    cluster.up()
    status = cluster.status()
    assert status.is_initialised
    assert status.is_running
    assert status.major_on_disk is not None
    assert status.version is not None
    assert status.version.startswith(f"{status.major_on_disk}.")
    assert status.socket.is_socket()
    assert "ready to accept connections" in status.log_file.read_text(encoding="utf-8")

    cluster.up()
    assert server_pid(cluster) == status.server_pid

    cluster.down()
    assert not cluster.status().is_running
    assert not status.socket.exists()
    cluster.down()


def test_down_without_a_cluster_does_nothing(folder: Path) -> None:
    Cluster(folder / "home").down()
    assert list(folder.iterdir()) == []


def test_data_survives_stop_and_start(cluster: Cluster) -> None:
    cluster.up()
    execute(cluster, "UPDATE kept SET words = '球墨铸铁'")
    cluster.down()
    cluster.up()
    assert kept(cluster) == [("球墨铸铁",)]


def test_down_ends_connected_clients(cluster: Cluster) -> None:
    cluster.up()
    with psycopg.connect(cluster.conninfo("census")) as connection:
        connection.execute("SELECT 1")
        cluster.down()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert not cluster.status().is_running


@pytest.mark.parametrize("name", ["plain", "blank and, comma", "quote ' and ünïcode", f"{LONG}/{LONG}"])
def test_any_path_serves_psycopg_and_adbc_and_children(cluster: Cluster, name: str) -> None:
    home = cluster.home.parent / name
    home.parent.mkdir(parents=True, exist_ok=True)
    cluster.home.rename(home)
    moved = Cluster(home, is_throwaway=True)
    moved.up()
    assert kept(moved) == KEPT
    with adbc.connect(moved.conninfo("census")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT words FROM kept")
        assert cursor.fetchall() == KEPT
    psql: list[str | Path] = [moved.program("psql"), moved.conninfo("census"), "-XAtc", "SELECT words FROM kept"]
    answer = subprocess.run(psql, pass_fds=moved.client_descriptors(), capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == KEPT[0][0]
    moved.down()


@pytest.mark.parametrize("character", ['"', "$", "`", "\\", "\n"])
def test_path_that_pg_ctl_would_misread_is_refused(folder: Path, character: str) -> None:
    cluster = Cluster(folder / f"a{character}(touch b)")
    with pytest.raises(ClusterError) as raised:
        cluster.up()
    assert raised.value.code == "cluster_home_name_unusable"
    assert list(folder.iterdir()) == []


def test_variables_of_libpq_do_not_bend_it(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGPORT": "6543",
        "PGDATA": "/nonexistent",
        "PGHOST": "localhost",
        "PGUSER": "nobody",
        "PGDATABASE": "nothing",
        "PROJ_LIB": "/nonexistent",
        "LC_ALL": "zh_XX.nonsense",
    }.items():
        monkeypatch.setenv(name, value)
    cluster.up()
    assert kept(cluster) == KEPT
    cluster.down()


def test_settings_in_force(cluster: Cluster) -> None:
    cluster.up()
    rows = execute(cluster, "SELECT name, setting FROM pg_settings")
    settings = dict(rows)
    assert settings["listen_addresses"] == ""
    assert settings["unix_socket_permissions"] == "0700"
    assert settings["jit"] == "off"
    assert settings["TimeZone"] == "UTC"
    assert settings["server_encoding"] == "UTF8"
    assert settings["fsync"] == "off", "a throw-away cluster does not wait for the disk"
    assert (cluster.data_folder / "pg_hba.conf").read_text() == "local all all peer map=digonce\n"
    assert cluster.data_folder.stat().st_mode & 0o777 == 0o700


def test_lasting_cluster_is_safe_against_power_loss(cluster: Cluster) -> None:
    Cluster(cluster.home).up()
    settings = dict(execute(cluster, "SELECT name, setting FROM pg_settings"))
    on = {name: settings[name] for name in ("fsync", "full_page_writes", "synchronous_commit")}
    assert on == {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    cluster.down()


def test_chinese_trigrams_are_found(cluster: Cluster) -> None:
    cluster.up()
    execute(cluster, "CREATE EXTENSION pg_trgm")
    assert execute(cluster, "SELECT similarity('金城路', '金城路12号') > 0.2") == [(True,)]


def test_postgis_can_be_created(cluster: Cluster) -> None:
    cluster.up()
    execute(cluster, "CREATE EXTENSION postgis")
    [(version,)] = execute(cluster, "SELECT postgis_lib_version()")
    assert tuple(map(int, version.split(".")[:2])) >= (3, 3)


def test_databases_are_made_copied_and_dropped(cluster: Cluster) -> None:
    cluster.up()
    assert cluster.databases() == ["census"]
    cluster.create_database("copy", template="census")
    cluster.create_database("empty")
    assert cluster.databases() == ["census", "copy", "empty"]
    assert execute(cluster, "SELECT words FROM kept", "copy") == KEPT
    with psycopg.connect(cluster.conninfo("copy"), autocommit=True) as connection:
        connection.execute("SELECT 1")
        cluster.drop_database("copy")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    cluster.drop_database("copy")
    assert cluster.databases() == ["census", "empty"]


def test_database_faults_are_named(cluster: Cluster) -> None:
    cluster.up()
    with pytest.raises(ClusterError, match="exists already"):
        cluster.create_database("census")
    with pytest.raises(ClusterError, match="absent_one"):
        cluster.create_database("copy", template="absent_one")
    with psycopg.connect(cluster.conninfo("census")), pytest.raises(ClusterError, match="connected to its"):
        cluster.create_database("copy", template="census")
    for name in ("postgres", "template0", "template1"):
        with pytest.raises(ClusterError, match="server itself"):
            cluster.drop_database(name)
    with pytest.raises(SettingsError):
        cluster.create_database('x"; DROP DATABASE census; --')
    assert cluster.databases() == ["census"]


def test_unreachable_server_says_what_to_do(cluster: Cluster, folder: Path) -> None:
    with pytest.raises(ClusterError, match="digonce db up"):
        cluster.databases()
    with pytest.raises(ClusterError, match="digonce db up"):
        Cluster(folder / "absent").conninfo("census")


def test_other_major_names_the_upgrade(cluster: Cluster) -> None:
    version_file = cluster.data_folder / "PG_VERSION"
    version_file.write_text("13\n")
    with pytest.raises(ClusterError, match="digonce db upgrade") as raised:
        cluster.up()
    assert raised.value.parameters["on_disk"] == 13
    assert cluster.status().major_on_disk == 13
    assert not cluster.status().is_running


def test_foreign_files_are_left_alone(folder: Path) -> None:
    data_folder = folder / "home" / "cluster"
    data_folder.mkdir(parents=True)
    (data_folder / "thesis.txt").write_text("years of work")
    with pytest.raises(ClusterError) as raised:
        Cluster(folder / "home").up()
    assert raised.value.code == "cluster_folder_foreign"
    assert (data_folder / "thesis.txt").read_text() == "years of work"


def test_empty_folder_is_taken(folder: Path) -> None:
    (folder / "home" / "cluster").mkdir(parents=True)
    cluster = Cluster(folder / "home", is_throwaway=True)
    cluster.up()
    assert cluster.databases() == []
    cluster.down()


def test_half_made_cluster_of_a_killed_start_is_made_anew(folder: Path) -> None:
    growing = folder / "home" / "cluster.new" / "base"
    growing.mkdir(parents=True)
    (growing.parent / "PG_VERSION").write_text("15\n")
    cluster = Cluster(folder / "home", is_throwaway=True)
    cluster.up()
    assert cluster.databases() == []
    assert not growing.exists()
    cluster.down()


@needs_root
def test_closed_folder_is_named(tmp_path: Path) -> None:
    # pytest's folders are closed to others, as root's home is.
    with pytest.raises(ClusterError, match="DIGONCE_HOME") as raised:
        Cluster(tmp_path / "home").up()
    assert raised.value.code == "cluster_folder_closed"
    closed = Path(str(raised.value.parameters["folder"]))
    assert tmp_path.is_relative_to(closed)
    assert closed.stat().st_mode & 0o007 == 0
    assert closed.parent.stat().st_mode & 0o001


def test_home_that_is_a_file_is_refused(folder: Path) -> None:
    (folder / "home").write_text("")
    with pytest.raises(ClusterError) as raised:
        Cluster(folder / "home").up()
    assert raised.value.code == "cluster_home_unusable"
    assert not Cluster(folder / "home").status().is_initialised


def test_home_with_an_impossible_name_is_refused(folder: Path) -> None:
    with pytest.raises(ClusterError) as raised:
        Cluster(folder / ("x" * 300)).up()
    assert raised.value.code == "cluster_home_unusable"


def test_strict_umask_of_root_does_not_shut_the_server_out(folder: Path) -> None:
    previous = os.umask(0o077)
    try:
        cluster = Cluster(folder / "one" / "two", is_throwaway=True)
        cluster.up()
        assert cluster.status().is_running
        cluster.down()
    finally:
        os.umask(previous)
    assert not cluster.status().is_running


def test_failed_start_shows_the_log(cluster: Cluster) -> None:
    (cluster.data_folder / "postgresql.auto.conf").write_text("shared_buffers = 'much'\n")
    with pytest.raises(ClusterError) as raised:
        cluster.up()
    assert raised.value.code == "cluster_start_failed"
    assert "shared_buffers" in str(raised.value)
    assert "shared_buffers" in raised.value.message("zh")


def test_long_log_is_set_aside(cluster: Cluster) -> None:
    cluster.up()
    cluster.down()
    os.truncate(cluster.log_file, 20 * 1024**2)
    cluster.up()
    assert cluster.log_file.stat().st_size < 1024**2
    assert cluster.log_file.with_suffix(".log.1").stat().st_size == 20 * 1024**2


def test_least_free_space_is_what_the_manual_says() -> None:
    assert LEAST_FREE == 200 * 1024**2
