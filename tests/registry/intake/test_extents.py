"""Projects of a table find their place: a renovation its compound, a road project all roads of its street."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, line, write


@pytest.fixture
def town(registry: Registry, tmp_path: Path) -> Registry:
    """Two compounds, and two streets of which one lies in two pieces."""
    squares = [shapely.box(EAST + at, NORTH, EAST + at + 80, NORTH + 60) for at in (0, 200)]
    compounds = {"小区编号": ["C1", "C2"], "小区名称": ["龙馨佳苑", "金城路小区"]}
    roads = {"道路编号": ["R1", "R2", "R3"], "道路名称": ["金城路", "金城路", "罗峰大街"]}
    lines = [line(0, 100, 50), line(50, 100, 70), line(0, 300, 90)]
    for kind, columns, shapes in (("compounds", compounds, squares), ("roads", roads, lines)):
        frame = gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapes, crs="EPSG:4549")
        receipt = registry.import_file(kind, write(frame, tmp_path / f"{kind}.gpkg"), today=TODAY)
        assert receipt.held == 0
    return registry


def programme(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "programme.xlsx"
    pd.DataFrame(rows).to_excel(path, index=False)
    return path


def test_a_renovation_takes_its_compound_and_a_road_project_its_whole_street(town: Registry, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"工程编号": "P1", "工程名称": "龙馨佳苑", "工程类别": "老旧小区改造", "计划年度": 2027},
        {"工程编号": "P2", "工程名称": "二期", "工程类别": "老旧小区改造", "所在小区": "金城路小区", "计划年度": 2028},
        {"工程编号": "P3", "工程名称": "三期", "工程类别": "道路大修", "道路名称": "金城路", "计划年度": 2029},
    ]
    receipt = town.import_file("projects", programme(tmp_path, rows), today=TODAY)
    assert (receipt.accepted, receipt.held) == (3, 0)
    projects = town.frame("projects", as_of=TODAY)
    compounds = town.frame("compounds", as_of=TODAY)
    assert projects.geometry["P1"].equals(compounds.geometry["C1"])
    assert projects.geometry["P2"].equals(compounds.geometry["C2"])
    assert projects.geometry["P3"].length == pytest.approx(120.0)
    assert [day.date().isoformat() for day in projects.loc["P3", ["starts_on", "ends_on"]]] == [
        "2029-01-01",
        "2029-12-31",
    ]


def test_a_place_that_is_not_known_is_held_back_with_the_nearest_name(town: Registry, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"工程编号": "P1", "工程名称": "一期", "工程类别": "老旧小区改造", "所在小区": "龙馨家苑"},
        {"工程编号": "P2", "工程名称": "二期", "工程类别": "道路大修", "道路名称": "罗峰大道"},
        {"工程编号": "P3", "工程名称": "三期", "工程类别": "道路大修"},
    ]
    receipt = town.import_file("projects", programme(tmp_path, rows), today=TODAY)
    assert (receipt.accepted, receipt.held) == (0, 3)
    found = receipt.faults.set_index("row_number")
    assert found["code"].to_dict() == {
        2: "project_place_unknown",
        3: "project_place_unknown",
        4: "project_without_extent",
    }
    assert found["offered"].to_dict() == {2: "龙馨佳苑", 3: "罗峰大街", 4: None}
