"""A restored registry is equal to the one that was backed up, or there is none."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import Result

from registry import migrate as subject
from registry.cluster import Cluster
from registry.db import connect
from registry.errors import DatabaseError, FileFaultError
from registry.lifecycle import remove
from registry.settings import Settings
from registry.store import open_registry
from registry.upkeep.backup import make_backup
from registry.upkeep.check import check_registry
from registry.upkeep.manifest import append_manifest, read_manifest
from registry.upkeep.programs import Database, database_of, embedded_database
from registry.upkeep.restore import restore_backup
from registry.upkeep.scratch import scratch_database
from tests.conftest import REPOSITORY, TODAY
from tests.registry.deliveries import segments, write
from tests.registry.upkeep.conftest import all_databases, content, silent

Digonce = Callable[..., Result]
Row = tuple[str | None, float | None, str]


@pytest.fixture
def backup(database: Database, tmp_path: Path) -> Path:
    path = tmp_path / "one.backup"
    make_backup(database, path, is_forced=False, report=silent)
    return path


def import_rows(settings: Settings, folder: Path, rows: list[Row]) -> None:
    table: dict[str, Any] = {
        "管材": [row[0] for row in rows],
        "管径": [row[1] for row in rows],
        "备注": pd.Series([row[2] for row in rows], dtype="str"),
    }
    with open_registry(settings) as registry:
        path = folder / f"{uuid.uuid4().hex}.parquet"
        segments(len(rows), **table).to_parquet(path)
        registry.import_file("segments", path, today=TODAY, is_accepted=True)


words = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
row = st.tuples(
    st.sampled_from(["钢", "PE", "灰口铸铁", "石头", None]), st.one_of(st.none(), st.floats(1, 9000)), words
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=4, deadline=None)
@given(st.lists(st.lists(row, min_size=1, max_size=6), max_size=3))
def test_backup_drop_restore_gives_the_same_registry(
    home: Path, template: str, tmp_path_factory: pytest.TempPathFactory, censuses: list[list[Row]]
) -> None:
    folder = tmp_path_factory.mktemp("law")
    cluster = Cluster(home)
    own = Settings(home, f"test_{uuid.uuid4().hex[:12]}", None, "tester", "en")
    cluster.create_database(own.registry, template)
    database = embedded_database(cluster, own.registry)
    try:
        for rows in censuses:
            import_rows(own, folder, rows)
        with open_registry(own) as registry:
            before = (registry.row_counts(), registry.state_hash())
        rows_before = content(database.info)
        make_backup(database, folder / "one.backup", is_forced=False, report=silent)
        remove(own)
        restore_backup(database, folder / "one.backup", is_forced=False, report=silent)
        with open_registry(own) as registry:
            assert (registry.row_counts(), registry.state_hash()) == before
        assert content(database.info) == rows_before
    finally:
        remove(own)


def test_a_restored_registry_is_sound_and_works_on(
    digonce: Digonce, filled: Settings, absent: Database, backup: Path, tmp_path: Path
) -> None:
    told = digonce("db", "restore", backup, "--registry", absent.name, "--json")
    assert told.exit_code == 0, told.output
    assert check_registry(absent, silent).findings == []
    with open_registry(replace(filled, registry=absent.name)) as registry:
        assert json.loads(told.stdout)["state_hash"] == registry.state_hash()
        receipt = registry.import_file("segments", write(segments(9), tmp_path / "more.gpkg"), today=TODAY)
        assert receipt.accepted == 9


def dump_of_another_program(path: Path, database: Database) -> None:
    subprocess.run([database.folder / "pg_dump", "-Fc", f"--file={path}", database.argument], check=True)


FOREIGN: dict[str, Callable[[Path, Database], object]] = {
    "text": lambda path, _: path.write_text("not a backup\n" * 20),
    "empty": lambda path, _: path.write_bytes(b""),
    "folder": lambda path, _: path.mkdir(),
    "nothing": lambda _path, _: None,
    "a dump of another program": dump_of_another_program,
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_refused_and_leaves_nothing(
    cluster: Cluster, database: Database, absent: Database, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "foreign"
    FOREIGN[name](path, database)
    before = all_databases(cluster)
    with pytest.raises(FileFaultError):
        restore_backup(absent, path, is_forced=False, report=silent)
    assert all_databases(cluster) == before


def reseal(path: Path, **changes: Any) -> None:
    """Change what a backup says of itself, with a seal that fits."""
    manifest = read_manifest(path)
    path.write_bytes(path.read_bytes()[: manifest.dump_bytes])
    append_manifest(path, dataclasses.replace(manifest, **changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state_hash": "0" * 32}, "state_hash"),
        ({"rows": {"segment": 1}}, "segment"),
        ({"migrations": {"0001_core.sql": "", "9999_future.sql": ""}}, "9999_future"),
    ],
)
def test_what_is_not_what_it_says_is_removed_again(
    cluster: Cluster, absent: Database, backup: Path, changes: dict[str, Any], words: str
) -> None:
    reseal(backup, **changes)
    before = all_databases(cluster)
    with pytest.raises((FileFaultError, DatabaseError), match=words):
        restore_backup(absent, backup, is_forced=False, report=silent)
    assert all_databases(cluster) == before


def test_a_standing_registry_is_replaced_only_by_force(digonce: Digonce, database: Database, backup: Path) -> None:
    was = content(database.info)
    with connect(database.info) as connection:
        connection.execute("DELETE FROM registry.leak_version")
    changed = content(database.info)
    told = digonce("db", "restore", backup)
    assert told.exit_code == 1
    assert "--force" in told.stderr
    assert content(database.info) == changed
    with connect(database.info) as idle:
        assert digonce("db", "restore", backup, "--force").exit_code == 0
        idle.close()
    assert content(database.info) == was


def test_a_standing_registry_stays_where_the_backup_is_bad(cluster: Cluster, database: Database, backup: Path) -> None:
    reseal(backup, state_hash="0" * 32)
    before = (content(database.info), all_databases(cluster))
    with pytest.raises(FileFaultError):
        restore_backup(database, backup, is_forced=True, report=silent)
    assert (content(database.info), all_databases(cluster)) == before


def child_named(name: str) -> int:
    """The process number of a child of ours, by the name of its program."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            head, _, rest = (entry / "stat").read_text(errors="replace").rpartition(")")
            if head.endswith(f"({name}") and int(rest.split()[1]) == os.getpid():
                return int(entry.name)
    pytest.fail(f"no child named {name}")


