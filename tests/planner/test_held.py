"""Locked batches in planning anew: where they were locked they stay, and a plan without locks is as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pandas.testing import assert_frame_equal

from planner.limits import Limits
from planner.plan import Plan
from planner.programme import LockedBatch
from registry.errors import PlanningError
from tests.planner.towns import YEARS, small_town

LIMITS = Limits.per_year(YEARS, 400_000.0)


def lock_of(plan: Plan, batch: Any, year: int | None) -> LockedBatch:
    members = plan.batch_segments.index[plan.batch_segments["batch_id"] == batch]
    return LockedBatch(str(batch), tuple(sorted(map(str, members))), year)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_town().plan(LIMITS)


def test_no_lock_changes_nothing(plan: Plan) -> None:
    again = small_town().plan(LIMITS)
    assert_frame_equal(again.batches, plan.batches)
    assert again.summary["objective"] == plan.summary["objective"]
    assert again.summary["locked"] == {"kept": 0, "out": 0, "outside": 0}


@pytest.mark.parametrize("budget", [400_000.0, 800_000.0])
def test_what_is_locked_stays_where_it_was_locked(plan: Plan, budget: float) -> None:
    """A batch in its year, one that moves by its lock, one that was chosen and is kept out: as a whole, each time."""
    town = small_town()
    placed = plan.batches[plan.batches["year"].notna()]
    kept, moved, out = placed.index[:3]
    other = next(year for year in YEARS if year != placed["year"].to_dict()[moved])
    in_plan: dict[Any, int] = placed["year"].astype(int).to_dict()
    locks = (lock_of(plan, kept, in_plan[kept]), lock_of(plan, moved, other), lock_of(plan, out, None))
    again = town.plan(Limits.per_year(YEARS, budget), town.bearing(locks))
    for lock in locks:
        members = again.batch_segments.loc[list(lock.segment_ids)]
        assert set(members["batch_id"]) == {lock.batch_id}
        years = again.batch_segments["year"][again.batch_segments["batch_id"] == lock.batch_id]
        assert years.index.sort_values().tolist() == sorted(lock.segment_ids)
        assert years.isna().all() if lock.year is None else (years == lock.year).all()
        reason = again.reasons.loc[list(lock.segment_ids), "reason"]
        assert set(reason) == {"locked_out" if lock.year is None else "locked"}
    assert again.summary["locked"] == {"kept": 2, "out": 1, "outside": 0}
    assert again.summary["objective"] <= again.summary["bound"] * (1 + 1e-9)
    costs = again.batches.groupby("year")["cost_cny"].sum()
    assert (costs <= budget * (1 + 1e-9)).all()


def test_locking_a_plan_as_it_is_costs_nothing(plan: Plan) -> None:
    """With all chosen batches locked in their years the best plan is still open, so the value is the same."""
    town = small_town()
    chosen = plan.batches["year"].dropna()
    locks = tuple(lock_of(plan, name, int(year)) for name, year in chosen.items())
    again = town.plan(LIMITS, town.bearing(locks))
    assert again.summary["objective"] == pytest.approx(plan.summary["objective"])
    assert again.batches["year"].dropna().sort_index().to_dict() == chosen.sort_index().to_dict()


def test_a_segment_that_is_no_candidate_is_renewed_where_it_is_locked(plan: Plan) -> None:
    town = small_town()
    outside = town.segments.index.difference(plan.batch_segments.index)[0]
    again = town.plan(LIMITS, town.bearing((LockedBatch("B-own", (str(outside),), 2028),)))
    assert again.batch_segments["year"].to_dict()[outside] == 2028


def test_a_lock_of_another_year_stays_out_and_is_counted(plan: Plan) -> None:
    town = small_town()
    name = plan.batches.index[plan.batches["year"].notna()][0]
    again = town.plan(LIMITS, town.bearing((lock_of(plan, name, 2026),)))
    assert again.batches["year"].isna().to_dict()[name]
    assert again.summary["locked"] == {"kept": 0, "out": 1, "outside": 1}


def test_only_mandatory_work_still_lets_the_locked_in(plan: Plan) -> None:
    """Where the money does not do for the law, nothing is bought past it, but what was locked stays."""
    town = small_town()
    poor = Limits.per_year(YEARS, 150_000.0)
    without = town.plan(poor)
    assert not without.summary["mandatory"]["all_that_fit_a_year_are_placed"]
    cheap = plan.batches[(plan.batches["policy_class"] != "mandatory") & (plan.batches["cost_alone_cny"] < 140_000)]
    lock = lock_of(plan, str(cheap.index[0]), 2029)
    again = town.plan(poor, town.bearing((lock,)))
    assert again.batches.loc[lock.batch_id, "year"] == 2029


def test_locks_that_cannot_be_kept_are_told(plan: Plan) -> None:
    town = small_town()
    dear: Any = plan.batches["cost_alone_cny"].idxmax()
    lock = lock_of(plan, dear, 2027)
    poor = Limits.per_year(YEARS, plan.batches["cost_alone_cny"].max() * 0.5)
    with pytest.raises(PlanningError, match="2027 cost"):
        town.plan(poor, town.bearing((lock,)))
    short = replace(LIMITS, km_per_year=plan.batches["length_m"].to_dict()[dear] / 1000 * 0.9)
    with pytest.raises(PlanningError, match="km long"):
        town.plan(replace(short, budget_cny=(5e6,) * 3), town.bearing((lock,)))
    with pytest.raises(PlanningError, match="no more in the census"):
        town.plan(LIMITS, town.bearing((LockedBatch("B-x", ("gone",), 2027),)))
