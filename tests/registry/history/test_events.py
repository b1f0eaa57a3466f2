"""Inspections, repairs, hazards and the like: taken in, held back, moved with their pipe, told in its dossier."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from typer.testing import Result

from registry.errors import EditError
from registry.history.dossier import read_dossier
from registry.history.edit import Warrant, correct
from registry.history.lineage import merge, split
from registry.history.undo import undo_delivery
from registry.intake.review import accept_delivery, change_report
from registry.kinds import KINDS
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, segments, write

DAY = date(2026, 6, 1)
WARRANT = Warrant("tester")
EVENTS = KINDS["events"]


def events_csv(path: Path, *rows: dict[str, Any]) -> Path:
    """Write events as a company lists them, in GBK; what a row leaves out is an inspection without a place."""
    default = {"事件类别": "巡检", "发生日期": "2025-03-01", "管段编号": None, "X": None, "Y": None}
    filled = [{"事件编号": f"E{number}"} | default | row for number, row in enumerate(rows)]
    pd.DataFrame(filled).to_csv(path, index=False, encoding="gb18030")
    return path


@pytest.fixture
def street(registry: Registry, tmp_path: Path) -> Registry:
    """Two pipes end to end and four events: two placed and named, one named alone, one placed alone."""
    shapes = [shapely.LineString([(EAST + x, NORTH), (EAST + x + 50, NORTH)]) for x in (0, 50)]
    registry.import_file("segments", write(segments(2, geometry=shapes), tmp_path / "census.gpkg"), today=TODAY)
    rows: list[dict[str, Any]] = [
        {"管段编号": "GAS-0", "X": NORTH + 1, "Y": EAST + 10, "检查结果": "防腐层完好", "事件等级": "正常"},
        {"管段编号": "GAS-0", "X": NORTH + 1, "Y": EAST + 40, "事件类别": "违章占压", "事件来源": "12345"},
        {"管段编号": "GAS-0", "事件类别": "阀门启闭", "上报人": "抢修队", "办结日期": "2025-03-04"},
        {"X": NORTH + 1, "Y": EAST + 70, "事件类别": "隐患", "事件等级": "重大"},
    ]
    registry.import_file("events", events_csv(tmp_path / "events.csv", *rows), today=TODAY)
    return registry


def named(registry: Registry, day: date = TODAY) -> dict[str, str | None]:
    frame = registry.frame("events", ["segment_id"], as_of=day)
    return {key: None if pd.isna(value) else value for key, value in frame["segment_id"].items()}


def test_words_of_a_company_become_codes(street: Registry) -> None:
    frame = street.frame("events", as_of=TODAY)
    assert frame["kind"].tolist() == ["inspection", "encroachment", "valve_work", "hazard"]
    assert frame.loc["E0", "grade"] == "none"
    assert frame.loc["E1", "source"] == "hotline"
    assert frame.geometry["E2"] is None
    assert street.frame("events", as_of=date(2025, 2, 28)).empty


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({}, "event_without_place"),
        ({"管段编号": "GAS-0", "发生日期": "2027-01-01"}, "day_in_future"),
        ({"管段编号": "GAS-0", "办结日期": "2024-01-01"}, "interval_backwards"),
        ({"管段编号": "GAS-0", "事件类别": "野餐"}, "value_not_listed"),
        ({"管段编号": "GAS-0", "事件类别": None}, "value_missing"),
    ],
)
def test_a_faulty_event_is_held_back(registry: Registry, tmp_path: Path, row: dict[str, Any], code: str) -> None:
    path = events_csv(tmp_path / "events.csv", {"管段编号": "GAS-0"}, row)
    receipt = registry.import_file("events", path, today=TODAY)
    assert (receipt.accepted, receipt.held) == (1, 1)
    assert receipt.faults["code"].tolist() == [code]


def test_lines_areas_and_rows_without_a_shape_come_from_a_gis_file(registry: Registry, tmp_path: Path) -> None:
    drawn = [shapely.LineString([(EAST, NORTH), (EAST + 9, NORTH)]), shapely.box(EAST, NORTH, EAST + 5, NORTH + 5)]
    shapes = np.array([*drawn, None, shapely.Point()], dtype=object)
    rows = {"event_id": list("ABCD"), "date": "2025-03-01", "event_type": "hazard", "segment_id": "GAS-0"}
    path = write(gpd.GeoDataFrame(rows, geometry=shapes, crs="EPSG:4549"), tmp_path / "events.gpkg")
    receipt = registry.import_file("events", path, today=TODAY)
    assert (receipt.accepted, receipt.held) == (4, 0)
    stored = registry.frame("events", as_of=TODAY).geometry
    assert [None if shape is None else shape.geom_type for shape in stored] == ["LineString", "Polygon", None, None]


def test_events_follow_their_pipe_by_measure(street: Registry) -> None:
    split(street.connection, "GAS-0", [25.0], DAY, WARRANT)
    assert named(street) == {"E0": "GAS-0-1", "E1": "GAS-0-2", "E2": "GAS-0", "E3": None}
    assert set(named(street, date(2026, 5, 31)).values()) == {"GAS-0", None}


def test_of_a_merge_even_those_without_a_place_follow_and_undo_brings_them_back(street: Registry) -> None:
    before = street.state_hash()
    made = merge(street.connection, ["GAS-0", "GAS-1"], "GAS-9", DAY, WARRANT)
    assert named(street) == {"E0": "GAS-9", "E1": "GAS-9", "E2": "GAS-9", "E3": None}
    undo_delivery(street.connection, str(made.delivery_id), "tester")
    assert street.state_hash() == before


def test_a_second_list_is_reviewed_and_taken_back(street: Registry, tmp_path: Path) -> None:
    before = street.state_hash()
    row = {"管段编号": "GAS-0", "X": NORTH + 1, "Y": EAST + 10, "检查结果": "局部破损", "事件等级": "一般"}
    receipt = street.import_file("events", events_csv(tmp_path / "again.csv", row), today=TODAY)
    assert (receipt.state, receipt.changed) == ("pending", 1)
    report = change_report(street.connection, receipt.delivery_id)
    assert set(report["column_name"]) == {"finding", "grade"}
    accept_delivery(street.connection, receipt.delivery_id, street.srid, ["changed"])
    assert street.frame("events", as_of=TODAY).loc["E0", "grade"] == "minor"
    undo_delivery(street.connection, receipt.delivery_id, "tester")
    assert street.state_hash() == before


def test_an_event_keeps_a_place_or_a_segment(street: Registry) -> None:
    with pytest.raises(EditError) as fault:
        correct(street.connection, EVENTS, "E2", {"segment_id": ""}, WARRANT)
    assert fault.value.code == "rule_event_has_a_place_or_a_segment"
    correct(street.connection, EVENTS, "E3", {"segment_id": "GAS-1"}, WARRANT)
    assert named(street)["E3"] == "GAS-1"


def test_the_dossier_tells_of_events_with_place_finding_and_settlement(street: Registry) -> None:
    told = read_dossier(street.connection, "GAS-0", TODAY).timeline
    events = {(row["object_id"], row["event"]): row for row in told.to_dict("records") if pd.notna(row["object_id"])}
    assert set(events) == {
        ("E0", "event_inspection"),
        ("E1", "event_encroachment"),
        ("E2", "event_valve_work"),
        ("E2", "event_closed"),
    }
    inspected = events["E0", "event_inspection"]
    assert (inspected["finding"], inspected["new_value"], inspected["probability"]) == ("防腐层完好", "none", 1.0)
    assert inspected["measure_m"] == pytest.approx(10.0)


def test_a_doubtful_event_is_told_with_its_probability_once_scored(
    digonce: Callable[..., Result], street: Registry
) -> None:
    scored = digonce("score", "--as-of", TODAY.isoformat())
    assert scored.exit_code == 0, scored.output
    told = digonce("history", "GAS-1", "--as-of", TODAY.isoformat())
    assert "hazard" in told.output
    assert "major" in told.output
    assert "at 20.0 m" in told.output
    links = street.load_run("score").frames["event_links"]
    share = links[links["event_id"] == "E3"].set_index("segment_id")["probability"]
    assert 0.5 < share["GAS-1"] < 1.0
    assert f"probability {share['GAS-1']:.0%}" in told.output