@pytest.mark.parametrize("is_forced", [False, True])
def test_pg_restore_killed_midway_leaves_no_half_registry(
    cluster: Cluster, database: Database, absent: Database, backup: Path, is_forced: bool
) -> None:
    target = database if is_forced else absent
    before = (content(database.info), all_databases(cluster))
    killed_at: list[tuple[int, int]] = []

    def kill(step: str, done: int, total: int) -> None:
        if step == "restore" and done == 5 and not killed_at:
            killed_at.append((done, total))
            os.kill(child_named("pg_restore"), signal.SIGKILL)

    with pytest.raises(DatabaseError) as fault:
        restore_backup(target, backup, is_forced=is_forced, report=kill)
    assert fault.value.code == "program_failed"
    [(done, total)] = killed_at
    assert done < total, "it was midway"
    assert (content(database.info), all_databases(cluster)) == before


_KILLED_RESTORE = """
import os, signal, sys
from pathlib import Path
from registry.settings import Settings
from registry.upkeep.programs import database_of
from registry.upkeep.restore import restore_backup
home, name, path, at = sys.argv[1:]

def report(step, done, total):
    if step == at and (done or step == "compare"):
        os.kill(os.getpid(), signal.SIGKILL)

restore_backup(database_of(Settings(Path(home), name, None, "tester", "en")), Path(path), is_forced=True, report=report)
"""


@pytest.mark.parametrize("step", ["verify", "restore", "compare"])
def test_digonce_killed_midway_leaves_no_half_registry_and_is_swept(
    cluster: Cluster, database: Database, backup: Path, step: str
) -> None:
    was = content(database.info)
    with connect(database.info) as connection:
        connection.execute("DELETE FROM registry.leak_version")
    changed = content(database.info)
    before = all_databases(cluster)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_RESTORE, str(cluster.home), database.name, str(backup), step],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert content(database.info) == changed, f"killed at {step}: what stood there stands"
    left = all_databases(cluster) - before
    assert len(left) == (0 if step == "verify" else 1)
    restore_backup(database, backup, is_forced=True, report=silent)
    assert content(database.info) == was
    assert all_databases(cluster) == before


def test_a_scratch_database_is_no_registry(cluster: Cluster, database: Database) -> None:
    before = cluster.databases()
    with scratch_database(database) as first, scratch_database(database) as second:
        assert first.name != second.name, "one that is in use is not swept"
        assert {first.name, second.name} <= all_databases(cluster)
        assert cluster.databases() == before
    assert not {first.name, second.name} & all_databases(cluster)


def test_an_older_backup_is_migrated(absent: Database, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = subject.sql_files("data") | {"9998_more.sql": b"CREATE TABLE registry.more (a int)"}
    real = subject.sql_files
    monkeypatch.setattr(subject, "sql_files", lambda folder: newer if folder == "data" else real(folder))
    restored = restore_backup(absent, backup, is_forced=False, report=silent)
    assert restored.migrations == ["9998_more.sql"]
    assert content(absent.info)["more"] == []


def test_an_empty_database_of_a_citys_own_server_is_filled(
    digonce: Digonce, cluster: Cluster, database: Database, absent: Database, backup: Path
) -> None:
    cluster.create_database(absent.name)
    dsn = cluster.conninfo(absent.name)
    assert digonce("db", "restore", backup, "--dsn", dsn).exit_code == 0
    assert content(absent.info) == content(database.info)
    again = digonce("db", "restore", backup, "--dsn", dsn, "--force")
    assert again.exit_code == 1
    assert "empty database" in again.stderr
    assert content(absent.info) == content(database.info)


def test_a_bad_restore_leaves_a_citys_own_database_empty(cluster: Cluster, absent: Database, backup: Path) -> None:
    reseal(backup, state_hash="0" * 32)
    cluster.create_database(absent.name)
    theirs = database_of(Settings(cluster.home, "any", cluster.conninfo(absent.name), "tester", "en"))
    with pytest.raises(FileFaultError):
        restore_backup(theirs, backup, is_forced=False, report=silent)
    assert content(absent.info) == {}
