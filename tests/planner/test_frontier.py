"""More money and fewer bans: bounds that hold against every plan, and prices of bans against plans without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.ban_prices import ban_prices
from planner.bans import find_bans
from planner.conditions import find_conditions
from planner.frontier import Frontier, budget_frontier
from planner.limits import Limits
from planner.plan import Problem
from planner.policy import read_policy
from planner.scenario import Scenario, apply_scenario
from planner.solve.solve import solve
from registry.errors import PlanningError
from registry.fields import check_frame
from tests.planner.test_plan import AS_OF
from tests.planner.test_scenario import city
from tests.planner.towns import YEARS, small_town

POLICY = read_policy()
LIMITS = Limits.per_year(YEARS, 600_000.0)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return small_town().problem(LIMITS)


@pytest.fixture(scope="module")
def frontier(problem: Problem) -> Frontier:
    return budget_frontier(problem, (0.1, 0.5, 1.0, 1.6))


def test_the_bound_is_concave_rises_and_no_plan_passes_it(frontier: Frontier) -> None:
    points = frontier.points
    check_frame(points, "frontier_points")
    assert (points["value"].dropna() <= points["bound"] * (1 + 1e-9)).all()
    assert (points["value"].dropna() <= points["bound_by_law"].dropna() * (1 + 1e-9)).all()
    budget = np.linspace(points["budget_cny"].min(), points["budget_cny"].max(), 60)
    bound = frontier.bound(budget)
    assert (np.diff(bound) >= -1e-9).all()
    assert (np.diff(bound, 2) <= 1e-6 * bound.max()).all()
    assert bound[-1] > 1.05 * bound[0]
    at, corners = frontier.corners()
    np.testing.assert_allclose(np.interp(budget, at, corners), bound)
    assert (points["per_million"] >= 0).all()


@pytest.mark.parametrize("share", [0.3, 0.75, 1.3])
def test_the_bound_holds_between_the_budgets_it_was_made_from(
    problem: Problem, frontier: Frontier, share: float
) -> None:
    """The best of all plans, deadlines or not, found by solving to the end."""
    scaled = replace(problem, limits=Limits.per_year(YEARS, share * 600_000.0))
    best = solve(scaled.model()[0], gap_share=0.0)
    assert best.status == "optimal"
    bound = frontier.bound(np.array([share * 1_800_000.0]))[0]
    assert best.objective <= bound * (1 + 1e-9)
    assert best.objective >= 0.7 * bound


def test_shares_that_make_no_sense_are_refused(problem: Problem) -> None:
    for shares in ((), (0.0,), (-1.0, 1.0)):
        with pytest.raises(PlanningError, match="shares"):
            budget_frontier(problem, shares)


BANNED = Scenario.from_dict(
    {
        "name": "closed",
        "bans": [
            {"street": "east 0", "first": "2027-01-01", "last": "2029-12-31"},
            {"street": "east 2", "first": "2026-01-01", "last": "2028-12-31"},
            {"street": "east 2", "first": "2027-01-01", "last": "2027-12-31"},
        ],
    }
)


def test_a_ban_is_priced_at_no_less_than_what_lifting_it_gains() -> None:
    """Each ban lifted in turn, the plan made anew to its end from the frames: no gain passes the price."""
    town = small_town()
    before = city()
    seen, _ = apply_scenario(replace(before, projects=before.projects.iloc[:0]), BANNED, POLICY, AS_OF)
    bans = find_bans(seen.roads, seen.projects, seen.moratoria, POLICY, AS_OF)
    of_town = town.problem(LIMITS, town.bearing(bans=bans))
    programme = of_town.choose(of_town.bearing.effort)
    priced = ban_prices(of_town, programme, bans, AS_OF, check_count=len(bans))
    check_frame(priced, "ban_prices")
    assert priced["rise"].is_monotonic_decreasing
    assert not programme.is_mandatory_left
    assert priced["rise"].max() > 0
    gains = {}
    for name in priced.index:
        conditions = find_conditions(
            town.segments,
            town.scores["policy_class"],
            bans.drop(index=name),
            before.roads.iloc[:0],
            None,
            YEARS,
            POLICY,
            AS_OF,
        )
        fewer = town.problem(LIMITS, replace(of_town.bearing, conditions=conditions))
        model, _ = fewer.model()
        model = replace(model, packing=programme.model.packing)
        gains[name] = solve(model, gap_share=0.0).objective - programme.solution.objective
        assert gains[name] <= priced.loc[name, "gain_at_most"] * (1 + 1e-9) + 1e-9
    np.testing.assert_allclose(priced["gain_found"], [max(gains[name], 0.0) for name in priced.index], atol=1e-6)
    # the year 2027 of its street is closed by the longer ban too: nothing is opened by lifting the shorter one
    inner = priced[priced["ends_on"] == "2027-12-31"]
    assert inner["opened_m"].tolist() == [0.0]
    assert inner["rise"].tolist() == [0.0]
    assert (inner["closed_m"] > 0).all()
    street = town.segments["street_name"].reindex(of_town.segments.index)
    metres = of_town.segments["length_m"][street == "east 0"].sum()
    assert priced.loc[priced["street_name"] == "east 0", "closed_m"].max() >= metres - 1e-6
