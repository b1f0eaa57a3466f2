"""Files written whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from pyogrio.errors import DataLayerError

from registry.errors import FileFaultError
from registry.writing import written_whole


def fill_the_disk(path: Path) -> None:
    with written_whole(path):
        path.write_bytes(b"half")
        raise DataLayerError("sqlite3_exec(CREATE TABLE x (\n y)) failed: database or disk is full")


def test_what_was_begun_is_removed_and_the_fault_is_said_without_sql(tmp_path: Path) -> None:
    path = tmp_path / "segments.gpkg"
    with pytest.raises(FileFaultError) as fault:
        fill_the_disk(path)
    assert not path.exists()
    assert "database or disk is full" in fault.value.message("en")
    assert "CREATE" not in fault.value.message("zh")


def test_a_file_that_could_not_be_opened_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept.csv"
    path.write_text("kept", encoding="utf-8")
    with pytest.raises(FileFaultError, match="Permission denied"), written_whole(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
    assert path.read_text(encoding="utf-8") == "kept"


def test_a_fault_of_ours_stays_one(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), written_whole(tmp_path / "x"):
        _ = 1 / 0
