"""Law before score, closed streets, districts and money: plans of small cities against what a slow count says."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date
from itertools import product
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import choice
from planner.benefits import PARTS, Worth, find_benefits
from planner.candidates import Candidates
from planner.choice import Effort, Programme, choose_programme, make_model
from planner.conditions import NONE, Conditions, find_conditions, no_conditions
from planner.forecast.outlook import leak_outlook
from planner.leaks import link_leaks
from planner.limits import Limits
from planner.members import Members
from planner.policy import read_policy
from planner.score import score_segments
from planner.solve.keep import keeps
from planner.solve.model import Model
from planner.solve.solve import Solution, solve
from registry.errors import PlanningError
from tests.planner.frames import EAST, NORTH, leaks_of, line, segments_of

POLICY = read_policy()
YEARS = range(2027, 2030)
AS_OF = date(2026, 11, 1)


def small_city(seed: int, batch_count: int = 6) -> tuple[Candidates, Conditions, np.ndarray[Any, Any]]:
    """Batches of one or two segments each, some of which share a segment, in two districts and three streets."""
    rng = np.random.default_rng(seed)
    segment_count = batch_count + 1
    row, batch = [], []
    for number in range(batch_count):
        first = int(rng.integers(0, segment_count - 1))
        for member in range(first, first + int(rng.integers(1, 3))):
            row.append(member)
            batch.append(number)
    members = Members(np.array(row), np.array(batch), segment_count, batch_count)
    length_m = rng.integers(20, 200, segment_count).astype("float64")
    severity = rng.integers(0, 4, segment_count)
    deadline = np.where(severity < 2, rng.integers(-1, len(YEARS), segment_count), NONE)
    conditions = replace(
        no_conditions(pd.Series(["keep"] * segment_count), YEARS),
        deadline=deadline,
        section=rng.integers(-1, 3, segment_count),
        district=rng.integers(-1, 2, segment_count),
        section_names=pd.Index(["a", "b", "c"]),
        district_names=pd.Index(["east", "west"]),
    )
    is_open = rng.random((batch_count, len(YEARS))) < 0.85
    candidates = Candidates(
        members=members,
        segment_length_m=length_m,
        value=np.sort(rng.uniform(1.0, 9.0, (batch_count, len(YEARS))), axis=1)[:, ::-1].copy(),
        alone_cny=members.sums(length_m * 1000.0) + 30_000.0,
        saving_cny=np.where(rng.random((batch_count, len(YEARS))) < 0.3, 5_000.0, 0.0),
        length_m=members.sums(length_m),
        mandatory_m=members.sums(length_m * (severity == 0)),
        household_count=rng.integers(0, 50, batch_count).astype("float64"),
        severity=members.least(severity, 3),
        district=rng.integers(-1, 2, batch_count),
        is_open=np.ones((batch_count, len(YEARS)), dtype=bool),
        stays_open=is_open,
    )
    return candidates, conditions, severity


def slow_plans(model: Any) -> list[np.ndarray[Any, Any]]:
    """Every plan that keeps the model, deadlines apart."""
    free = replace(model, packing=replace(model.packing, deadline=np.full(len(model.packing.deadline), NONE)))
    batch_count, year_count = model.shape
    plans = (np.array(years) for years in product(range(-1, year_count), repeat=batch_count))
    return [plan for plan in plans if keeps(free, plan)]


def slow_points(programme: Any, plan: np.ndarray[Any, Any], severity: int) -> float:
    """Metres of the items of a class, most in time and less for each year late, item by item."""
    model, duties = programme.model, programme.duties
    points = 0.0
    for item, asked in enumerate(duties.deadline.tolist()):
        if duties.severity[item] != severity or asked == NONE:
            continue
        batches = model.packing.batch[model.packing.item == item]
        done = [int(plan[batch]) for batch in batches if plan[batch] != NONE]
        if done:
            points += duties.length_m[item] * (model.shape[1] + 1 - max(done[0] - asked, 0))
    return points


def assert_law_first(candidates: Candidates, model: Model, programme: Programme) -> None:
    """Among all plans, those with most mandatory metres in time; of these most due ones; of these most value."""
    plans = slow_plans(model)
    for strictness in (0, 1):
        best = max(slow_points(programme, plan, strictness) for plan in plans)
        assert slow_points(programme, programme.year, strictness) == pytest.approx(best)
        plans = [plan for plan in plans if slow_points(programme, plan, strictness) >= best - 1e-6]
    if not programme.only_mandatory.any():
        value = max(sum(candidates.value[g, t] for g, t in enumerate(plan) if t != NONE) for plan in plans)
        # of plans that serve the law equally well the first found may bind others: never above, seldom below
        assert programme.solution.objective <= value + 1e-9
    assert keeps(programme.model, programme.year)


@pytest.mark.parametrize("seed", range(6))
def test_the_law_is_served_first_then_the_value_decides(seed: int) -> None:
    candidates, conditions, severity = small_city(seed, 5)
    limits = Limits.per_year(YEARS, 230_000.0)
    model, duties = make_model(candidates, conditions, severity, limits, POLICY)
    programme = choose_programme(model, duties, Effort(gap_share=0.0))
    assert_law_first(candidates, model, programme)


def much_mandatory(seed: int, budget_cny: float, carried_share: float) -> tuple[Candidates, Programme]:
    """The programme of a small city with streets closed often and more mandatory work than they have room for."""
    candidates, conditions, severity = small_city(seed, 10)
    rng = np.random.default_rng(seed)
    is_mandatory = rng.random(len(severity)) < 0.6
    severity = np.where(is_mandatory, 0, 3)
    candidates = replace(
        candidates,
        stays_open=rng.random(candidates.stays_open.shape) < 0.6,
        severity=candidates.members.least(severity, 3),
    )
    deadline = np.where(is_mandatory, rng.integers(0, len(YEARS), len(severity)), NONE)
    conditions = replace(conditions, deadline=deadline)
    limits = Limits(YEARS, (budget_cny,) * len(YEARS), carried_share=carried_share)
    model = make_model(candidates, conditions, severity, limits, POLICY)
    return candidates, choose_programme(*model, Effort(gap_share=0.0))


@pytest.mark.parametrize("carried", [0.0, 0.5])
def test_years_are_kept_for_mandatory_work_only_where_more_money_would_bring_it_in(carried: float) -> None:
    """In kept years stands nothing else; where no money is short none is kept, though closed streets leave work out."""
    seen = {"kept": 0, "free": 0, "shut": 0}
    for seed in range(25):
        _, poor = much_mandatory(seed, 200_000.0, carried)
        kept = poor.only_mandatory
        assert poor.is_mandatory_left or not kept.any()
        if carried and kept.any():
            # what is saved before the last short year helps in it
            assert kept[: np.flatnonzero(kept)[-1]].all()
        mandatory = (poor.duties.severity == 0) & (poor.duties.deadline != NONE)
        holds = np.bincount(poor.model.packing.batch, weights=mandatory[poor.model.packing.item]) > 0
        placed = np.flatnonzero(poor.year != NONE)
        assert holds[placed][kept[poor.year[placed]]].all()
        seen["kept"] += int(kept.any())
        seen["free"] += int(kept.any() and not holds[placed].all())
        _, rich = much_mandatory(seed, 1e9, carried)
        assert not rich.only_mandatory.any()
        seen["shut"] += int(rich.is_mandatory_left)
    assert min(seen.values()) > 0, seen


def test_a_wide_gap_leaves_no_mandatory_work_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that may stop within a gap may lose a short pipe; the law must bind it nevertheless."""
    candidates, conditions, severity = small_city(4, 5)
    model, duties = make_model(candidates, conditions, severity, Limits.per_year(YEARS, 1e9), POLICY)
    whole = choose_programme(model, duties, Effort(gap_share=0.0))
    assert not whole.is_mandatory_left

    def careless(model: Model, *, gap_share: float, **rest: Any) -> Solution:
        answer = solve(model, gap_share=gap_share, **rest)
        year = answer.year.copy()
        if gap_share > 1e-5:
            year[np.flatnonzero(year != NONE)[:1]] = NONE
        return replace(answer, year=year)

    monkeypatch.setattr(choice, "solve", careless)
    again = choose_programme(model, duties, Effort(gap_share=0.05))
    mandatory = (duties.severity == 0) & (duties.deadline != NONE)
    assert mandatory.any()
    assert (again.model.packing.deadline == whole.model.packing.deadline)[mandatory].all()


