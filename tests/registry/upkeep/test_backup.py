"""A backup is one whole file that says what it holds; whatever goes wrong, nothing half-written is left."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import Result

from registry.cluster.locate import find_client
from registry.db import connect
from registry.errors import ClusterError, DatabaseError, FileFaultError, SettingsError
from registry.settings import Settings
from registry.store import open_registry
from registry.upkeep.backup import check_backup, make_backup
from registry.upkeep.manifest import append_manifest, hash_dump
from registry.upkeep.programs import Database, database_of, run
from tests.registry.cluster.conftest import needs_root
from tests.registry.upkeep.conftest import silent

Digonce = Callable[..., Result]


@pytest.fixture
def backup(database: Database, tmp_path: Path) -> Path:
    path = tmp_path / "whole.backup"
    make_backup(database, path, is_forced=False, report=silent)
    return path


def test_it_says_what_it_holds(digonce: Digonce, filled: Settings, tmp_path: Path) -> None:
    path = tmp_path / "库 one.backup"
    told = digonce("db", "backup", path, "--json")
    assert told.exit_code == 0, told.output
    manifest = json.loads(told.stdout)
    status = json.loads(digonce("db", "status", "--json").stdout)
    assert manifest["rows"] == status["rows"]
    assert manifest["rows"]["held_row"] == 3
    assert manifest["state_hash"] == status["state_hash"]
    assert (manifest["registry"], manifest["city"], manifest["srid"]) == (filled.registry, "招远", 4549)
    assert manifest["schema_version"] == max(manifest["migrations"])
    assert path.stat().st_mode & 0o777 == 0o600, "a census is nobody else's business"
    assert [entry.name for entry in tmp_path.glob("*backup*")] == [path.name]


def test_pg_restore_reads_it_without_us(database: Database, backup: Path) -> None:
    listed = subprocess.run(
        [database.folder / "pg_restore", "--list", backup], capture_output=True, text=True, check=True
    ).stdout
    assert "TABLE DATA registry segment_version" in listed


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
@example(0.0, 1)
@example(0.999999, 0x20)
def test_any_changed_byte_is_found(database: Database, backup: Path, place: float, flipped: int) -> None:
    sound = backup.read_bytes()
    position = int(place * len(sound))
    damaged = bytearray(sound)
    damaged[position] ^= flipped
    copy = backup.with_name("damaged.backup")
    copy.write_bytes(damaged)
    with pytest.raises(FileFaultError):
        check_backup(database, copy, silent)


def test_what_a_backup_says_of_itself_cannot_be_reworded(database: Database, backup: Path) -> None:
    sound = backup.read_bytes()
    copy = backup.with_name("reworded.backup")
    copy.write_bytes(sound.replace('"招远"'.encode(), '"龙口"'.encode(), 1))
    assert copy.read_bytes() != sound
    with pytest.raises(FileFaultError):
        check_backup(database, copy, silent)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.binary(min_size=0, max_size=3))
@example(0.999999, b"")
@example(0.999999, b"\n\n\n")
def test_a_file_that_was_cut_or_grew_is_found(database: Database, backup: Path, share: float, more: bytes) -> None:
    sound = backup.read_bytes()
    changed = sound[: int(share * len(sound))] + more
    copy = backup.with_name("cut.backup")
    copy.write_bytes(changed)
    if changed == sound:
        return
    with pytest.raises(FileFaultError):
        check_backup(database, copy, silent)


def test_what_is_written_meanwhile_is_in_neither_counts_nor_dump(database: Database, tmp_path: Path) -> None:
    """Counts and dump are of one state: a row that comes between them is in none of them."""

    def write(step: str, done: int, _total: int) -> None:
        if (step, done) == ("count", 1):
            with connect(database.info) as connection:
                connection.execute("INSERT INTO registry.node (node_id, first_delivery_id) VALUES ('late', 'D')")

    manifest = make_backup(database, tmp_path / "a.backup", is_forced=False, report=write)
    assert manifest.rows["node"] == 0
    script = run(database, "pg_restore", ["--file=-", "--table=node", "--", str(tmp_path / "a.backup")])
    assert "COPY registry.node" in script
    assert "late\t" not in script


def test_an_existing_file_is_replaced_only_by_force(digonce: Digonce, tmp_path: Path) -> None:
    path = tmp_path / "one.backup"
    path.write_text("precious")
    told = digonce("db", "backup", path)
    assert (told.exit_code, path.read_text()) == (1, "precious")
    assert "--force" in told.stderr
    assert digonce("db", "backup", path, "--force").exit_code == 0
    assert path.read_bytes().startswith(b"PGDMP")


def test_a_folder_that_is_not_there_is_named(digonce: Digonce, tmp_path: Path) -> None:
    told = digonce("db", "backup", tmp_path / "nowhere" / "one.backup")
    assert told.exit_code == 1
    assert "nowhere" in "".join(told.stderr.split("\n"))
    assert list(tmp_path.iterdir()) == []


def test_a_registry_that_is_not_there_is_asked_for(digonce: Digonce, tmp_path: Path) -> None:
    told = digonce("db", "backup", tmp_path / "one.backup", "--registry", "nowhere_land")
    assert told.exit_code == 1
    assert "digonce init" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_damaged_functions_are_told_with_their_mend(digonce: Digonce, database: Database, tmp_path: Path) -> None:
    with connect(database.info) as connection:
        connection.execute("DROP FUNCTION registry_app.row_counts()")
    told = digonce("db", "backup", tmp_path / "one.backup")
    assert told.exit_code == 1
    assert "digonce db migrate" in told.stderr
    assert not (tmp_path / "one.backup").exists()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Generator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    answer = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        pytest.skip(f"mount is not allowed here: {answer.stderr.strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


@needs_root
def test_a_full_disk_is_named_and_left_as_it_was(database: Database, tiny_disk: Path) -> None:
    old = tiny_disk / "one.backup"
    old.write_text("precious")
    with pytest.raises(FileFaultError) as fault:
        make_backup(database, old, is_forced=True, report=silent)
    assert fault.value.code == "backup_no_space"
    assert [(entry.name, entry.read_text()) for entry in tiny_disk.iterdir()] == [("one.backup", "precious")]


def test_a_backup_that_lacks_a_table_is_found(database: Database, tmp_path: Path) -> None:
    """The check asks pg_restore itself: here the dump is sound but says to hold a table that it lacks."""
    path = tmp_path / "one.backup"
    whole = make_backup(database, path, is_forced=False, report=silent)
    with path.open("r+b") as file:
        file.truncate(whole.dump_bytes)
    assert hash_dump(path, whole.dump_bytes, lambda _done, _total: None) == whole.dump_sha256
    append_manifest(path, dataclasses.replace(whole, rows=whole.rows | {"lost": 1}))
    with pytest.raises(FileFaultError) as fault:
        check_backup(database, path, silent)
    assert fault.value.code == "backup_incomplete"
    assert "lost" in str(fault.value)


def test_no_password_stands_in_the_arguments_of_a_program() -> None:
    for dsn in ("host=db.example dbname=pipes password=geheim", "postgresql://planner:geheim@db.example/pipes"):
        database = Database("pipes", dsn, Path("/nonexistent"), (), is_embedded=False)
        assert "geheim" not in database.argument
        assert database.environment["PGPASSWORD"] == "geheim"
    keyed = Database("pipes", "host=db.example sslpassword=geheim", Path("/nonexistent"), (), is_embedded=False)
    with pytest.raises(SettingsError):
        _ = keyed.argument


def test_variables_of_libpq_bend_a_citys_own_server_only(
    database: Database, own_server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c search_path=nowhere")
    assert "PGOPTIONS" not in database.environment
    assert database_of(own_server).environment["PGOPTIONS"] == "-c search_path=nowhere"


def test_a_failing_program_says_its_last_words(database: Database, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="pg_restore: error"):
        run(database, "pg_restore", ["--list", "--", str(tmp_path / "nothing")])


def test_the_client_of_the_servers_major_is_found_else_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.cluster.locate.PACKAGED", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    for major in (14, 16, 18):
        folder = tmp_path / str(major) / "bin"
        folder.mkdir(parents=True)
        for program in ("pg_dump", "pg_restore"):
            (folder / program).write_text(f'#!/bin/sh\necho "{program} (PostgreSQL) {major}.2"\n')
            (folder / program).chmod(0o755)
    assert find_client(16) == tmp_path / "16" / "bin"
    assert find_client(15) == tmp_path / "16" / "bin"
    assert find_client(17) == tmp_path / "18" / "bin"
    with pytest.raises(ClusterError) as fault:
        find_client(19)
    assert "postgresql-client-19" in str(fault.value)


def test_a_citys_own_server_is_backed_up_too(
    digonce: Digonce, filled: Settings, own_server: Settings, tmp_path: Path
) -> None:
    assert own_server.dsn is not None
    told = digonce("db", "backup", tmp_path / "one.backup", "--dsn", own_server.dsn, "--json")
    assert told.exit_code == 0, told.output
    with open_registry(filled) as registry:
        assert json.loads(told.stdout)["state_hash"] == registry.state_hash()
