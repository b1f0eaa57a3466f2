"""Late work, last chances, alignment, stability and the check of reasons, from the command line to the pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from typer.testing import Result

from maps.inputs import load_inputs
from maps.layers import make_layers
from maps.numbers import notices
from maps.views import make_views
from registry.city import make_city
from registry.city.delivery import write_city
from registry.settings import Settings
from registry.store import open_registry

AS_OF = ("--as-of", "2026-11-01")
PLAN = ("plan", "--years", "2027-2028", "--budget-cny", "400000", *AS_OF)
KINDS = ("roads", "compounds", "districts", "segments")


@pytest.fixture
def city(digonce: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    """A small city whose longest street is overhauled to the end of 2027, and closed then."""
    write_city(make_city(300, 3), tmp_path)
    roads = gpd.read_file(tmp_path / "roads.gpkg")
    street = gpd.read_file(tmp_path / "segments.gpkg")["所在道路"].value_counts().index[0]
    works = gpd.GeoDataFrame(
        {
            "project_id": ["W1"],
            "name": ["overhaul"],
            "kind": ["road_overhaul"],
            "state": ["confirmed"],
            "starts_on": ["2027-01-05"],
            "ends_on": ["2027-01-31"],
        },
        geometry=[roads[roads["道路名称"] == street].union_all().buffer(25)],
        crs=roads.crs,
    )
    works.to_file(tmp_path / "works.gpkg")
    for kind in KINDS:
        took = digonce("import", kind, tmp_path / f"{kind}.gpkg", "--crs", "EPSG:4549")
        assert took.exit_code == 0, took.output
    took = digonce("import", "projects", tmp_path / "works.gpkg")
    assert took.exit_code == 0, took.output
    return digonce


def test_a_plan_says_what_is_late_what_is_missed_and_what_stays(
    city: Callable[..., Result], settings: Settings, tmp_path: Path
) -> None:
    shown = city(*PLAN, "--save", "p", "--stability", "1")
    assert shown.exit_code == 0, shown.output
    for words in ("Late or left out, worst first", "In its way: 2027: ", "Options: CNY", "Last chance: the plan"):
        assert words in shown.output
    assert "Aligned with projects" in shown.output
    assert "Stable core: " in shown.output
    with open_registry(settings) as registry:
        saved = registry.load_run("plan", "p")
    late, chances = saved.frames["late_work"], saved.frames["last_chances"]
    assert len(late) > 0
    assert len(chances) > 0
    assert set(saved.frames["late_years"]["segment_id"]) == set(late.index)
    assert saved.frames["batches"]["stable_share"].notna().sum() == saved.summary["batch_count"]
    assert (chances["plan_year"].isna() | (chances["plan_year"] > 2027)).all()

    reasons = saved.frames["plan_reasons"]
    asked = [str(late.index[0]), str(reasons.index[reasons["year"].isna()][0])]
    told = city("explain", "p", *asked, "--check", "--json", language="zh")
    assert told.exit_code == 0, told.output
    answer = json.loads(told.stdout)
    assert [one["segment_id"] for one in answer["checks"]] == list(dict.fromkeys(asked))
    assert all(one["agrees"] for one in answer["checks"])
    assert "受限原因" in answer["late"][asked[0]]
    every_segment_asked_for_is_answered(city, saved.frames, asked[0])
    verdicts_stand_beside_their_segments(city, asked)

    assert city("report", "p", "-o", tmp_path / "out").exit_code == 0
    book = openpyxl.load_workbook(tmp_path / "out" / "overlap-report.xlsx")
    assert book["Late by law"].max_row == 4 + len(late) + 1
    assert book["Last chance"].max_row == 4 + len(chances) + 1
    assert "Stable share" in [cell.value for cell in book["Batches by year"][4]]
    items = [row[0].value for row in book["Summary"].iter_rows()]
    assert "Share of the renewed length that goes with a project" in items
    page = (tmp_path / "out" / "overlap-report.html").read_text(encoding="utf-8")
    assert page.count('id="late"') == page.count('id="last"') == 1
    with open_registry(settings) as registry:
        inputs = load_inputs(registry, "p")
    assert any("Stable core: " in sentence["en"] for sentence in notices(inputs))
    (segments,) = (layer for layer in make_layers(inputs, make_views(inputs)) if layer.key == "segments")
    assert {"stable", "banned_until", "leaks_in_ban"} <= {fact["key"] for fact in segments.blob.header["facts"]}


def every_segment_asked_for_is_answered(
    city: Callable[..., Result], frames: dict[str, pd.DataFrame], late: str
) -> None:
    """One that is no candidate or unknown gets its line and ends nothing for the others."""
    spare = next(name for name in frames["scores"].index if name not in frames["plan_reasons"].index)
    known = city("explain", "p", spare, late)
    assert known.exit_code == 0, known.output
    told = city("explain", "p", spare, late + "x", late, "--json")
    assert told.exit_code == 1, told.output
    answer = json.loads(told.stdout)
    assert [row["segment_id"] for row in answer["reasons"]] == [late]
    assert "no candidate" in answer["absent"][spare]
    assert f"nearest is {late}" in answer["absent"][late + "x"]
    none = city("explain", "p", spare, "qqq")
    assert none.exit_code == 1
    assert f"{spare} is no candidate" in none.output
    assert "qqq is not in the census" in none.output
    neither = city("explain", "nosuch", late)
    assert neither.exit_code == 1
    assert "no plan and no segment of the name nosuch" in neither.output


def verdicts_stand_beside_their_segments(city: Callable[..., Result], asked: list[str]) -> None:
    """Whatever comes of it, each verdict is in the line of its segment, before the next segment is spoken of."""
    told = city("explain", "p", *asked, "--check")
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    for segment in asked:
        (line,) = (line for line in lines if line.startswith(f"Solved again with {segment} forced"))
        assert "reason given agrees" in line
    first = next(i for i, line in enumerate(lines) if line.startswith(f"{asked[1]} is not renewed"))
    assert lines[first - 1].startswith(f"Solved again with {asked[0]} forced")


def test_a_check_needs_a_plan(digonce: Callable[..., Result]) -> None:
    alone = digonce("explain", "RQ0000001", "--check")
    assert alone.exit_code == 2
    assert "--check" in alone.output
