"""Rows that were kept for review count as if the file had been read again, and only while nothing else has counted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from registry.errors import FileFaultError
from registry.history.edit import Warrant, correct
from registry.history.undo import undo_delivery
from registry.intake.merge import CLASSES
from registry.intake.review import accept_delivery, change_report, decline_delivery
from registry.kinds import KINDS
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import segments, write
from tests.registry.history.test_review import second_census

WARRANT = Warrant("tester")


def waiting_parts(registry: Registry) -> int:
    return registry.row_counts()["waiting_part"]


@pytest.fixture
def known(registry: Registry, tmp_path: Path) -> Registry:
    """Ten segments, one of them no longer there."""
    frame = segments(10, 停用日期=[None] * 9 + ["2020-06-01"])
    registry.import_file("segments", write(frame, tmp_path / "first.gpkg"), today=TODAY)
    return registry


def wait(registry: Registry, path: Path, valid_from: date | None = None) -> str:
    receipt = registry.import_file("segments", write(second_census(), path), today=TODAY, valid_from=valid_from)
    assert receipt.state == "pending"
    return receipt.delivery_id


@pytest.mark.parametrize("valid_from", [None, date(2025, 3, 1)])
@pytest.mark.parametrize("classes", [CLASSES, ("changed",), ("moved", "added"), ("reopened", "gone")])
def test_kept_rows_count_as_the_file_does(
    known: Registry, tmp_path: Path, classes: tuple[str, ...], valid_from: date | None
) -> None:
    waiting = wait(known, tmp_path / "second.gpkg", valid_from)
    as_kept = accept_delivery(known.connection, waiting, known.srid, classes)
    state = known.state_hash()
    undo_delivery(known.connection, waiting, "tester")
    again = known.import_file("segments", tmp_path / "second.gpkg", today=TODAY, valid_from=valid_from).delivery_id
    # as if kept by an older version: then the file is read
    known.connection.execute("DELETE FROM registry.waiting_part")
    read = accept_delivery(known.connection, again, known.srid, classes)
    assert known.state_hash() == state
    assert (as_kept.counts, as_kept.accepted_classes) == (read.counts, read.accepted_classes)


def test_the_file_is_read_again_once_others_count(known: Registry, tmp_path: Path) -> None:
    waiting = wait(known, tmp_path / "second.gpkg")
    correct(known.connection, KINDS["segments"], "GAS-7", {"owner": "another"}, WARRANT)
    known.connection.execute("TRUNCATE registry.delivered_file")
    with pytest.raises(FileFaultError) as fault:
        accept_delivery(known.connection, waiting, known.srid)
    assert fault.value.code == "file_not_kept"


def test_a_report_made_anew_keeps_its_rows_anew(known: Registry, tmp_path: Path) -> None:
    waiting = wait(known, tmp_path / "second.gpkg")
    correct(known.connection, KINDS["segments"], "GAS-2", {"material": "steel"}, WARRANT)
    assert accept_delivery(known.connection, waiting, known.srid).is_stale
    assert "steel" in set(change_report(known.connection, waiting)["old_value"])
    known.connection.execute("TRUNCATE registry.delivered_file")
    assert not accept_delivery(known.connection, waiting, known.srid).is_stale
    assert known.frame("segments", as_of=TODAY).loc["GAS-2", "material"] == "pe100"


def test_nothing_is_kept_of_what_waits_no_more(known: Registry, tmp_path: Path) -> None:
    first = wait(known, tmp_path / "second.gpkg")
    assert waiting_parts(known) == 3
    decline_delivery(known.connection, first)
    assert waiting_parts(known) == 0
    accept_delivery(known.connection, wait(known, tmp_path / "third.gpkg"), known.srid)
    assert waiting_parts(known) == 0


def test_held_rows_are_settled_by_kept_rows_too(known: Registry, tmp_path: Path) -> None:
    faulty = segments(1, 管段编号="GAS-10", 管材="鉄")
    held = known.import_file("segments", write(faulty, tmp_path / "faulty.gpkg"), today=TODAY)
    assert held.held == 1
    waiting = wait(known, tmp_path / "second.gpkg")
    accept_delivery(known.connection, waiting, known.srid)
    row = known.connection.execute("SELECT settled_by FROM registry.held_row").fetchone()
    assert row == (waiting,)


def test_rows_known_under_other_ids_are_read_again(known: Registry, tmp_path: Path) -> None:
    names = [f"GAS-{number}" for number in range(1, 9)]
    frame = segments(10, 管段编号=["NEU-0", *names, "NEU-9"])
    receipt = known.import_file("segments", write(frame, tmp_path / "anew.gpkg"), today=TODAY)
    assert (receipt.state, waiting_parts(known)) == ("pending", 0)
    accepted = accept_delivery(known.connection, receipt.delivery_id, known.srid)
    assert not accepted.is_stale
    assert set(known.frame("segments", as_of=TODAY).index) >= set(names)
