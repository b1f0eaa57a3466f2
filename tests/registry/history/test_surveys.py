"""Leak surveys: taken in by our words or by a mapping, held back with the reason, waiting, taken back."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from registry.history.undo import undo_delivery
from registry.intake.review import accept_delivery
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH


def surveys_csv(path: Path, *rows: dict[str, Any]) -> Path:
    default = {"检测日期": "2025-03-01", "介质": "燃气", "检测方法": "徒步", "道路名称": None, "检测里程(km)": None}
    filled = [{"检测编号": f"V{number}"} | default | row for number, row in enumerate(rows)]
    pd.DataFrame(filled).to_csv(path, index=False, encoding="gb18030")
    return path


def test_words_become_codes_and_a_place_may_be_told_in_many_ways(registry: Registry, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"道路名称": "金城路"},
        {"检测里程(km)": 12.5, "检测方法": "车载检测"},
        {"区划名称": "东区"},
        {"管段编号": "G1"},
    ]
    receipt = registry.import_file("surveys", surveys_csv(tmp_path / "a.csv", *rows), today=TODAY)
    assert (receipt.accepted, receipt.held) == (4, 0)
    frame = registry.frame("surveys", as_of=TODAY)
    assert frame["method"].tolist() == ["walking", "vehicle", "walking", "walking"]
    assert frame["surveyed_km"].tolist()[1] == 12.5
    assert (frame.loc["V0", "street_name"], frame.loc["V2", "district"], frame.loc["V3", "segment_id"]) == (
        "金城路",
        "东区",
        "G1",
    )
    assert frame.geometry.isna().all()
    assert registry.frame("surveys", as_of=date(2025, 2, 28)).empty


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({}, "survey_without_place"),
        ({"道路名称": "金城路", "检测日期": "2027-01-01"}, "day_in_future"),
        ({"道路名称": "金城路", "检测日期": None}, "value_missing"),
        ({"道路名称": "金城路", "检测方法": "猜"}, "value_not_listed"),
        ({"检测里程(km)": -3}, "out_of_range"),
    ],
)
def test_a_faulty_survey_is_held_back(registry: Registry, tmp_path: Path, row: dict[str, Any], code: str) -> None:
    receipt = registry.import_file("surveys", surveys_csv(tmp_path / "a.csv", {"道路名称": "金城路"}, row), today=TODAY)
    assert (receipt.accepted, receipt.held) == (1, 1)
    assert receipt.faults["code"].tolist() == [code]


def test_an_area_comes_by_a_mapping_and_a_change_waits_and_is_taken_back(registry: Registry, tmp_path: Path) -> None:
    drawn = gpd.GeoDataFrame(
        {"no": ["A1"], "walked": ["2024-07-01"], "km": [2.5], "how": ["foot"]},
        geometry=[shapely.box(EAST, NORTH, EAST + 300, NORTH + 200)],
        crs="EPSG:4549",
    )
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        '[columns]\nsurvey_id = "no"\nsurveyed_on = "walked"\nsurveyed_km = "km"\nmethod = "how"\n'
        '[values.method]\nfoot = "walking"\n[defaults]\nmedium = "gas"\n',
        encoding="utf-8",
    )
    before = registry.state_hash()
    for number, walked in enumerate((2.5, 1.5)):
        drawn["km"] = walked
        drawn.to_file(tmp_path / f"{number}.gpkg")
    first = registry.import_file("surveys", tmp_path / "0.gpkg", map_path=mapping, today=TODAY)
    frame = registry.frame("surveys", as_of=TODAY)
    assert frame.loc["A1", ["surveyed_km", "method", "medium"]].tolist() == [2.5, "walking", "gas"]
    assert frame.geometry["A1"].area == pytest.approx(60_000.0)
    again = registry.import_file("surveys", tmp_path / "0.gpkg", map_path=mapping, today=TODAY)
    assert again.delivery_id == first.delivery_id
    second = registry.import_file("surveys", tmp_path / "1.gpkg", map_path=mapping, today=TODAY)
    assert registry.frame("surveys", as_of=TODAY)["surveyed_km"].tolist() == [2.5]
    known_at = registry.connection.execute("SELECT clock_timestamp()").fetchall()[0][0]
    accept_delivery(registry.connection, second.delivery_id, registry.srid)
    assert registry.frame("surveys", as_of=TODAY)["surveyed_km"].tolist() == [1.5]
    assert registry.frame("surveys", as_of=TODAY, known_at=known_at)["surveyed_km"].tolist() == [2.5]
    for delivery in (second, first):
        undo_delivery(registry.connection, delivery.delivery_id, "tester")
    assert registry.state_hash() == before
