"""Files written whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from pyogrio.errors import DataLayerError

from registry.errors import FileFaultError
from registry.writing import written_whole


def fill_the_disk(path: Path) -> None:
    with written_whole(path) as part:
        part.write_bytes(b"half")
        raise DataLayerError("sqlite3_exec(CREATE TABLE x (\n y)) failed: database or disk is full")


def test_what_was_begun_is_removed_and_the_fault_is_said_without_sql(tmp_path: Path) -> None:
    path = tmp_path / "segments.gpkg"
    with pytest.raises(FileFaultError) as fault:
        fill_the_disk(path)
    assert list(tmp_path.iterdir()) == []
    assert "database or disk is full" in fault.value.message("en")
    assert "CREATE" not in fault.value.message("zh")


def begin_to_write(path: Path, fault: type[BaseException]) -> None:
    with written_whole(path) as part:
        part.write_text("of today, ha", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "of yesterday"
        raise fault


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ZeroDivisionError, OSError])
def test_what_stood_there_is_kept_until_the_new_file_is_whole(tmp_path: Path, fault: type[BaseException]) -> None:
    path = tmp_path / "risk.csv"
    path.write_text("of yesterday", encoding="utf-8")
    path.chmod(0o640)
    with pytest.raises((fault, FileFaultError)):
        begin_to_write(path, fault)
    assert path.read_text(encoding="utf-8") == "of yesterday"
    with written_whole(path) as part:
        part.write_text("of today", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "of today"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_and_a_pipe_are_written_through(tmp_path: Path) -> None:
    path, link = tmp_path / "risk.csv", tmp_path / "latest.csv"
    path.write_text("of yesterday", encoding="utf-8")
    link.symlink_to(path)
    with written_whole(link) as part:
        part.write_text("of today", encoding="utf-8")
    assert link.is_symlink()
    assert path.read_text(encoding="utf-8") == "of today"
    with written_whole(Path("/dev/null")) as part:
        assert part == Path("/dev/null")
    assert Path("/dev/null").is_char_device()


def test_a_file_that_could_not_be_opened_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept.csv"
    path.write_text("kept", encoding="utf-8")
    with pytest.raises(FileFaultError, match="Permission denied"), written_whole(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
    assert path.read_text(encoding="utf-8") == "kept"


def test_a_fault_of_ours_stays_one(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), written_whole(tmp_path / "x"):
        _ = 1 / 0
