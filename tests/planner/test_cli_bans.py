"""The verb `bans` on a small registry: roads without a past, a road programme, two published bans."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from typer.testing import Result

from tests.planner.frames import CRS, line, moratoria_of, projects_of, roads_of
from tests.planner.test_policy import copied

AS_OF = ("--as-of", "2026-11-01")


@pytest.fixture
def closed(digonce: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    roads = roads_of(
        {"name": "金城路", "opened_on": "2023-05-06"},
        {"name": "温泉路", "overhauled_on": "2023-05-06", "geometry": line((0, 100), (100, 100))},
        {"name": "魁星路", "geometry": line((0, 200), (100, 200))},
    )
    coming = {"state": "planned", "street_name": "魁星路", "geometry": line((0, 200), (100, 200))}
    projects = projects_of(coming, coming | {"state": "done", "starts_on": None, "ends_on": None})
    moratoria = moratoria_of({"street_name": "府前路", "starts_on": "2026-10-01", "ends_on": None, "cause": None})
    # while no roads are known a ban goes in without a place
    moratoria.drop(columns="geometry").reset_index().to_csv(tmp_path / "moratoria.csv", index=False)
    took = digonce("import", "moratoria", tmp_path / "moratoria.csv")
    assert took.exit_code == 0, took.output
    for kind, frame in (("roads", roads), ("projects", projects)):
        frame.reset_index().to_file(tmp_path / f"{kind}.gpkg", engine="pyogrio")
        took = digonce("import", kind, tmp_path / f"{kind}.gpkg", "--crs", CRS)
        assert took.exit_code == 0, took.output
    return digonce


def listed(run: Callable[..., Result], *arguments: str | Path) -> dict[str, object]:
    done = run("bans", "--json", *AS_OF, *arguments)
    assert done.exit_code == 0, done.output
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(
    ("arguments", "streets"),
    [
        ((), ["府前路", "金城路"]),
        (("--on", "2026-05-06"), ["温泉路", "金城路"]),
        (("--on", "2026-05-07"), ["金城路"]),
        (("--on", "2028-05-06"), ["府前路", "金城路"]),
        (("--on", "2028-05-07"), ["府前路"]),
        (("--on", "2028-11-01"), ["府前路", "魁星路"]),
        (("--on", "2031-10-31"), ["府前路", "魁星路"]),
        (("--on", "2031-11-01"), ["府前路"]),
        (("--all",), ["府前路", "温泉路", "金城路", "魁星路"]),
        (("--street", "金城"), ["金城路"]),
        (("--street", "魁星"), []),
    ],
)
def test_streets_are_closed_on_both_ends_of_their_bans(
    closed: Callable[..., Result], arguments: tuple[str, ...], streets: list[str]
) -> None:
    result = listed(closed, *arguments)
    assert sorted(row["street_name"] for row in result["bans"]) == streets  # type: ignore[attr-defined]
    assert result["ban_count"] == len(streets)


def test_a_script_learns_days_left_rule_and_filing(closed: Callable[..., Result]) -> None:
    result = listed(closed, "--on", "2028-05-05")
    street = next(row for row in result["bans"] if row["street_name"] == "金城路")  # type: ignore[attr-defined]
    assert (street["starts_on"], street["ends_on"], street["days_left"]) == ("2023-05-07", "2028-05-06", 2)
    assert street["rule_code"] == "cn_new_road"
    assert "24 hours" in street["exceptions"]
    assert result["ban_set"] == {"id": "cn-national", "version": "1"}
    assert result["filing"] == {"files_by": "2026-12-31", "works_year": 2027, "confidence": "derived"}
    assert (result["planned_count"], result["unplaced_count"], result["undated_count"]) == (0, 1, 1)


def test_days_are_left_from_the_first_forbidden_day_on(closed: Callable[..., Result]) -> None:
    """None where the ban is over or its end is not said, one on its last day, all of them where it is to come."""
    left = {row["street_name"]: row["days_left"] for row in listed(closed, "--all", "--on", "2028-05-06")["bans"]}  # type: ignore[attr-defined]
    assert left == {"府前路": None, "温泉路": None, "金城路": 1, "魁星路": 3 * 365}


def test_people_read_it_in_their_language(closed: Callable[..., Result]) -> None:
    chinese = closed("bans", *AS_OF, "--on", "2029-01-01", language="zh")
    assert chinese.exit_code == 0, chinese.output
    for word in ("禁掘道路", "魁星路", "大修道路竣工后3年内", "特殊情况经政府批准", "2031-10-31", "2027 年掘路计划"):
        assert word in chinese.output
    english = closed("bans", *AS_OF, columns="250")
    for word in ("New, widened or rebuilt", "Closed by order of the authority", "no day of completion", "no place"):
        assert word in english.output


def test_tables_and_maps_are_written(closed: Callable[..., Result], tmp_path: Path) -> None:
    for name in ("bans.xlsx", "bans.csv", "bans.gpkg", "bans.geojson"):
        listed(closed, "--all", "-o", tmp_path / name)
    sheet = openpyxl.load_workbook(tmp_path / "bans.xlsx").active
    assert sheet is not None
    headings = [cell.value for cell in sheet[1]]
    assert headings[:8] == [
        *("Ban", "Street", "Cause", "Rule", "Closed since", "Closed until", "Days left (day)", "To come"),
    ]
    table = pd.read_csv(tmp_path / "bans.csv")
    assert len(table) == sheet.max_row - 1 == 4
    assert table["Cause"].tolist().count("road overhaul") == 2
    for name in ("bans.gpkg", "bans.geojson"):
        streets = gpd.read_file(tmp_path / name)
        assert sorted(streets["cause"]) == ["road_building", "road_overhaul", "road_overhaul", "unknown"]
        assert int(streets.geometry.isna().sum()) == 1
        assert set(streets.geom_type.dropna()) == {"Polygon"}


def test_another_ban_set_is_a_line_of_the_policy(closed: Callable[..., Result], tmp_path: Path) -> None:
    policy = copied(tmp_path)
    text = policy.read_text(encoding="utf-8").replace('id = "cn-national"', 'id = "us-example"')
    policy.write_text(text, encoding="utf-8")
    result = listed(closed, "--policy", policy, "--on", "2031-11-01")
    assert sorted(row["rule_code"] for row in result["bans"]) == ["published", "us_resurfacing"]  # type: ignore[attr-defined]
    assert result["filing"] is None


def test_a_street_that_nobody_names_is_a_fault(closed: Callable[..., Result]) -> None:
    refused = closed("bans", *AS_OF, "--street", "长安街")
    assert refused.exit_code == 1
    assert "长安街" in refused.stderr
    assert closed("bans", "--on", "soon").exit_code == 2


def test_a_registry_without_anything_has_no_bans(digonce: Callable[..., Result]) -> None:
    empty = digonce("bans", "--json", *AS_OF)
    assert empty.exit_code == 0, empty.output
    assert json.loads(empty.stdout)["bans"] == []
    assert digonce("bans", *AS_OF).exit_code == 0


def test_help_ends_with_an_example(digonce: Callable[..., Result]) -> None:
    shown = digonce("bans", "--help")
    assert shown.exit_code == 0
    assert "Example: digonce bans" in shown.stdout
