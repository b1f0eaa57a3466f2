"""Held-back rows stay workable: mended in place, in the list, or by what they lacked, without the rest of the file."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from registry.errors import ReviewError
from registry.history.undo import undo_delivery
from registry.intake.receipt import read_held, write_held
from registry.intake.retry import Retried, fix_row, retry_held
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import leaks_csv, line, segments, write


def retry(registry: Registry, delivery: str, corrected: pd.DataFrame | None = None) -> Retried:
    return retry_held(registry.connection, delivery, registry.srid, registry.info, "tester", corrected)


def held_rows(registry: Registry) -> int:
    return int(registry.held_summary()["row_count"].sum())


@pytest.fixture
def census(registry: Registry, tmp_path: Path) -> tuple[Registry, str]:
    """Four segments: one of an unknown material, one too deep, one that repeats an id, one sound."""
    frame = segments(4, 管材=["鉄鉄鉄", "钢", "钢", "钢"], 埋深=[1.0, 1100.0, 1.0, 1.0], 管段编号=["A", "B", "D", "D"])
    receipt = registry.import_file("segments", write(frame, tmp_path / "census.gpkg"), today=TODAY)
    assert (receipt.accepted, receipt.held) == (1, 3)
    return registry, receipt.delivery_id


def test_a_row_mended_in_place_goes_in_without_the_rest(census: tuple[Registry, str]) -> None:
    registry, delivery = census
    fix_row(registry.connection, delivery, 1, {"管材": "PE100"})
    done = retry(registry, delivery)
    assert (done.tried, done.left) == (1, 2)
    stored = registry.frame("segments", as_of=TODAY)
    assert stored["material"].to_dict() == {"A": "pe100", "D": "steel"}
    assert stored.geometry["A"].equals(line(0, 0))
    assert held_rows(registry) == 2


def test_our_own_name_of_a_column_will_do(census: tuple[Registry, str]) -> None:
    registry, delivery = census
    fix_row(registry.connection, delivery, 2, {"cover_depth_m": "1.1"})
    assert retry(registry, delivery).left == 2
    assert registry.frame("segments", as_of=TODAY).loc["B", "cover_depth_m"] == 1.1


def test_what_was_not_mended_is_not_tried(census: tuple[Registry, str]) -> None:
    registry, delivery = census
    before = registry.state_hash()
    assert retry(registry, delivery) == Retried(0, 3, None)
    assert registry.state_hash() == before
    fix_row(registry.connection, delivery, 1, {"管材": "鐵"})
    assert retry(registry, delivery).left == 3
    assert registry.state_hash() == before
    assert held_rows(registry) == 3


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_the_list_comes_back_mended(census: tuple[Registry, str], tmp_path: Path, suffix: str) -> None:
    registry, delivery = census
    path = tmp_path / f"held{suffix}"
    write_held(registry.held(delivery), path, "zh")
    table = read_held(path)
    assert table.iloc[:, 0].tolist() == ["1", "2", "4"]
    table.loc[table["管段编号"] == "A", "管材"] = "钢"
    table.loc[table["管段编号"] == "B", "埋深"] = "1.1"
    table.loc[table["管段编号"] == "D", "管段编号"] = "E"
    done = retry(registry, delivery, table)
    assert (done.tried, done.left) == (3, 0)
    stored = registry.frame("segments", as_of=TODAY)
    assert sorted(stored.index) == ["A", "B", "D", "E"]
    assert stored.geometry["E"].equals(line(0, 180))
    assert held_rows(registry) == 0


def test_a_retry_that_is_undone_leaves_the_row_held_back_again(census: tuple[Registry, str]) -> None:
    registry, delivery = census
    fix_row(registry.connection, delivery, 1, {"管材": "PE100"})
    done = retry(registry, delivery)
    assert done.receipt is not None
    undo_delivery(registry.connection, done.receipt.delivery_id, "tester")
    assert held_rows(registry) == 3


def test_a_later_delivery_settles_the_rows_whose_objects_it_brings(
    census: tuple[Registry, str], tmp_path: Path
) -> None:
    registry, _ = census
    later = segments(3, 管段编号=["A", "B", "D"], 管材="钢", 埋深=1.0, geometry=[line(0, 0), line(0, 60), line(0, 120)])
    registry.import_file("segments", write(later, tmp_path / "later.gpkg"), today=TODAY, is_accepted=True)
    # the row that repeats the id of another is still nobody's
    assert registry.held_summary()["code"].tolist() == ["id_repeated"]


def test_a_project_finds_its_road_once_the_road_is_known(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "programme.xlsx"
    row = {"工程编号": "P1", "工程名称": "一期", "工程类别": "道路大修", "道路名称": "金城路", "计划年度": 2027}
    pd.DataFrame([row]).to_excel(path, index=False)
    first = registry.import_file("projects", path, today=TODAY)
    assert (first.accepted, first.held) == (0, 1)
    assert retry(registry, first.delivery_id).left == 1
    roads = gpd.GeoDataFrame({"道路编号": ["R1"], "道路名称": ["金城路"]}, geometry=[line(0, 0)], crs="EPSG:4549")
    registry.import_file("roads", write(roads, tmp_path / "roads.gpkg"), today=TODAY)
    assert retry(registry, first.delivery_id).left == 0
    assert registry.frame("projects", as_of=TODAY).geometry["P1"].equals(line(0, 0))


def test_a_table_of_points_keeps_its_axes(registry: Registry, tmp_path: Path) -> None:
    rows = [
        {"漏点编号": f"L{n}", "发现日期": day, "X": 4_137_000.0 + n, "Y": 535_000.0}
        for n, day in enumerate(["2024-03-05", "2024-13-45", "2024-03-07"])
    ]
    first = registry.import_file("leaks", leaks_csv(tmp_path / "leaks.csv", rows), today=TODAY)
    assert first.held == 1
    fix_row(registry.connection, first.delivery_id, 3, {"发现日期": "2024-03-06"})
    assert retry(registry, first.delivery_id).left == 0
    leak = registry.frame("leaks", as_of=TODAY).geometry["L1"]
    assert (leak.x, leak.y) == (535_000.0, 4_137_001.0)


def test_degrees_are_kept_to_the_last_digit(registry: Registry, tmp_path: Path) -> None:
    shapes = segments(2).geometry
    frame = segments(2, 管材=["鉄鉄鉄", "钢"]).to_crs("EPSG:4490")
    first = registry.import_file("segments", write(frame, tmp_path / "census.geojson"), today=TODAY, crs="EPSG:4490")
    fix_row(registry.connection, first.delivery_id, 1, {"管材": "PE"})
    assert retry(registry, first.delivery_id).left == 0
    assert shapely.hausdorff_distance(registry.frame("segments", as_of=TODAY).geometry["GAS-0"], shapes[0]) < 1e-3


def test_a_row_or_column_that_is_not_there_is_named(census: tuple[Registry, str]) -> None:
    registry, delivery = census
    for row, values, code in ((3, {"管材": "钢"}, "held_row_unknown"), (1, {"颜色": "红"}, "held_column_unknown")):
        with pytest.raises(ReviewError) as fault:
            fix_row(registry.connection, delivery, row, values)
        assert fault.value.code == code
