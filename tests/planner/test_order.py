"""The order of works: which segments wait for which, and plans that keep it, against slow truth and the checker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.candidates import Candidates
from planner.choice import Effort, choose_programme, make_model
from planner.conditions import NONE, no_conditions
from planner.limits import Limits
from planner.members import Members
from planner.order import find_order, order_of_items
from planner.plan import Plan
from planner.policy import read_policy
from planner.programme import LockedBatch
from planner.recheck import check_reason, saved_choice
from planner.solve.keep import broken_rules
from registry.fields import check_frame
from tests.planner.frames import segments_of
from tests.planner.test_choice import YEARS, assert_law_first, small_city
from tests.planner.towns import Town, small_town
from tests.planner.verified import assert_kept

POLICY = read_policy()
LIMITS = Limits.per_year(YEARS, 700_000.0)
STREETS = ("a", "b", None)


@settings(max_examples=30, deadline=None)
@given(
    streets=st.lists(st.sampled_from(STREETS), min_size=1, max_size=8),
    names=st.lists(
        st.tuples(*[st.lists(st.sampled_from(["a", "b", "S0", "S1"]), min_size=1, max_size=2)] * 2), max_size=3
    ),
)
def test_a_name_stands_for_one_segment_or_for_all_of_its_street(
    streets: list[str | None], names: list[tuple[list[str], list[str]]]
) -> None:
    segments = segments_of(*({"street_name": street} for street in streets))
    ids = list(segments.index)

    def stands_for(name: str) -> set[str]:
        return {name} if name in ids else {one for one, street in zip(ids, streets, strict=True) if street == name}

    pairs = {
        (first, then)
        for firsts, thens in names
        for one in firsts
        for other in thens
        for first in stands_for(one)
        for then in stands_for(other)
        if first != then
    }
    found = find_order(segments, names)
    check_frame(found, "plan_order")
    assert list(zip(found["first_id"], found["then_id"], strict=True)) == sorted(pairs, key=lambda pair: pair[::-1])


def test_who_is_no_candidate_keeps_nobody_waiting() -> None:
    order = pd.DataFrame({"first_id": ["S0", "gone", "S2", "S1"], "then_id": ["S1", "S1", "S0", "S2"]}, dtype="str")
    then, first = order_of_items(order, pd.Index(["S0", "S1", "S2"]), np.array([0, 1, NONE]))
    assert (then.tolist(), first.tolist()) == ([1], [0])


@pytest.mark.parametrize("seed", range(12))
def test_the_law_is_served_as_well_as_an_order_lets_it(seed: int) -> None:
    candidates, conditions, severity = small_city(seed, 5)
    rng = np.random.default_rng(seed)
    names = pd.Index([f"S{number}" for number in range(6)], dtype="str")
    pairs = rng.choice(names.to_numpy(dtype=object), (3, 2))
    order = pd.DataFrame(pairs, columns=["first_id", "then_id"], dtype="str")
    model, duties = make_model(
        candidates, conditions, severity, Limits.per_year(YEARS, 230_000.0), POLICY, order=(names, order)
    )
    programme = choose_programme(model, duties, Effort(gap_share=0.0))
    assert_law_first(candidates, model, programme)


def test_what_the_law_asks_for_brings_along_what_goes_before_it() -> None:
    """Money for two of three pipes: the mandatory one and the one it waits for, not the one that is worth most."""
    each, years = np.ones(3), len(YEARS)
    severity = np.array([3, 0, 3])
    members = Members.of_groups(np.arange(3))
    candidates = Candidates(
        members=members,
        segment_length_m=100.0 * each,
        value=np.repeat(np.array([[1.0], [1.0], [90.0]]), years, axis=1),
        alone_cny=100_000.0 * each,
        saving_cny=np.zeros((3, years)),
        length_m=100.0 * each,
        mandatory_m=100.0 * (severity == 0),
        household_count=0.0 * each,
        severity=severity,
        district=np.full(3, NONE),
        is_open=np.ones((3, years), dtype=bool),
        stays_open=np.ones((3, years), dtype=bool),
    )
    names = pd.Index(["main", "branch", "other"], dtype="str")
    conditions = no_conditions(pd.Series(["keep", "mandatory", "keep"], names), YEARS)
    order = pd.DataFrame({"first_id": ["main"], "then_id": ["branch"]}, dtype="str")
    limits = Limits(YEARS, (200_000.0, 1.0, 1.0))
    model, duties = make_model(candidates, conditions, severity, limits, POLICY, order=(names, order))
    assert choose_programme(model, duties, Effort(gap_share=0.0)).year.tolist() == [0, 0, NONE]


def ordered_plan(town: Town, order: pd.DataFrame, locks: tuple[LockedBatch, ...] = ()) -> Plan:
    return town.plan(LIMITS, replace(town.bearing(locks), order=order))


def order_against(plan: Plan) -> pd.DataFrame:
    """An order that the plan breaks: what it renews in its last year, or not at all, before what it renews first."""
    year = plan.batch_segments["year"].astype("float64").fillna(np.inf).sort_values(kind="stable")
    early, late = year.index[:4], year.index[::-1][:4]
    return pd.DataFrame({"first_id": late, "then_id": early}, dtype="str")


@pytest.mark.parametrize("seed", range(3))
def test_a_plan_keeps_its_order_and_is_no_less_late_for_it(seed: int) -> None:
    town = small_town(seed)
    free = town.plan(LIMITS, town.bearing())
    order = order_against(free)
    plan = ordered_plan(town, order)
    assert_kept(town.segments, town.scores, plan, town.projects, POLICY, LIMITS, order=order)
    with pytest.raises(AssertionError, match=str(order["then_id"].iloc[0])):
        assert_kept(town.segments, town.scores, free, town.projects, POLICY, LIMITS, order=order)
    assert plan.summary["certificate"]["late_km_years"] >= free.summary["certificate"]["late_km_years"] - 1e-9
    choice = saved_choice(
        town.problem(LIMITS, replace(town.bearing(), order=order)),
        plan.batch_segments,
        only_mandatory=np.isin(YEARS, plan.summary["duties"]["only_mandatory_years"]),
    )
    for segment in order["then_id"]:
        told = plan.reasons.loc[segment]
        checked = check_reason(choice, segment, told["reason"], told["loss"], plan.summary["gap_share"])
        assert checked.agrees, (segment, told["reason"], checked)


def test_what_waits_for_work_that_is_left_out_is_told_so_and_what_is_locked_waits_for_nobody() -> None:
    town = small_town(2)
    poor = Limits.per_year(YEARS, 350_000.0)
    free = town.plan(poor, town.bearing())
    left = free.reasons.index[free.reasons["reason"] == "dear"]
    seen: set[str] = set()
    for worth in free.reasons.index[free.reasons["reason"] == "worth"].astype(str).tolist():
        order = pd.DataFrame({"first_id": left, "then_id": worth}, dtype="str")
        plan = town.plan(poor, replace(town.bearing(), order=order))
        is_placed = plan.batch_segments["year"].notna().to_dict()
        seen.add(told := plan.reasons["reason"].to_dict()[worth])
        assert told != "after" or not (is_placed[worth] or all(is_placed[name] for name in left))
        own = str(free.batch_segments["batch_id"][worth])
        members = free.batch_segments.index[free.batch_segments["batch_id"] == own]
        lock = LockedBatch(own, tuple(members), YEARS.start)
        locked = town.plan(poor, replace(town.bearing((lock,)), order=order))
        assert locked.batch_segments["year"].to_dict()[worth] == YEARS.start
    assert "after" in seen


def test_the_model_keeps_an_order_that_it_is_given() -> None:
    town = small_town()
    free = town.plan(LIMITS, town.bearing())
    order = order_against(free)
    problem = town.problem(LIMITS, replace(town.bearing(), order=order))
    model, _ = problem.model()
    assert len(model.precedence[0]) > 0
    assert "follows" not in broken_rules(model, problem.choose(problem.bearing.effort).year)
