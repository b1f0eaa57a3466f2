"""Which PostgreSQL is taken, and what is said when there is none that serves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from registry.cluster import find_binaries, locate
from registry.errors import ClusterError


def stand_in(folder: Path, version: str, share: Path | None = None) -> Path:
    """An installation in name: programs that say their version, since only one real one is at hand."""
    folder.mkdir(parents=True)
    for name in locate.PROGRAMS:
        write_program(folder / name, f'echo "{name} (PostgreSQL) {version}"')
    write_program(folder / "pg_config", f'echo "{share or folder / "share"}"')
    return folder


def write_program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def with_postgis(share: Path) -> Path:
    (share / "extension").mkdir(parents=True)
    (share / "extension" / "postgis.control").write_text("")
    return share


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose packaged installations lie in this folder, with nothing on the PATH."""
    monkeypatch.delenv("DIGONCE_PG_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(locate, "PACKAGED", tmp_path / "packaged")
    return tmp_path / "packaged"


def test_real_one_is_found_whole() -> None:
    binaries = find_binaries()
    assert binaries.major >= 15
    for name in ("initdb", "pg_ctl", "postgres", "pg_dump", "psql"):
        assert os.access(binaries.program(name), os.X_OK)


def test_links_lead_to_the_whole_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = find_binaries()
    for name in locate.PROGRAMS:
        (tmp_path / name).symlink_to(real.program(name))
    monkeypatch.setenv("DIGONCE_PG_BIN", str(tmp_path))
    assert find_binaries() == real


def test_named_folder_wins(only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(only / "17" / "bin", "17.1", with_postgis(tmp_path / "a"))
    named = stand_in(tmp_path / "named", "16.2", with_postgis(tmp_path / "b"))
    monkeypatch.setenv("DIGONCE_PG_BIN", str(named))
    assert find_binaries().version == "16.2"


def test_named_folder_without_programs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGONCE_PG_BIN", str(tmp_path))
    with pytest.raises(ClusterError, match="DIGONCE_PG_BIN") as raised:
        find_binaries()
    assert str(tmp_path) in str(raised.value)


def test_highest_is_taken_but_the_data_decides(only: Path, tmp_path: Path) -> None:
    for major in ("9", "15", "16", "100"):
        stand_in(only / major / "bin", f"{major}.3", with_postgis(tmp_path / major))
    assert find_binaries().major == 100
    assert find_binaries(15).major == 15
    assert find_binaries(99).major == 100


def test_one_with_postgis_is_preferred(only: Path, tmp_path: Path) -> None:
    stand_in(only / "15" / "bin", "15.3", with_postgis(tmp_path / "share"))
    stand_in(only / "16" / "bin", "16.3")
    assert find_binaries().major == 15


def test_path_is_the_last_resort(only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = stand_in(tmp_path / "elsewhere", "18beta1", with_postgis(tmp_path / "share"))
    monkeypatch.setenv("PATH", str(elsewhere))
    assert find_binaries().major == 18
    stand_in(only / "15" / "bin", "15.3", with_postgis(tmp_path / "packaged-share"))
    assert find_binaries().major == 15


@pytest.mark.usefixtures("only")
def test_missing_postgres_names_the_packages() -> None:
    with pytest.raises(ClusterError, match="apt-get install postgresql postgresql-postgis"):
        find_binaries()


def test_old_postgres_is_refused(only: Path, tmp_path: Path) -> None:
    stand_in(only / "14" / "bin", "14.9", with_postgis(tmp_path / "share"))
    with pytest.raises(ClusterError, match=r"14\.9 is too old") as raised:
        find_binaries()
    assert raised.value.code == "cluster_postgres_too_old"


def test_missing_postgis_names_the_package(only: Path) -> None:
    stand_in(only / "16" / "bin", "16.3")
    with pytest.raises(ClusterError, match="postgresql-16-postgis-3"):
        find_binaries()


def test_missing_client_program_names_the_package(only: Path, tmp_path: Path) -> None:
    stand_in(only / "16" / "bin", "16.3", with_postgis(tmp_path / "share"))
    with pytest.raises(ClusterError, match="postgresql-client-16"):
        find_binaries().program("pg_dump")
