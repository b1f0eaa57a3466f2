from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from typer.testing import Result

from registry.city import make_city
from registry.city.delivery import write_city
from registry.fields import check_frame
from registry.settings import Settings
from registry.store import open_registry

AS_OF = ("--as-of", "2026-11-01")
PLAN = ("plan", "--years", "2027-2029", "--budget-cny", "3000000", *AS_OF)
FILES = {
    "segments": "segments.gpkg",
    "roads": "roads.gpkg",
    "compounds": "compounds.gpkg",
    "buildings": "buildings.gpkg",
    "leaks": "leaks.csv",
    "events": "events.csv",
    "projects": "road_programme.xlsx",
}


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_city(make_city(600, 3), folder)
    return folder


@pytest.fixture
def census(digonce: Callable[..., Result], deliveries: Path) -> Callable[..., Result]:
    for kind, name in FILES.items():
        took = digonce("import", kind, deliveries / name, "--crs", "EPSG:4549")
        assert took.exit_code == 0, took.output
    return digonce


def test_score_overlap_and_plan_end_to_end(census: Callable[..., Result], settings: Settings, tmp_path: Path) -> None:
    scored = census("score", "--json", *AS_OF, "-o", tmp_path / "scores.csv")
    assert scored.exit_code == 0, scored.output
    result = json.loads(scored.stdout)
    assert sum(row["segment_count"] for row in result["classes"]) == result["segment_count"] > 400
    assert {"tier", "km"} <= set(result["grades"][0])
    assert len(pd.read_csv(tmp_path / "scores.csv")) == result["segment_count"]

    found = census("overlap", "--years", "2027-2029", "--json", *AS_OF, "-o", tmp_path / "pairs.gpkg")
    assert found.exit_code == 0, found.output
    assert len(gpd.read_file(tmp_path / "pairs.gpkg")) == json.loads(found.stdout)["pair_count"] > 0

    made = census(*PLAN, "--json", "--save", "p1", "-o", tmp_path / "batches.geojson")
    assert made.exit_code == 0, made.output
    summary = json.loads(made.stdout)
    assert {"objective", "bound", "gap_share", "greedy", "project_blind"} <= set(summary)
    assert 0 <= summary["gap_share"] <= 0.05
    assert summary["objective"] > 0
    methane = summary["methane"]
    told = {row["batch_id"] for row in summary["batch_methane"]}
    assert 0 < methane["renewed"]["methane_saved_t_per_year"] < methane["methane_t_per_year"] < result["km"] * 2.85
    assert methane["methane_t_per_year"] == result["methane"]["methane_t_per_year"]
    with open_registry(settings) as registry:
        run = registry.load_run("plan", "p1")
        assert run.summary["objective"] == summary["objective"]
        for name, frame in run.frames.items():
            if name != "leak_links":
                check_frame(frame, name)
        # runs of other kinds have these
        empty = {name for name, frame in run.frames.items() if frame.empty} - {"leak_links"}
        tested = {f"backtest_{part}" for part in ("windows", "materials", "lift", "summary")}
        edited = {"plan_edits", "plan_locks"}
        assert empty == {"leak_forecast", "network_forecast", "gate_criteria", "last_chances", *tested, *edited}
        assert told == set(run.frames["batches"].index)
        placed = run.frames["batches"]["year"].notna()
        assert int(placed.sum()) == summary["batch_count"]


def test_the_next_plan_keeps_to_what_a_meeting_decided(census: Callable[..., Result], settings: Settings) -> None:
    made = census(*PLAN, "--json", "--save", "before")
    assert made.exit_code == 0, made.output
    assert not any(json.loads(made.stdout)["decided"].values())
    with open_registry(settings) as registry:
        frames = registry.load_run("plan", "before").frames
        planned = frames["pairs"].merge(frames["batch_segments"][["year"]], left_on="segment_id", right_index=True)
    # on site in one year, and planned in another
    missed = planned[planned["meets_years"] & (planned["first_year"] == planned["last_year"])]
    missed = missed[missed["year"].notna() & (missed["year"] != missed["first_year"])]
    segment, project, on_site = missed[["segment_id", "project_id", "first_year"]].iloc[0]
    pair = f"{segment}@{project}"
    told = census("decide", pair, "together", "--by", "联动会商", "--on", "2026-10-20")
    assert told.exit_code == 0, told.output
    again = census(*PLAN, "--save", "after")
    assert again.exit_code == 0, again.output
    assert "batches bound to the years of a project: 1;" in " ".join(again.output.split())
    with open_registry(settings) as registry:
        years = registry.load_run("plan", "after").frames["batch_segments"]["year"].dropna().to_dict()
    assert years.get(segment, on_site) == on_site


