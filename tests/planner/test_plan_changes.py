"""Two plans compared: nothing against itself, the mirror the other way round, and sums against a slow count."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from planner.limits import Limits
from planner.plan import Plan
from planner.plan_changes import PlanSide, compare_plans, moves_by_km, plan_differences, plan_side
from registry.fields import check_frame
from tests.planner.towns import YEARS, small_town

AS_OF = date(2026, 11, 1)
MIRROR = {"added": "dropped", "dropped": "added", "earlier": "later", "later": "earlier"}


def side(plan: Plan, **frames: pd.DataFrame) -> PlanSide:
    town = small_town()
    stored = {"batches": plan.batches, "batch_segments": plan.batch_segments, "plan_reasons": plan.reasons}
    return plan_side(stored | {"scores": town.scores} | frames, plan.summary, town.segments, town.policy, AS_OF)


@pytest.fixture(scope="module")
def plans() -> tuple[Plan, Plan]:
    town = small_town()
    few, more = (Limits(YEARS, budgets) for budgets in ((3e5, 4e5, 5e5), (8e5, 4e5, 5e5)))
    return town.plan(few), town.plan(more)


def test_a_plan_against_itself_is_unchanged(plans: tuple[Plan, Plan]) -> None:
    one = side(plans[0])
    changes = compare_plans(one, one, "en")
    for name, frame in (("plan_changes", changes.segments), ("batch_changes", changes.batches)):
        check_frame(frame, name)
        assert set(frame["move"]) == {"unchanged"}
    assert (changes.batches["kept_share"] == 1.0).all()
    assert (changes.segments["why_before"] == changes.segments["why_after"]).all()
    for column in changes.years:
        if "_before" in str(column):
            pd.testing.assert_series_equal(
                changes.years[column], changes.years[str(column).replace("before", "after")], check_names=False
            )
    assert plan_differences(plans[0].summary, plans[0].summary) == []


def test_the_other_way_round_is_the_mirror(plans: tuple[Plan, Plan]) -> None:
    first, second = (side(plan) for plan in plans)
    there, back = compare_plans(first, second, "en"), compare_plans(second, first, "en")
    assert {"added", "unchanged"} < set(there.segments["move"])
    for one, other in ((there.segments, back.segments), (there.batches, back.batches)):
        assert one["move"].replace(MIRROR).to_dict() == other["move"].to_dict()
    for one, other in ((there.segments, back.segments), (there.years, back.years), (there.tiers, back.tiers)):
        names = {
            name: name.replace("before", "x").replace("after", "before").replace("x", "after") for name in other.columns
        }
        swapped = other.rename(columns=names)[list(one.columns)]
        both = [frame.drop(columns="move", errors="ignore") for frame in (one, swapped)]
        assert_frame_equal(both[0], both[1])


def test_moves_and_figures_are_those_of_a_slow_count(plans: tuple[Plan, Plan]) -> None:
    first, second = (side(plan) for plan in plans)
    changes = compare_plans(first, second, "zh")
    town = small_town()
    years: list[dict[Any, Any]] = [plan.batch_segments["year"].dropna().astype(int).to_dict() for plan in plans]
    assert set(changes.segments.index) == set(years[0]) | set(years[1])
    reasons: dict[Any, str] = plans[0].reasons["reason"].to_dict()
    for row in changes.segments.reset_index().to_dict("records"):
        name = row["segment_id"]
        old, new = (one.get(name, 0) for one in years)
        moved = "unchanged" if old == new else "earlier" if new < old else "later"
        assert row["move"] == ("added" if old == 0 else "dropped" if new == 0 else moved)
        assert row["reason_before"] == reasons[name]
        assert str(name) in row["why_after"]
    whole = changes.years[changes.years["year"].isna()].iloc[0]
    for number, plan in enumerate(plans):
        of_side = ("before", "after")[number]
        assert whole[f"value_{of_side}"] == pytest.approx(plan.summary["objective"])
        assert whole[f"cost_{of_side}_cny"] == pytest.approx(plan.summary["cost_cny"])
        assert whole[f"joint_{of_side}_km"] == pytest.approx(plan.summary["joint_km"])
        assert whole[f"saving_{of_side}_cny"] == pytest.approx(plan.summary["saving_cny"])
        assert whole[f"budget_{of_side}_cny"] == pytest.approx(sum(plan.summary["budget_cny"]))
        for year in YEARS:
            of_year = changes.years[changes.years["year"] == year].iloc[0]
            costs = plan.batches.loc[plan.batches["year"] == year, "cost_cny"]
            assert of_year[f"cost_{of_side}_cny"] == pytest.approx(costs.sum())
        km = changes.tiers[changes.tiers["year"].isna()][f"km_{of_side}"].sum()
        assert km == pytest.approx(town.segments["length_m"].loc[list(years[number])].sum() / 1000)
        late = left = 0.0
        lengths: dict[Any, float] = (town.segments["length_m"] / 1000).to_dict()
        due_years: dict[Any, int] = first.due_year.to_dict()
        for name, policy_class in town.scores["policy_class"].items():
            if policy_class != "mandatory" or name not in plan.batch_segments.index:
                continue
            length, due = lengths[name], due_years.get(name)
            done = years[number].get(name)
            left += length if due is not None and done is None else 0.0
            late += length if due is not None and done is not None and done > due else 0.0
        assert whole[f"mandatory_late_{of_side}_km"] == pytest.approx(late)
        assert whole[f"mandatory_left_{of_side}_km"] == pytest.approx(left)
    moves = moves_by_km(changes.segments)
    assert moves["km"].sum() == pytest.approx(changes.segments["length_m"].sum() / 1000)
    assert moves["segment_count"].sum() == len(changes.segments)
    assert plan_differences(plans[0].summary, plans[1].summary) == [("budget_cny.2027", 3e5, 8e5)]


def test_a_batch_that_gives_some_segments_away_is_regrouped_not_dropped(plans: tuple[Plan, Plan]) -> None:
    plan = plans[0]
    sizes = plan.batches[plan.batches["year"].notna()]["segment_count"]
    name = str(sizes.index[sizes >= 3][0])
    members = plan.batch_segments.copy()
    given = members.index[members["batch_id"] == name][:1]
    members.loc[given, "batch_id"] = plan.batches.index[plan.batches["year"].isna()][0]
    members.loc[given, "year"] = pd.NA
    rest = members["batch_id"].replace({name: "B-rest"})
    batches = plan.batches.rename(index={name: "B-rest"})
    other = side(plan, batches=batches, batch_segments=members.assign(batch_id=rest))
    changes = compare_plans(side(plan), other, "en")
    assert changes.batches.loc[[name, "B-rest"], "move"].tolist() == ["regrouped", "regrouped"]
    shares: dict[Any, float] = changes.batches["kept_share"].to_dict()
    assert 0.5 < shares[name] < 1
    # what was changed by hand has no reason of the solver
    (told,) = changes.segments.loc[given].to_dict("records")
    assert (told["move"], told["reason_after"]) == ("dropped", "edited_out")
    assert "by hand" in told["why_after"]
