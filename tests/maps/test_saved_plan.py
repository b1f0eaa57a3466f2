"""A saved plan stands still: what comes in later is in no map and no report of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from maps import load_inputs
from maps.inputs import both
from maps.numbers import notices
from registry.errors import DrawingError
from registry.settings import Settings
from registry.store import open_registry
from tests.planner.frames import moratoria_of, projects_of, roads_of
from tests.planner.test_policy import copied
from tests.registry.deliveries import line, segments, write

Digonce = Callable[..., Result]
PLAN = ("plan", "--years", "2027-2028", "--budget-cny", "1e6", "--as-of", "2026-11-01")
LATER = ["PE", "PE", "PE", "no such material"]


@pytest.fixture
def replanned(digonce: Digonce, tmp_path: Path) -> Digonce:
    """A plan of three grey iron pipes, after which they are delivered as PE 40 m away, with one bad row."""
    first = write(segments(3), tmp_path / "first.gpkg")
    assert digonce("import", "segments", first).exit_code == 0
    made = digonce("plan", "--years", "2027-2028", "--budget-cny", "1e6", "--save", "p1")
    assert made.exit_code == 0, made.output
    moved = [line(40, 60.0 * number) for number in range(4)]
    later = write(segments(4, 管材=LATER, geometry=moved), tmp_path / "later.gpkg")
    took = digonce("import", "segments", later, "--accept")
    assert took.exit_code == 0, took.output
    return digonce


def test_a_saved_plan_is_drawn_on_the_census_that_it_was_made_from(replanned: Digonce, settings: Settings) -> None:
    assert replanned("deliveries").exit_code == 0
    with open_registry(settings) as registry:
        saved, live = load_inputs(registry, "p1"), registry.frame("segments")
        latest = load_inputs(registry)
    assert set(live["material"]) == {"pe"}
    for inputs in (saved, latest):
        assert inputs.plan_name == "p1"
        assert set(inputs.segments["material"]) == {"grey_iron"}
        assert inputs.segments.total_bounds[0] == pytest.approx(live.total_bounds[0] - 40)
        assert inputs.held is not None
        assert inputs.held.empty


def test_another_day_or_instant_shows_the_census_of_then_without_the_plan(
    replanned: Digonce, settings: Settings, tmp_path: Path
) -> None:
    now = replanned("map", "--as-of", "2026-11-01", "-o", tmp_path / "now.html", "--json")
    assert json.loads(now.stdout)["plan"] is None
    with open_registry(settings) as registry:
        run = registry.load_run("plan", "p1")
        before = load_inputs(registry, known_at=run.made_at)
        after = load_inputs(registry, as_of=run.as_of)
    assert set(before.segments["material"]) == {"grey_iron"}
    assert set(after.segments["material"]) == {"pe"}
    assert after.held is not None
    assert after.held["row_count"].sum() == 1
    assert before.batches is None
    assert after.scores is None


@pytest.mark.parametrize("verb", ["map", "report"])
@pytest.mark.parametrize("option", ["--as-of", "--known-at"])
def test_a_named_plan_takes_no_other_day_or_instant(replanned: Digonce, tmp_path: Path, verb: str, option: str) -> None:
    refused = replanned(verb, "p1", option, "2026-11-01", "-o", tmp_path / "page.html")
    assert refused.exit_code == 1
    assert "fixes the day" in refused.stderr
    assert not (tmp_path / "page.html").exists()


def test_scores_are_shown_only_with_the_census_that_they_were_made_for(
    digonce: Digonce, settings: Settings, tmp_path: Path
) -> None:
    took = digonce("import", "segments", write(segments(3), tmp_path / "census.gpkg"))
    assert took.exit_code == 0, took.output
    assert digonce("score", "--as-of", "2026-11-01").exit_code == 0
    with open_registry(settings) as registry:
        same = load_inputs(registry, as_of=registry.load_run("score").as_of)
        other = load_inputs(registry, known_at=registry.load_run("score").made_at)
        with pytest.raises(DrawingError, match="fixes the day"):
            load_inputs(registry, "p1", as_of=same.as_of)
    assert same.scores is not None
    assert other.scores is None


def test_scores_that_later_deliveries_have_overtaken_are_shown_with_a_notice(
    digonce: Digonce, settings: Settings, tmp_path: Path
) -> None:
    def is_behind() -> bool:
        with open_registry(settings) as registry:
            inputs = load_inputs(registry)
        assert inputs.is_behind == (both("maps_behind") in notices(inputs))
        return inputs.is_behind

    digonce("import", "segments", write(segments(3), tmp_path / "first.gpkg"))
    assert not is_behind()
    assert digonce("score").exit_code == 0
    assert not is_behind()
    later = write(segments(4, 管材=["钢"] * 4), tmp_path / "later.gpkg")
    pending = json.loads(digonce("import", "segments", later, "--json").output)
    assert not is_behind()
    assert digonce("accept", pending["delivery_id"]).exit_code == 0
    assert is_behind()
    assert digonce("score").exit_code == 0
    assert not is_behind()


@pytest.fixture
def closed_plan(digonce: Digonce, tmp_path: Path) -> Digonce:
    """A plan by the ban set of another country, over a pipe inside an overhaul along a street overlaid in 2025."""
    street = line(0, 0)
    roads = roads_of({"name": "金城路", "overlaid_on": "2025-05-06", "geometry": street})
    works = projects_of({"state": "planned", "half_width_m": 12.0, "geometry": street})
    write(segments(3), tmp_path / "segments.gpkg")
    write(roads.reset_index(), tmp_path / "roads.gpkg")
    write(works.reset_index(), tmp_path / "projects.gpkg")
    for kind in ("segments", "roads", "projects"):
        took = digonce("import", kind, tmp_path / f"{kind}.gpkg")
        assert took.exit_code == 0, took.output
    policy = copied(tmp_path / "city")
    text = policy.read_text(encoding="utf-8").replace('id = "cn-national"', 'id = "us-example"')
    policy.write_text(text, encoding="utf-8")
    made = digonce(*PLAN, "--policy", policy, "--save", "p1")
    assert made.exit_code == 0, made.output
    return digonce


def test_closed_streets_are_those_of_the_day_and_the_policy_of_the_plan(
    closed_plan: Digonce, settings: Settings, tmp_path: Path
) -> None:
    later = moratoria_of({"street_name": "金城路", "starts_on": "2026-10-01", "geometry": line(0, 0)})
    write(later.reset_index(), tmp_path / "moratoria.gpkg")
    assert closed_plan("import", "moratoria", tmp_path / "moratoria.gpkg").exit_code == 0
    with open_registry(settings) as registry:
        saved = load_inputs(registry, "p1")
        live = load_inputs(registry, as_of=saved.as_of)
    assert saved.closed is not None
    assert live.closed is not None
    rules = {name: set(one.closed.streets["en"]["rule_code"]) for name, one in (("saved", saved), ("live", live))}  # type: ignore[union-attr]
    assert rules == {"saved": {"us_resurfacing"}, "live": {"cn_overhaul", "published"}}


def test_pairs_of_a_saved_plan_are_its_own_and_keep_what_was_decided_then(
    closed_plan: Digonce, settings: Settings
) -> None:
    told = closed_plan("decide", "P0000", "together", "--by", "meeting", "--on", "2026-10-20")
    assert told.exit_code == 0, told.output
    with open_registry(settings) as registry:
        run, saved = registry.load_run("plan", "p1"), load_inputs(registry, "p1")
    assert saved.meeting is not None
    assert len(saved.meeting) == len(run.frames["pairs"]) == 1
    for column in ("at_stake_cny", "saving_cny", "best_year"):
        assert saved.meeting[column].tolist() == run.frames["pair_values"][column].tolist()
    assert saved.meeting["relation"].tolist() == run.frames["pair_times"]["relation"].tolist()
    assert saved.meeting["verdict"].isna().all()
    assert closed_plan(*PLAN, "--save", "p2").exit_code == 0
    with open_registry(settings) as registry:
        later = load_inputs(registry, "p2")
    assert later.meeting is not None
    assert set(later.meeting["verdict"]) == {"together"}


@pytest.mark.usefixtures("closed_plan")
def test_plan_of_an_earlier_version_is_drawn_without_bans_and_amounts(settings: Settings) -> None:
    with open_registry(settings) as registry:
        run = registry.load_run("plan", "p1")
        frames = {name: run.frames[name] for name in ("scores", "pairs", "batches", "batch_segments")}
        policy = {key: value for key, value in run.policy.items() if key != "bans"}
        registry.save_run("plan", "old", frames, policy=policy, summary=run.summary, as_of=run.as_of)
        old = load_inputs(registry, "old")
    assert old.closed is None
    assert old.meeting is None
    assert both("maps_bans_unknown") in notices(old)