def test_a_workbook_in_chinese_has_no_words_or_codes_of_programs(census: Callable[..., Result], tmp_path: Path) -> None:
    """Only ids and the keys of prices, which are looked up in the policy file, may hold small Latin letters."""
    made = census("overlap", "--years", "2027-2031", *AS_OF, "-o", tmp_path / "pairs.xlsx", language="zh")
    assert made.exit_code == 0, made.output
    seen: set[str] = set()
    for page in openpyxl.load_workbook(tmp_path / "pairs.xlsx"):
        headings, *rows = page.iter_rows(values_only=True)
        for place, heading in enumerate(headings):
            texts = {str(row[place]) for row in rows if isinstance(row[place], str | bool)}
            seen |= texts
            strange = {text for text in texts if re.search("[a-z]{2}|True|False", text)}
            assert heading == "单价编号" or not strange, (page.title, heading, sorted(strange)[:3])
            assert not re.search("[a-z]{3}|CNY", str(heading)), (page.title, heading)
    assert {"燃气", "是", "元", "单独实施费用"} <= seen


def test_people_read_tables_in_their_language(census: Callable[..., Result]) -> None:
    chinese = census("score", *AS_OF, language="zh")
    assert chinese.exit_code == 0
    assert "必须改造" in chinese.stdout
    assert "甲烷" in chinese.output
    assert "庭院" in chinese.stdout
    english = census(*PLAN)
    assert english.exit_code == 0
    assert "at most" in english.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("plan", "--years", "2020-2024", "--budget-cny", "1", *AS_OF), "2020-2024"),
        (("score", *AS_OF), "no segments"),
        (("overlap", "--years", "2027", *AS_OF), "no segments"),
        (("score", "--policy", "absent.toml", *AS_OF), "absent.toml"),
    ],
)
def test_faults_end_with_one_and_a_message(
    digonce: Callable[..., Result], arguments: tuple[str, ...], told: str
) -> None:
    refused = digonce(*arguments)
    assert refused.exit_code == 1
    assert told in refused.stderr
    assert "Traceback" not in refused.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("plan", "--years", "2027-2029", "--budget-cny", "-1"), "budget"),
        (("plan", "--years", "2027-2029"), "--budget-total-cny"),
        (("plan", "--years", "2027-2029", "--budget-cny", "1e6", "--budget-total-cny", "1e6"), "--budget-total-cny"),
        (("plan", "--years", "2027-2029", "--budget-cny", "1e6", "--km", "0"), "kilometres"),
        (("plan", "--years", "soon", "--budget-cny", "1e6"), "soon"),
        (("plan", "--years", "2031-2027", "--budget-cny", "1e6"), "2031-2027"),
        (("overlap", "--years", "2031-2027"), "2031-2027"),
    ],
)
def test_bad_usage_ends_with_two_and_a_message(
    digonce: Callable[..., Result], arguments: tuple[str, ...], told: str
) -> None:
    refused = digonce(*arguments)
    assert refused.exit_code == 2
    assert told in refused.stderr


def test_mandatory_work_that_no_year_can_pay_for_is_told(census: Callable[..., Result]) -> None:
    poor = census("plan", "--years", "2027", "--budget-cny", "1", *AS_OF)
    assert poor.exit_code == 0, poor.output
    assert "Mandatory work is left out" in poor.stderr


@pytest.mark.parametrize("verb", ["score", "overlap", "plan"])
def test_help_ends_with_an_example(digonce: Callable[..., Result], verb: str) -> None:
    shown = digonce(verb, "--help")
    assert shown.exit_code == 0
    assert f"Example: digonce {verb}" in shown.stdout
