"""Leaks and events that a hotline hands on with an address alone: located with what it is worth, or in the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import shapely

from registry.intake.importer import Receipt
from registry.intake.retry import fix_row, retry_held
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH
from tests.registry.intake.test_queue import CROSS, MAIN, streets

Rows = list[dict[str, Any]]
FOUND = ["located_by", "position_quality"]


@pytest.fixture
def town(registry: Registry, tmp_path: Path) -> Registry:
    """罗峰大街 with house numbers 1 to 100 over 1000 m, crossed after 100, 500 and 900 m."""
    assert registry.import_file("roads", streets(tmp_path), today=TODAY).held == 0
    return registry


def hotline(registry: Registry, folder: Path, kind: str, rows: Rows, name: str = "12345") -> Receipt:
    """Import a table of calls; ids and days are given where a row has none."""
    path = folder / f"{name}.csv"
    common = {"leaks": {"发现日期": "2026-05-01"}, "events": {"发生日期": "2026-05-01", "事件类别": "抢修"}}[kind]
    pd.DataFrame([{"编号": f"T{at}"} | common | row for at, row in enumerate(rows)]).to_csv(
        path, index=False, encoding="utf-8-sig"
    )
    return registry.import_file(kind, path, today=TODAY)


@pytest.mark.parametrize("kind", ["leaks", "events"])
def test_a_position_is_found_from_the_address(town: Registry, tmp_path: Path, kind: str) -> None:
    rows: Rows = [
        {"地址": f"{MAIN}50号门口"},
        {"地址": f"{MAIN}与{CROSS[1]}交叉口"},
        {"地址": f"{MAIN}21-25号"},
        {"地址": "任意", "X": EAST + 7.0, "Y": NORTH + 7.0, "定位方式": "实测"},
    ]
    receipt = hotline(town, tmp_path, kind, rows)
    assert (receipt.accepted, receipt.held) == (4, 0), receipt.faults
    assert {"code": "note_address_found", "count": 3} in receipt.notes
    found = town.frame(kind, as_of=TODAY)
    assert found[FOUND].astype(object).where(found[FOUND].notna(), None).to_numpy().tolist() == [
        ["number", "address"],
        ["crossing", "address"],
        ["numbers", "address"],
        [None, "surveyed"],
    ]
    assert found["place_confidence"][:3].between(0.4, 1.0, inclusive="neither").all()
    assert pd.isna(found["place_confidence"].iloc[3])
    assert set(found.geom_type) == {"Point"}
    where = [shapely.Point(EAST + x, NORTH) for x in (495.0, 500.0, 230.0)]
    assert (shapely.distance(found.geometry[:3].to_numpy(), where) < 15.0).all()
    assert found.geometry.iloc[3].equals(shapely.Point(EAST + 7.0, NORTH + 7.0))


@pytest.mark.parametrize("kind", ["leaks", "events"])
def test_what_cannot_be_located_waits_and_none_vanishes(town: Registry, tmp_path: Path, kind: str) -> None:
    rows: Rows = [
        {"地址": "罗丰大街50号"},
        {"地址": f"{MAIN}801号"},
        {"地址": f"{CROSS[0]}与{CROSS[1]}交叉口"},
        {"地址": MAIN},
        {"地址": f"{MAIN}（{CROSS[0]}至{CROSS[2]}）"},
        {"地址": None},
    ]
    receipt = hotline(town, tmp_path, kind, rows)
    assert (receipt.rows_read, receipt.accepted, receipt.held) == (6, 0, 6)
    without = "geometry_missing" if kind == "leaks" else "event_without_place"
    assert receipt.faults[["code", "value", "offered"]].fillna("").to_numpy().tolist() == [
        ["address_street_unknown", "罗丰大街", MAIN],
        ["place_number_unknown", f"801 {MAIN}", f"1-100 {MAIN}"],
        ["place_crossing_unknown", f"{CROSS[0]} × {CROSS[1]}", ""],
        ["address_too_wide", MAIN, ""],
        ["address_too_wide", f"{MAIN}（{CROSS[0]}至{CROSS[2]}）", ""],
        [without, "", ""],
    ]
    for row, said in ((2, f"{MAIN}50号"), (5, f"{MAIN}与{CROSS[2]}路口")):
        fix_row(town.connection, receipt.delivery_id, row, {"address": said})
    # the file has no coordinates; where a row is may be said all the same
    fix_row(town.connection, receipt.delivery_id, 7, {"x": str(EAST + 3.0), "y": str(NORTH)})
    done = retry_held(town.connection, receipt.delivery_id, town.srid, town.info, "tester", None)
    assert done.left == 3
    assert town.frame(kind, as_of=TODAY)["located_by"].fillna("").tolist() == ["number", "crossing", ""]


def test_calls_wait_for_the_roads(registry: Registry, tmp_path: Path) -> None:
    receipt = hotline(registry, tmp_path, "leaks", [{"地址": f"{MAIN}50号"}])
    assert receipt.faults["code"].tolist() == ["address_street_unknown"]
    registry.import_file("roads", streets(tmp_path), today=TODAY)
    done = retry_held(registry.connection, receipt.delivery_id, registry.srid, registry.info, "tester", None)
    assert (done.tried, done.left) == (1, 0)


def test_an_event_that_names_its_segment_needs_no_place(town: Registry, tmp_path: Path) -> None:
    # a whole street is no position, not even of an event that may go in without one
    addresses = ("无名路3号", f"{MAIN}50号", MAIN)
    rows: Rows = [{"地址": address, "管段编号": "S1"} for address in addresses]
    receipt = hotline(town, tmp_path, "events", rows)
    assert receipt.held == 0
    assert {"code": "note_address_unfound", "count": 2} in receipt.notes
    assert town.frame("events", as_of=TODAY).geometry.isna().tolist() == [True, False, True]


def test_a_delivery_with_positions_says_nothing_of_how_they_were_found(town: Registry, tmp_path: Path) -> None:
    """An address beside a position changes nothing of what an earlier delivery said of it."""
    surveyed: Rows = [{"地址": f"{MAIN}50号", "X": EAST + 7.0, "Y": NORTH + 7.0, "定位方式": "实测"}]
    hotline(town, tmp_path, "leaks", surveyed)
    del surveyed[0]["定位方式"]
    later = hotline(town, tmp_path, "leaks", surveyed, "later")
    assert (later.changed, later.unchanged) == (0, 1)
