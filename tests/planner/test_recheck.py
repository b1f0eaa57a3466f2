"""Reasons put to the test: the segment forced into the plan or out of it, against a search to the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner.choice import Effort
from planner.conditions import NONE
from planner.limits import Limits
from planner.overlap import find_overlaps
from planner.plan import Bearing, Plan, Problem, make_plan, plan_problem
from planner.policy import read_policy
from planner.recheck import Choice, check_reason, saved_choice
from planner.solve.engine import search
from planner.solve.model import Model
from planner.solve.search import Limits as Search
from planner.solve.solve import Solution, solve
from registry.errors import PlanningError
from tests.planner.test_choice import scored
from tests.planner.test_plan import town

POLICY = read_policy()
YEARS = range(2027, 2030)


@pytest.fixture(scope="module", params=[450_000.0, 60_000.0])
def saved(request: pytest.FixtureRequest) -> tuple[Problem, Plan, Choice]:
    segments, projects = town(5, 3)
    pairs = find_overlaps(segments, projects, YEARS, POLICY)
    bearing = Bearing(batches_per_segment=2, effort=Effort(gap_share=0.0))
    limits = Limits.per_year(YEARS, request.param)
    arguments: Any = (segments, scored(segments), pairs, projects, POLICY, limits, None, bearing)
    problem, plan = plan_problem(*arguments), make_plan(*arguments)
    only = np.isin(YEARS, plan.summary["duties"]["only_mandatory_years"])
    return problem, plan, saved_choice(problem, plan.batch_segments, only_mandatory=only)


def best_with(choice: Choice, row: int) -> float:
    """The value of the best plan with the segment the other way round, searched to the end."""
    model, item = choice.model, int(choice.duties.item_of_segment[row])
    if item == NONE:
        return -np.inf
    holders = model.packing.batch[model.packing.item == item]
    deadline = model.packing.deadline.copy()
    is_open = model.is_open.copy()
    if (choice.year[holders] != NONE).any():
        is_open[holders], deadline[item] = False, NONE
    else:
        deadline[item] = model.shape[1] - 1
    forced = replace(model, is_open=is_open, packing=replace(model.packing, deadline=deadline))
    return search(forced, Search(0, 0.0, 10_000), (), lambda _: None).objective


def test_a_saved_plan_is_found_again_and_every_reason_agrees(saved: tuple[Problem, Plan, Choice]) -> None:
    problem, plan, choice = saved
    value = plan.summary["objective"]
    placed = plan.batch_segments["year"].notna()
    for row, (segment, reason) in list(enumerate(plan.reasons.iterrows()))[::5]:
        found = check_reason(choice, str(segment), reason["reason"], reason["loss"], plan.summary["gap_share"])
        assert found.agrees, (segment, reason["reason"], found)
        assert found.is_forced_in != bool(placed.loc[str(segment)])
        best = best_with(choice, row)
        assert found.is_possible == bool(np.isfinite(best))
        if found.is_possible:
            assert found.cost == pytest.approx(value - best, abs=1e-6)
            assert found.least_cost <= found.cost + 1e-9
            assert (found.year is not None) == found.is_forced_in
    assert len(problem.segments) == len(plan.reasons)


def test_a_wrong_reason_is_told_from_a_right_one(saved: tuple[Problem, Plan, Choice]) -> None:
    _, plan, choice = saved
    told = plan.reasons
    possible = [
        str(name)
        for name in told.index[told["year"].isna()][:4]
        if check_reason(choice, str(name), "no_room", np.nan, 0.0).is_possible
    ]
    for name in possible[:2]:
        assert not check_reason(choice, name, "closed", np.nan, 0.0).agrees
        assert not check_reason(choice, name, "dear", 1e9, 0.0).agrees
    late = told.index[told["reason"] == "duty"]
    for name in late[:1]:
        assert not check_reason(choice, str(name), "duty_late", np.nan, 0.0).agrees


def test_a_search_that_decides_nothing_confirms_no_reason(
    saved: tuple[Problem, Plan, Choice], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The solver cannot be brought to end without a plan and a proof at will: its answer is changed, after the run."""
    _, plan, choice = saved

    def undecided(model: Model, **effort: Any) -> Solution:
        return replace(solve(model, **effort), objective=-np.inf, status="not_found")

    monkeypatch.setattr("planner.recheck.solve", undecided)
    outside = str(plan.reasons.index[plan.reasons["year"].isna()][0])
    for reason in ("dear", "no_room", "duty_first", "closed"):
        found = check_reason(choice, outside, reason, np.nan, 0.0)
        assert found.is_undecided
        assert not found.is_possible
        assert not found.agrees, reason


def test_what_is_not_the_plan_of_its_problem_is_refused(saved: tuple[Problem, Plan, Choice]) -> None:
    problem, plan, choice = saved
    other = plan.batch_segments.copy()
    other["batch_id"] = other["batch_id"].mask(other["year"].notna(), "B-0000000000")
    with pytest.raises(PlanningError, match="B-0000000000"):
        saved_choice(problem, other, only_mandatory=np.zeros(len(YEARS), dtype=bool))
    crowded = plan.batch_segments.assign(
        year=plan.batch_segments["year"].mask(plan.batch_segments["year"].notna(), 2027)
    )
    if len(set(plan.batch_segments["year"].dropna())) > 1:
        with pytest.raises(PlanningError, match=r"budget|deadline|street"):
            saved_choice(problem, crowded, only_mandatory=np.zeros(len(YEARS), dtype=bool))
    with pytest.raises(PlanningError, match="nowhere"):
        check_reason(choice, "nowhere", "dear", np.nan, 0.0)
    assert isinstance(plan.reasons, pd.DataFrame)
