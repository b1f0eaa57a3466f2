"""Projects and dig bans whose place is in words: located, or in the queue until somebody says where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from registry.errors import ReviewError
from registry.intake.importer import Receipt
from registry.intake.retry import Retried, fix_row, retry_held
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, line, write

MAIN, CROSS = "罗峰大街", ("魁星路", "温泉路", "金城路")


def streets(folder: Path) -> Path:
    """罗峰大街 with house numbers, crossed by three streets after 100, 500 and 900 m."""
    crossing = [shapely.LineString([(EAST + at, NORTH - 50), (EAST + at, NORTH + 50)]) for at in (100.0, 500.0, 900.0)]
    columns = {
        "道路编号": ["R0", "R1", "R2", "R3"],
        "道路名称": [MAIN, *CROSS],
        "左侧起始门牌号": [1, None, None, None],
        "左侧终止门牌号": [99, None, None, None],
        "右侧起始门牌号": [2, None, None, None],
        "右侧终止门牌号": [100, None, None, None],
    }
    frame = gpd.GeoDataFrame(pd.DataFrame(columns), geometry=[line(0, 0, 1000.0), *crossing], crs="EPSG:4549")
    return write(frame, folder / "roads.gpkg")


@pytest.fixture
def town(registry: Registry, tmp_path: Path) -> Registry:
    """The streets alone."""
    assert registry.import_file("roads", streets(tmp_path), today=TODAY).held == 0
    return registry


def programme(registry: Registry, folder: Path, rows: list[dict[str, Any]], name: str = "programme") -> Receipt:
    """Import projects of a table; ids, names and kinds are given where a row has none."""
    path = folder / f"{name}.xlsx"
    common = {"工程名称": "大修工程", "工程类别": "道路大修"}
    pd.DataFrame([{"工程编号": f"P{at}"} | common | row for at, row in enumerate(rows)]).to_excel(path, index=False)
    return registry.import_file("projects", path, today=TODAY)


def bans(registry: Registry, folder: Path, rows: list[dict[str, Any]]) -> Receipt:
    """Import dig bans of a table that has no ids."""
    path = folder / "bans.csv"
    pd.DataFrame([{"起始日期": "2026-01-01"} | row for row in rows]).to_csv(path, index=False, encoding="utf-8-sig")
    return registry.import_file("moratoria", path, today=TODAY)


def retry(registry: Registry, delivery: str) -> Retried:
    return retry_held(registry.connection, delivery, registry.srid, registry.info, "tester", None)


def test_a_programme_in_words_goes_in_with_its_places(town: Registry, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"道路名称": MAIN, "起点路口": CROSS[0], "终点路口": CROSS[1]},
        {"道路名称": MAIN, "起始门牌号": 1, "终止门牌号": 99},
        {"地点说明": f"{MAIN}（{CROSS[1]}至{CROSS[2]}）"},
        {"地点说明": f"{MAIN}与{CROSS[1]}交叉口"},
        {"道路名称": MAIN},
    ]
    receipt = programme(town, tmp_path, rows)
    assert (receipt.accepted, receipt.held) == (5, 0)
    projects = town.frame("projects", as_of=TODAY)
    assert projects["located_by"].tolist() == ["stretch", "numbers", "stretch", "crossing", "street"]
    assert projects.geometry.length[:3].tolist() == pytest.approx([400.0, 1000.0, 400.0])
    # a crossing alone is a point: the ground within 15 m of it
    assert projects.geometry["P3"].area == pytest.approx(707, rel=0.02)
    assert {note["code"]: note["count"] for note in receipt.notes} == {
        "note_place_stretch": 2,
        "note_place_numbers": 1,
        "note_place_crossing": 1,
        "note_place_street": 1,
    }


def test_what_cannot_be_located_waits_with_an_offer_and_is_mended(town: Registry, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"道路名称": MAIN, "起点路口": "魁星道", "终点路口": CROSS[1]},
        {"道路名称": CROSS[0], "起点路口": CROSS[1], "终点路口": CROSS[2]},
        {"地点说明": f"{MAIN}801号"},
    ]
    receipt = programme(town, tmp_path, rows)
    assert (receipt.accepted, receipt.held) == (0, 3)
    assert receipt.faults[["code", "value", "offered"]].fillna("").to_numpy().tolist() == [
        ["project_place_unknown", "魁星道", "魁星路"],
        ["place_crossing_unknown", f"{CROSS[0]} × {CROSS[1]}", ""],
        ["place_number_unknown", f"801 {MAIN}", f"1-100 {MAIN}"],
    ]
    assert retry(town, receipt.delivery_id).left == 3
    fix_row(town.connection, receipt.delivery_id, 2, {"起点路口": CROSS[0]})
    # the file has no column for house numbers; where a row is may be said all the same
    numbers = {"street_name": MAIN, "起点路口": "", "终点路口": "", "number_from": "1", "number_to": "99"}
    fix_row(town.connection, receipt.delivery_id, 3, numbers)
    fix_row(town.connection, receipt.delivery_id, 4, {"address": f"{MAIN}81号"})
    done = retry(town, receipt.delivery_id)
    assert (done.tried, done.left) == (3, 0)
    assert town.frame("projects", as_of=TODAY)["located_by"].tolist() == ["stretch", "numbers", "number"]


def test_only_what_tells_the_place_may_be_added(town: Registry, tmp_path: Path) -> None:
    receipt = programme(town, tmp_path, [{"道路名称": "无名路"}])
    with pytest.raises(ReviewError, match="contact"):
        fix_row(town.connection, receipt.delivery_id, 2, {"contact": "somebody"})


def test_a_programme_without_ids_keeps_them_through_mend_and_repeat(town: Registry, tmp_path: Path) -> None:
    rows = [
        {"工程名称": "甲", "道路名称": MAIN},
        {"工程名称": "甲", "道路名称": MAIN},
        {"工程名称": "乙", "道路名称": "罗峰路"},
    ]
    path = tmp_path / "without.csv"
    pd.DataFrame([row | {"工程类别": "大修"} for row in rows]).to_csv(path, index=False, encoding="utf-8-sig")
    receipt = town.import_file("projects", path, today=TODAY)
    assert (receipt.accepted, receipt.held) == (2, 1)
    assert {"code": "note_ids_made", "count": 3} in receipt.notes
    first, second = sorted(town.frame("projects", as_of=TODAY).index)
    assert second == f"{first}-2"
    fix_row(town.connection, receipt.delivery_id, int(receipt.faults["row_number"].iloc[0]), {"道路名称": MAIN})
    assert retry(town, receipt.delivery_id).left == 0
    projects = town.frame("projects", as_of=TODAY)
    assert len(projects) == 3
    # the same rows in another order, with a column that nobody reads
    again = pd.DataFrame([row | {"工程类别": "大修", "页": 7} for row in reversed(rows)])
    again.to_csv(tmp_path / "again.csv", index=False, encoding="utf-8-sig")
    repeated = town.import_file("projects", tmp_path / "again.csv", today=TODAY)
    assert (repeated.added, repeated.changed, repeated.unchanged) == (0, 0, 2)


def test_a_kind_that_needs_ids_still_does(town: Registry, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"道路名称": ["无号路"]}, geometry=[line(0, 900)], crs="EPSG:4549")
    with pytest.raises(ValueError, match="road_id"):
        town.import_file("roads", write(frame, tmp_path / "r.gpkg"), today=TODAY)


def test_a_ban_is_located_or_waits(town: Registry, tmp_path: Path) -> None:
    rows = [
        {"道路名称": MAIN, "起点路口": CROSS[0], "终点路口": CROSS[1]},
        {"道路编号": "R2"},
        {"道路名称": "无名路"},
        {"道路编号": "R9"},
        {"备注": "全市"},
    ]
    receipt = bans(town, tmp_path, rows)
    assert (receipt.accepted, receipt.held) == (3, 2)
    assert receipt.faults[["code", "value"]].to_numpy().tolist() == [
        ["ban_place_unknown", "无名路"],
        ["ban_place_unknown", "R9"],
    ]
    stored = town.frame("moratoria", as_of=TODAY)
    assert sorted(stored["located_by"].fillna("")) == ["", "road", "stretch"]
    # a ban that names no place is in, and said to be without
    assert {"code": "note_place_without_place", "count": 1} in receipt.notes


def test_bans_from_before_the_roads_are_in_and_find_their_place_later(registry: Registry, tmp_path: Path) -> None:
    rows = [
        {"道路名称": MAIN, "起点路口": CROSS[0], "终点路口": CROSS[1]},
        {"道路名称": "无名路"},
        {"道路名称": MAIN, "起始日期": "2026-13-01"},
    ]
    receipt = bans(registry, tmp_path, rows)
    assert (receipt.accepted, receipt.held) == (2, 1)
    assert registry.frame("moratoria", as_of=TODAY).geometry.isna().all()
    registry.import_file("roads", streets(tmp_path), today=TODAY)
    done = retry(registry, receipt.delivery_id)
    assert done.read_again is not None
    # the street that is still unknown and the row with the fault wait in the new delivery
    assert (done.left, done.read_again.held) == (0, 2)
    stored = registry.frame("moratoria", as_of=TODAY)
    assert len(stored) == 2
    assert stored.geometry.length.max() == pytest.approx(400.0)
    assert int(registry.held_summary()["row_count"].sum()) == 2
    delivery = done.read_again.delivery_id
    fix_row(registry.connection, delivery, 3, {"道路名称": CROSS[0]})
    assert retry(registry, delivery).left == 1
    assert registry.frame("moratoria", as_of=TODAY).geometry.notna().all()


def test_points_and_collections_get_an_extent_or_wait(town: Registry, tmp_path: Path) -> None:
    square = shapely.box(EAST, NORTH, EAST + 80, NORTH + 60)
    compounds = gpd.GeoDataFrame({"小区编号": ["C1"], "小区名称": ["龙馨佳苑"]}, geometry=[square], crs="EPSG:4549")
    town.import_file("compounds", write(compounds, tmp_path / "compounds.gpkg"), today=TODAY)
    inside, outside = shapely.Point(EAST + 40, NORTH + 30), shapely.Point(EAST + 400, NORTH + 300)
    shapes = [
        inside,
        inside,
        outside,
        shapely.GeometryCollection([square, outside]),
        shapely.MultiPoint([inside, outside]),
    ]
    kinds = ["old_residential", "utility", "old_residential", "road_overlay", "other"]
    frame = gpd.GeoDataFrame(
        {"工程编号": [f"P{at}" for at in range(5)], "工程名称": "工程", "工程类别": kinds},
        geometry=shapes,
        crs="EPSG:4549",
    )
    receipt = town.import_file("projects", write(frame, tmp_path / "points.gpkg"), today=TODAY)
    assert receipt.faults["code"].tolist() == ["point_is_no_extent"]
    projects = town.frame("projects", as_of=TODAY)
    assert projects.geometry["P0"].equals(square)
    assert projects.geometry["P1"].area == pytest.approx(314, rel=0.02)
    assert projects.geometry["P3"].equals(square)
    assert projects.geometry["P4"].area == pytest.approx(2 * 707, rel=0.02)
    how = projects["located_by"].fillna("").to_dict()
    assert how == {"P0": "compound", "P1": "point", "P3": "", "P4": "point"}
    codes = {note["code"]: note["count"] for note in receipt.notes}
    assert codes == {"note_place_compound": 1, "note_place_point": 2, "note_place_collections": 1}


def test_a_dry_run_tells_the_same(town: Registry, tmp_path: Path) -> None:
    path = tmp_path / "programme.xlsx"
    pd.DataFrame(
        [{"工程编号": "P1", "工程名称": "甲", "工程类别": "大修", "地点说明": f"{MAIN}（{CROSS[0]}至{CROSS[1]}）"}]
    ).to_excel(path, index=False)
    tried = town.import_file("projects", path, today=TODAY, is_dry_run=True)
    done = town.import_file("projects", path, today=TODAY)
    assert tried.notes == done.notes
    assert (tried.accepted, tried.held) == (done.accepted, done.held) == (1, 0)
