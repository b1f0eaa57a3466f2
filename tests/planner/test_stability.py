"""What of a plan stays where the risk is drawn anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_series_equal

from planner.benefits import Worth
from planner.choice import Effort, Programme
from planner.conditions import NONE
from planner.limits import Limits
from planner.overlap import find_overlaps
from planner.plan import Bearing, Plan, Problem, make_plan, plan_problem
from planner.policy import read_policy
from planner.stability import CORE_SHARE, Draws, find_stability, summarise_stability, with_stability
from registry.fields import check_frame
from tests.planner.test_choice import scored
from tests.planner.test_plan import town

POLICY = read_policy()
YEARS = range(2027, 2030)
LIMITS = Limits.per_year(YEARS, 350_000.0)


@pytest.fixture(scope="module")
def frames() -> dict[str, Any]:
    segments, projects = town(3, 4)
    pairs = find_overlaps(segments, projects, YEARS, POLICY)
    return {"segments": segments, "scores": scored(segments), "pairs": pairs, "projects": projects}


@pytest.fixture(scope="module")
def problem(frames: dict[str, Any]) -> Problem:
    return plan_problem(**frames, policy=POLICY, limits=LIMITS, bearing=Bearing(batches_per_segment=2))


@pytest.fixture(scope="module")
def programme(problem: Problem) -> Programme:
    return problem.choose(Effort())


def made(frames: dict[str, Any], draws: int) -> Plan:
    bearing = Bearing(batches_per_segment=2, stability_draws=draws)
    return make_plan(**frames, policy=POLICY, limits=LIMITS, bearing=bearing)


def test_draws_that_do_not_differ_change_nothing(problem: Problem, programme: Programme) -> None:
    count = len(problem.segments)
    draws = Draws(np.ones((count, 2)), (problem.bearing.worth,) * 2)
    # however coarse the plan was solved
    coarse = replace(programme, solution=replace(programme.solution, gap_share=0.2))
    for plan in (programme, coarse):
        found = find_stability(problem.priced, problem.candidates, plan, draws, Effort())
        placed = np.isin(np.arange(count), problem.candidates.members.row[_is_placed(problem, plan)])
        assert set(found.same_share[placed]) == {1.0}
        assert set(found.kept_share[placed]) == {1.0}
        assert not found.same_share[~placed].any()


def _is_placed(problem: Problem, programme: Programme) -> np.ndarray[Any, Any]:
    return np.asarray(programme.year[problem.candidates.members.batch] != NONE)


def test_shares_equal_a_count_of_plans_that_are_better_by_hand(problem: Problem, programme: Programme) -> None:
    """One pipe of the plan loses all its risk in every draw, one outside gets a hundred times as much."""
    members = problem.candidates.members
    by_law = problem.priced.severity[members.row] < 2
    placed = _is_placed(problem, programme)
    free = np.setdiff1d(members.row[placed], members.row[by_law])
    outside = np.setdiff1d(members.row, members.row[placed])
    if not len(free) or not len(outside):
        pytest.fail("the town has to leave something out and to choose something")
    factors = np.ones((len(problem.segments), 2))
    factors[outside] = 100.0
    found = find_stability(
        problem.priced, problem.candidates, programme, Draws(factors, (problem.bearing.worth,) * 2), Effort()
    )
    assert (found.same_share <= found.kept_share).all()
    assert found.kept_share[free].min() < 1.0
    assert set(np.unique(found.same_share)) <= {0.0, 1.0}


def test_shares_lie_between_nought_and_one_whatever_the_order_of_rows(frames: dict[str, Any]) -> None:
    plan = made(frames, 3)
    check_frame(plan.batches, "batches")
    shares = plan.batches["stable_share"]
    placed = plan.batches["year"].notna()
    assert shares[placed].between(0.0, 1.0).all()
    assert shares[~placed].isna().all()
    assert (plan.batches["kept_share"][placed] >= shares[placed] - 1e-12).all()
    turned = frames | {
        "segments": frames["segments"].sample(frac=1.0, random_state=2),
        "scores": frames["scores"].iloc[::-1],
        "pairs": frames["pairs"].iloc[::-1],
    }
    again = made(turned, 3).batches["stable_share"]
    assert_series_equal(shares.sort_index(), again.sort_index())
    told = plan.summary["stability"]
    core = shares[placed] >= CORE_SHARE
    assert told["core_batch_count"] == int(core.sum())
    assert told["core_km"] == pytest.approx(plan.batches["length_m"][placed][core].sum() / 1000.0)
    assert 0.0 < told["same_year_share"] <= told["kept_share"] <= 1.0


def test_without_draws_nothing_is_said(frames: dict[str, Any]) -> None:
    plan = made(frames, 0)
    assert plan.batches["stable_share"].isna().all()
    assert "stability" not in plan.summary


def test_draws_belong_to_the_seed_and_have_mean_one(frames: dict[str, Any]) -> None:
    scores = frames["scores"].sort_index()
    first, same, other = (Draws.of(scores, Worth(1.0, 2.0, 3.0), POLICY, 400, seed) for seed in (1, 1, 2))
    assert (first.factors == same.factors).all()
    assert first.worths == same.worths
    assert (first.factors != other.factors).any()
    assert first.factors.mean() == pytest.approx(1.0, abs=0.02)
    weights = np.array([[worth.risk, worth.repair_cny, worth.methane_t] for worth in first.worths])
    assert np.exp(np.log(weights).mean(axis=0)) == pytest.approx([1.0, 2.0, 3.0], rel=0.03)
    assert np.log(weights).std(axis=0) == pytest.approx([0.1] * 3, rel=0.2)


def test_batches_take_the_mean_of_their_metres() -> None:
    batches = pd.DataFrame(
        {"year": pd.array([2027, pd.NA], dtype="Int64"), "length_m": [100.0, 50.0]},
        index=pd.Index(["A", "B"], name="batch_id"),
    )
    members = pd.DataFrame({"batch_id": ["A", "B", "A"]}, index=["S1", "S2", "S3"])

    class Found:
        same_share = np.array([1.0, 0.0, 0.5])
        kept_share = np.array([1.0, 0.0, 1.0])

    found: Any = Found()
    steady = with_stability(batches, members, np.array([25.0, 50.0, 75.0]), found)
    assert steady["stable_share"].tolist()[0] == pytest.approx(0.625)
    assert steady["stable_share"].isna().tolist() == [False, True]
    assert summarise_stability(steady, 5)["core_batch_count"] == 0
    assert summarise_stability(steady, 5)["kept_share"] == 1.0
