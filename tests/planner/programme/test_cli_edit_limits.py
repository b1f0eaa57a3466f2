"""Limits of edited plans from the command line: told in both languages, as JSON, and kept with the edited plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from typer.testing import Result

from registry.settings import Settings
from registry.store import open_registry
from tests.registry.deliveries import EAST, NORTH, line, segments, write

Digonce = Callable[..., Result]
AS_OF = ("--as-of", "2026-11-01")
# metres of the pipes, the first two in one road
METRES = (50.0, 30.0, 50.0, 90.0)


@pytest.fixture
def planned(digonce: Digonce, tmp_path: Path) -> Digonce:
    """Four pipes in two districts, planned for two years with limits that the plan keeps by little."""
    shapes = [line(0, 0, METRES[0]), line(50, 0, METRES[1]), line(0, 300, METRES[2]), line(0, 600, METRES[3])]
    census = segments(4, 所在道路=["金城路", "金城路", "温泉路", "罗峰路"], geometry=shapes)
    crs = census.crs
    road = gpd.GeoDataFrame({"道路编号": ["L1"], "道路名称": ["金城路"]}, geometry=[line(-10, 0, 120.0)], crs=crs)
    boxes = [shapely.box(EAST - 50, NORTH + y, EAST + 300, NORTH + y + 290) for y in (-90, 250, 500)]
    halves = [boxes[0], shapely.union_all(boxes[1:])]
    districts = gpd.GeoDataFrame({"区划编号": ["D1", "D2"], "区划名称": ["南区", "北区"]}, geometry=halves, crs=crs)
    for kind, frame in (("segments", census), ("roads", road), ("districts", districts)):
        made = digonce("import", kind, write(frame, tmp_path / f"{kind}.gpkg"))
        assert made.exit_code == 0, made.output
    limits = ("--carry-over", "1", "--district-km", "0.1", "--district-floor", "0.5")
    assert run(digonce, "plan", "--years", "2027-2028", "--budget-cny", "1e6", *limits, "--save", "p1", *AS_OF)
    return digonce


def run(digonce: Digonce, *arguments: str | Path) -> Any:
    told = digonce(*arguments, "--json")
    assert told.exit_code == 0, (arguments, told.output, told.exception)
    return json.loads(told.stdout)


def test_limits_are_told_in_words_as_json_and_with_the_plan(planned: Digonce, settings: Settings) -> None:
    with open_registry(settings) as registry:
        parent = registry.load_run("plan", "p1")
    risk = parent.summary["risk"]
    made = run(planned, "plan", "--from", "p1", "--least-risk", str(0.999 * risk), "--save", "p2")
    assert made["least_risk"] == pytest.approx(0.999 * risk)
    with open_registry(settings) as registry:
        members = registry.load_run("plan", "p2").frames["batch_segments"]
    year = {str(segment): int(at) for segment, at in members["year"].items()}
    # 50 m and 90 m of the north do not fit into one year, and a road is opened once
    assert year["GAS-2"] != year["GAS-3"]
    assert year["GAS-0"] == year["GAS-1"]
    other = 2027 + 2028 - year["GAS-1"]
    move = f"{members['batch_id']['GAS-2']}={year['GAS-3']}"
    edits = ("edit-plan", "p2", "--move", move, "--add", "GAS-1", "--year", str(other))
    shown = run(planned, *edits, "--dry-run")
    found = {breach["code"]: breach for breach in shown["breaches"]}
    assert set(found) >= {"plan_breach_district_km", "plan_breach_second_cut"}
    north = found["plan_breach_district_km"]
    assert (north["place"], north["year"], north["limit"]) == ("北区", year["GAS-3"], 0.1)
    assert north["used"] == pytest.approx((METRES[2] + METRES[3]) / 1000.0)
    again = found["plan_breach_second_cut"]
    assert (again["place"], again["year"], again["cut"], again["limit"]) == ("金城路 L1", 2028, 2027, 5)
    told = {(row["limit"], row["place"], row["year"]): row for row in shown["limits"]}
    assert told["second_cut", "金城路 L1", None]["after"] == 1
    assert told["district_km", "北区", year["GAS-2"]]["after"] == 0
    assert told["district_km", "北区", year["GAS-3"]]["is_broken"]
    assert shown["by_year"][1]["fund_after_cny"] > 1e6
    for part in ("risk", "repair_cny", "methane_t"):
        assert shown["before"][part] == pytest.approx(made[part])
    for language, words in (
        (
            "en",
            (
                "km of a district at most",
                "Money after",
                "北区 would have 0.140 of 0.100 km dug",
                "opened again",
                "Avoided",
            ),
        ),
        ("zh", ("区划年度公里数上限", "北区将改造 0.140 公里", "再次开挖", "可用资金", "削减风险")),
    ):
        text = planned(*edits, "--dry-run", language=language, columns="80")
        said = " ".join((text.stdout + text.stderr).split())
        assert [word for word in words if word not in said] == []
        assert max(len(row) for row in text.stdout.splitlines() if row.startswith("│")) <= 80


def test_what_is_kept_tells_its_limits_and_what_it_avoids(planned: Digonce, settings: Settings) -> None:
    with open_registry(settings) as registry:
        parent = registry.load_run("plan", "p1")
    batch = parent.frames["batch_segments"]["batch_id"]["GAS-3"]
    refused = planned("edit-plan", "p1", "--drop", str(batch), "--save", "p2")
    assert refused.exit_code == 1
    assert "least share" in refused.stderr
    kept = run(planned, "edit-plan", "p1", "--drop", str(batch), "--save", "p2", "--anyway", "no permit")
    with open_registry(settings) as registry:
        child = registry.load_run("plan", "p2").summary
    assert child["edited"]["limits"] == kept["limits"]
    floor = next(row for row in kept["limits"] if row["limit"] == "district_floor")
    # half of the 140 m of the north
    assert (floor["place"], floor["is_least"], floor["is_broken"]) == ("北区", True, True)
    assert floor["asked"] == pytest.approx(0.5 * (METRES[2] + METRES[3]) / 1000.0)
    assert floor["after"] == pytest.approx(METRES[2] / 1000.0)
    assert child["edited"]["funds_cny"] == pytest.approx([row["fund_after_cny"] for row in kept["by_year"]])
    assert 0 < child["risk"] < parent.summary["risk"]
    assert child["risk"] == pytest.approx(sum(row["risk"] for row in child["by_year"]))
    assert child["repair_cny"] < parent.summary["repair_cny"]
    # an edit of the edited plan holds the floor of the plan that chose, not of what it left
    again = run(planned, "edit-plan", "p2", "--add", str(batch), "--year", "2027", "--dry-run")
    assert next(row for row in again["limits"] if row["limit"] == "district_floor")["asked"] == floor["asked"]
    assert "plan_breach_district_floor" not in {breach["code"] for breach in again["breaches"]}