@pytest.mark.parametrize("status", ["time_limit", "not_found"])
def test_a_class_for_which_no_plan_was_found_in_time_binds_nothing(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the clock ended the searches, others go on; where they ended by themselves they would end so again."""
    candidates, conditions, severity = small_city(4, 5)
    model, duties = make_model(candidates, conditions, severity, Limits.per_year(YEARS, 1e9), POLICY)
    searched: list[Model] = []

    def late(model: Model, **rest: Any) -> Solution:
        searched.append(model)
        answer = solve(model, **rest)
        nothing = np.full_like(answer.year, NONE)
        # the search for mandatory work ends without a plan, and so does the one for any plan
        if len(searched) > 2:
            return answer
        return replace(answer, year=nothing, objective=-np.inf, gap_share=np.inf, status=status)

    monkeypatch.setattr(choice, "solve", late)
    programme = choose_programme(model, duties, Effort(gap_share=0.0))
    assert programme.stages[0].gap_share is None
    assert not programme.is_mandatory_left
    assert np.isfinite(programme.solution.objective) == (status == "time_limit")
    assert len(searched) > 2 or status == "not_found"
    json.dumps([asdict(stage) for stage in programme.stages], allow_nan=False)


@pytest.mark.parametrize("seed", range(6))
def test_a_search_that_finds_no_way_to_a_floor_is_given_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the search only goes on from plans that it is given, a floor close to the most there is is reached."""
    candidates, conditions, severity = small_city(seed, 6)
    candidates = replace(candidates, parts={"risk": candidates.value})
    limits = Limits.per_year(YEARS, 200_000.0)
    free, _ = make_model(candidates, conditions, severity, limits, POLICY)
    most = solve(free, gap_share=0.0).objective
    asked = replace(limits, least_risk=0.999 * most)
    model, duties = make_model(candidates, conditions, severity, asked, POLICY)

    def timid(model: Model, *, starts: tuple[Any, ...], **rest: Any) -> Solution:
        answer = solve(model, starts=starts, **rest)
        if not model.floors or any(keeps(model, start) for start in starts):
            return answer
        return replace(answer, year=np.full_like(answer.year, NONE), objective=-np.inf, status="not_found")

    monkeypatch.setattr(choice, "solve", timid)
    programme = choose_programme(model, duties, Effort(gap_share=0.0))
    assert keeps(programme.model, programme.year)
    assert programme.solution.objective >= 0.999 * most - 1e-9


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_plan_breaks_what_bears_on_it(seed: int) -> None:
    """Money with what is carried, kilometres and households by district, one year for a street, no segment twice."""
    candidates, conditions, severity = small_city(seed, 8)
    limits = Limits(YEARS, (200_000.0, 150_000.0, 250_000.0), 0.4, 0.5, 0.3, 60.0)
    model, duties = make_model(candidates, conditions, severity, limits, POLICY)
    year = choose_programme(model, duties, Effort()).year
    left = 0.0
    for place, budget in enumerate(limits.budget_cny):
        rows = np.flatnonzero(year == place)
        left = budget + 0.5 * left - candidates.cost_cny[rows, place].sum()
        assert left >= -1e-6
        assert candidates.length_m[rows].sum() <= 400.0 + 1e-6
        for district in (0, 1):
            there = rows[candidates.district[rows] == district]
            assert candidates.length_m[there].sum() <= 300.0 + 1e-6
            assert candidates.household_count[there].sum() <= 60.0
        assert candidates.stays_open[rows, place].all()
    members = candidates.members
    placed = members.row[year[members.batch] != NONE]
    assert len(set(placed.tolist())) == len(placed)
    for section in range(3):
        cut = {
            int(year[b]) for r, b in zip(members.row, members.batch, strict=True) if conditions.section[r] == section
        }
        assert len(cut - {NONE}) <= 1


def test_a_floor_gives_each_district_its_share_or_says_that_none_can() -> None:
    candidates, conditions, severity = small_city(3, 8)
    candidates = replace(candidates, stays_open=candidates.is_open, district=np.array([0, 0, 0, 0, 0, 0, 1, 1]))
    conditions = replace(
        conditions, deadline=np.full(9, NONE), section=np.full(9, NONE), district=np.array([0] * 6 + [1] * 3)
    )
    rich = Limits(YEARS, (600_000.0,) * 3, district_floor_share=0.3)
    model, duties = make_model(candidates, conditions, severity, rich, POLICY)
    year = choose_programme(model, duties, Effort(gap_share=0.0)).year
    offered = np.unique(candidates.members.row)
    for district in (0, 1):
        there = candidates.length_m[(candidates.district == district) & (year != NONE)].sum()
        whole = candidates.segment_length_m[offered[conditions.district[offered] == district]].sum()
        assert there >= 0.3 * whole - 1e-6


def scored(segments: gpd.GeoDataFrame) -> pd.DataFrame:
    leaks = leaks_of({"geometry": shapely.Point(EAST + 5, NORTH)})
    return score_segments(segments, link_leaks(leaks, segments, POLICY), leaks, None, POLICY, AS_OF)


def test_benefits_are_what_each_year_to_the_horizon_avoids() -> None:
    segments = segments_of(
        {"material": "grey_iron", "installed_year_min": 1970, "installed_year_max": 1970},
        {"material": "steel", "medium": "water", "installed_year_min": 1990, "installed_year_max": 1990},
    )
    scores = scored(segments)
    emissions = pd.DataFrame({"methane_saved_t_per_year": [0.4, np.nan]}, index=segments.index)
    outlook = leak_outlook(segments, scores, POLICY, range(2027, 2057), AS_OF)
    found = find_benefits(segments, scores, YEARS, POLICY, outlook, emissions)
    repair = {entry.code: entry.value for entry in POLICY.prices.value.repair_cny_per_leak}  # type: ignore[union-attr]
    for place in range(len(YEARS)):
        for row in range(2):
            leaks = [outlook.leaks[row, k] * 1.04**-k for k in range(place, 30)]
            now = scores["likelihood_per_km_year"].iloc[row] * segments["length_m"].iloc[row] / 1000.0
            risk = sum(leaks) * 0.95 * scores["risk_per_year"].iloc[row] / now
            assert found.parts["risk"][row, place] == pytest.approx(risk)
            assert found.parts["repair_cny"][row, place] == pytest.approx(
                sum(leaks) * 0.95 * repair[segments["medium"].iloc[row]]
            )
    methane = sum(1.04**-k for k in range(1, 30)) * 0.4
    assert found.parts["methane_t"][:, 1] == pytest.approx([methane, 0.0])
    # waiting is never free, and old iron grows worse while it waits
    assert all((np.diff(found.parts[part], axis=1) <= 0).all() for part in PARTS)
    still = find_benefits(segments, scores, YEARS, POLICY)
    assert (found.parts["risk"][0] > still.parts["risk"][0]).all()
    worth = found.worth(Worth(risk=2.0, methane_t=3.0))
    assert worth == pytest.approx(2.0 * found.parts["risk"] + 3.0 * found.parts["methane_t"])
    with pytest.raises(PlanningError, match="2030"):
        find_benefits(segments, scores, range(2030, 2032), POLICY, outlook)


@pytest.mark.parametrize("worth", [Worth(risk=0.0), Worth(risk=-1.0), Worth(methane_t=float("nan"))])
def test_weights_that_make_no_sense_are_refused(worth: Worth) -> None:
    with pytest.raises(PlanningError, match="eight"):
        worth.check()


def test_conditions_tell_closed_years_deadlines_streets_and_districts() -> None:
    roads = gpd.GeoDataFrame(
        {"name": ["Long Street", "Cross Street"], "road_class": ["branch", "branch"]},
        geometry=[line((0, 2), (500, 2)), line((250, -300), (250, 300))],
        index=pd.Index(["R1", "R2"], name="road_id"),
        crs=4549,
    )
    districts = gpd.GeoDataFrame(
        {"name": ["West", "East"]},
        geometry=[
            shapely.MultiPolygon([shapely.box(EAST + left, NORTH - 400, EAST + right, NORTH + 400)])
            for left, right in ((-50, 200), (150, 600))
        ],
        index=pd.Index(["D1", "D2"], name="district_id"),
        crs=4549,
    )
    segments = segments_of(
        {"geometry": line((0, 0), (100, 0)), "street_name": "Long Street"},
        {"geometry": line((300, 0), (400, 0)), "street_name": "Long Street"},
        {"geometry": line((252, 100), (252, 200)), "street_name": "Cross Street"},
        {"geometry": line((60, 60), (60, 90)), "tier": "courtyard", "compound_name": "yard"},
        {"geometry": line((60, 90), (90, 90)), "tier": "courtyard", "compound_name": "yard"},
        {"geometry": line((60, 110), (860, 110)), "tier": "courtyard", "compound_name": "large"},
        {"geometry": line((60, 110), (60, 120)), "tier": "courtyard", "compound_name": "large"},
        {"geometry": line((0, 300), (9, 300)), "tier": "courtyard"},
    )
    shape = shapely.box(EAST - 1, NORTH - 1, EAST + 110, NORTH + 5)
    bans = gpd.GeoDataFrame(
        {
            "source_kind": ["road", "project"],
            "source_id": ["R1", "P1"],
            "rule_code": ["cn_overhaul", "cn_overhaul"],
            "exceptions": ["", ""],
            "is_planned": [False, True],
            "starts_on": pd.to_datetime(["2026-01-01", "2028-06-01"]),
            "ends_on": pd.to_datetime(["2027-12-31", "2031-05-31"]),
        },
        geometry=[shape, shapely.box(EAST + 290, NORTH - 1, EAST + 410, NORTH + 5)],
        crs=4549,
    )
    classes = pd.Series(["mandatory", "due", "keep", *["assess"] * 5], segments.index)
    found = find_conditions(segments, classes, bans, roads, districts, range(2027, 2032), POLICY, AS_OF)
    assert found.is_open.tolist() == [[False, True, True, True, True]] + [[True] * 5] * 7
    # the ban that a project will bring leaves half of 2028 and of 2031
    assert found.stays_open[1].tolist() == [True, True, False, False, True]
    # one year from the day for mandatory pipes; three from it for due ones that no assessment dates
    assert found.deadline.tolist() == [0, 2, *[NONE] * 6]
    # a compound longer than a batch may be is renewed in parts
    sections = ["R1", "R1", "R2", "yard", "yard", "", "", ""]
    assert [found.section_names[code] if code != NONE else "" for code in found.section] == sections
    districts_told = [found.district_names[code] for code in found.district[:4]]
    assert districts_told == ["West", "East", "East", "West"]
    part = found.take(np.array([2, 0]))
    assert part.deadline.tolist() == [NONE, 0]
    assert part.stays_open.shape == (2, 5)


def test_where_nothing_is_known_mandatory_work_is_due_within_the_plan() -> None:
    found = no_conditions(pd.Series(["mandatory", "due", "keep"]), YEARS)
    assert found.deadline.tolist() == [2, NONE, NONE]
    assert found.is_open.all()
