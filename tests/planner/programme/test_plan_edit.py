"""Edits by hand: the recomputed figures are those of the plan, each edit does what it says, and limits are noticed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from planner.bans import find_bans
from planner.edit_apart import torn_batches
from planner.edit_effects import OF_CHOICE, edit_effects, edited_summary
from planner.households import Supplied
from planner.leaks import link_leaks
from planner.overlap import find_overlaps
from planner.plan import Limits, Plan, make_plan
from planner.plan_edit import Draft, Edit, Source, edit_plan, priced
from planner.policy import read_policy
from planner.programme import locked_batches
from planner.score import score_segments
from registry.errors import PlanningError
from registry.fields import check_frame
from tests.planner.frames import leaks_of, moratoria_of, projects_of, roads_of
from tests.planner.test_plan import AS_OF, YEARS, town

BUDGET = 400_000.0


@dataclass(frozen=True)
class Town:
    plan: Plan
    source: Source
    draft: Draft


def without_locks() -> pd.DataFrame:
    """The frame `plan_locks` of a plan in which nothing is locked."""
    index = pd.Index([], dtype="str", name="segment_id")
    return pd.DataFrame({"batch_id": pd.Series([], index, dtype="str"), "year": pd.Series([], index, dtype="Int64")})


@pytest.fixture(scope="module")
def made() -> Town:
    segments, projects = town(size=6)
    policy = read_policy()
    leaks = leaks_of({})
    scores = score_segments(segments, link_leaks(leaks.iloc[:0], segments, policy), leaks.iloc[:0], None, policy, AS_OF)
    pairs = find_overlaps(segments, projects, YEARS, policy)
    plan = make_plan(segments, scores, pairs, projects, policy, Limits.per_year(YEARS, BUDGET))
    source = Source(
        segments=segments,
        scores=scores,
        pairs=pairs,
        projects=projects,
        bans=find_bans(roads_of().iloc[:0], projects, moratoria_of().iloc[:0], policy, AS_OF),
        supplied=Supplied.from_frames(),
        decisions=None,
        policy=policy,
        as_of=AS_OF,
        limits=Limits.per_year(YEARS, BUDGET),
    )
    return Town(plan, source, priced(plan.batches, plan.batch_segments, without_locks(), source))


def placed(made: Town) -> pd.Series:
    return made.draft.batches["year"].dropna()


def test_a_plan_priced_again_is_the_plan(made: Town) -> None:
    assert_frame_equal(made.draft.batches.sort_index(), made.plan.batches.sort_index())
    assert_frame_equal(made.draft.batch_segments.sort_index(), made.plan.batch_segments.sort_index())
    effects = edit_effects(made.draft, made.draft, made.source)
    assert effects.breaches == ()
    assert effects.before == effects.after
    for name, key in (("objective", "value"), ("cost_cny", "cost_cny"), ("saving_cny", "saving_cny"), ("km", "km")):
        assert effects.after[key] == pytest.approx(made.plan.summary[name])
    check_frame(effects.by_year, "plan_edit_years")
    check_frame(effects.by_tier, "plan_edit_tiers")
    assert effects.by_tier["km_after"].sum() == pytest.approx(effects.after["km"])
    again = edited_summary(made.plan.summary, effects, "id", "plan")
    # what only the search knew of the parent is not told of what was changed by hand
    assert set(made.plan.summary) - set(again) == OF_CHOICE - {"stability"}
    for name, value in made.plan.summary.items():
        if name in OF_CHOICE:
            continue
        if name == "mandatory":
            assert again[name]["left_batch_count"] == value["left_batch_count"]
        elif name != "by_year":
            assert again[name] == (pytest.approx(value) if isinstance(value, float) else value), name
    assert [row["batch_count"] for row in again["by_year"]] == [
        row["batch_count"] for row in made.plan.summary["by_year"]
    ]


@settings(max_examples=12)
@given(data=st.data())
def test_edits_do_what_they_say_and_nothing_else(made: Town, data: st.DataObject) -> None:
    """An obvious oracle: apply moves and drops to a dictionary of years, sum costs by the table of the whole plan."""
    names = data.draw(st.lists(st.sampled_from(sorted(made.draft.batches.index)), min_size=1, max_size=4, unique=True))
    years = [data.draw(st.none() | st.sampled_from(list(YEARS))) for _ in names]
    edits = [Edit("drop" if year is None else "move", (name,), year) for name, year in zip(names, years, strict=True)]
    before = (made.draft.batches.copy(), made.draft.batch_segments.copy())
    after, told = edit_plan(made.draft, edits, made.source)
    assert_frame_equal(made.draft.batches, before[0])
    assert_frame_equal(made.draft.batch_segments, before[1])
    expected = {name: None if pd.isna(year) else int(year) for name, year in made.draft.batches["year"].items()}
    expected |= dict(zip(names, years, strict=True))
    found = {name: None if pd.isna(year) else int(year) for name, year in after.batches["year"].items()}
    assert found == expected
    check_frame(told, "plan_edits")
    assert set(told["batch_id"]) == set(names)
    effects = edit_effects(made.draft, after, made.source)
    costs = dict.fromkeys(YEARS, 0.0)
    at = {name: row for row, name in enumerate(made.draft.batches.index)}
    for name, year in expected.items():
        if year is not None:
            costs[year] += made.draft.table.batches.cost_cny[at[name], year - YEARS[0]]
    np.testing.assert_allclose(effects.by_year["cost_after_cny"], list(costs.values()))
    over = {
        year
        for year, was, cost in zip(YEARS, effects.by_year["cost_before_cny"], costs.values(), strict=True)
        if cost > BUDGET * (1 + 1e-9) and cost > was * (1 + 1e-9)
    }
    breaches = [b for b in effects.breaches if b.code == "plan_breach_budget"]
    assert {b.parameters["year"] for b in breaches} == over


def test_segments_are_added_as_a_batch_of_their_own(made: Town) -> None:
    members = made.draft.batch_segments
    left_out = made.draft.batches.index[made.draft.batches["year"].isna() & (made.draft.batches["segment_count"] > 1)]
    taken = members.index[members["batch_id"] == left_out[0]][:1]
    stranger = made.source.segments.index.difference(members.index)[:1]
    wanted = [*taken, *stranger]
    after, told = edit_plan(made.draft, [Edit("add", tuple(wanted), 2028)], made.source)
    (name,) = set(after.batch_segments.loc[wanted, "batch_id"])
    assert set(after.batch_segments.index[after.batch_segments["batch_id"] == name]) == set(wanted)
    assert after.batches["year"][name] == 2028
    assert told["batch_id"].tolist() == [name]
    # what is left of the batch that lost a segment has another id and stays out
    assert left_out[0] not in after.batches.index
    rest = members.index[members["batch_id"] == left_out[0]].difference(taken)
    assert after.batch_segments.loc[rest, "year"].isna().all()
    untouched = made.draft.batches.index.difference([left_out[0]])
    assert_frame_equal(after.batches.loc[untouched], made.draft.batches.loc[untouched])
    assert len(after.batch_segments) == len(members) + 1


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_batch_by_hand_that_does_not_hang_together_is_told_with_its_parts(made: Town, data: st.DataObject) -> None:
    """Against parts that grow pipe by pipe, by the distance of their ends."""
    ids = data.draw(st.lists(st.sampled_from(list(made.source.segments.index)), min_size=1, max_size=6, unique=True))
    after, _ = edit_plan(made.draft, [Edit("add", tuple(ids), 2028)], made.source)
    torn = torn_batches(made.draft, after, made.source)
    snap_m = made.source.policy.groups.snap_m.value
    expected = {}
    for name, batch in after.batches.iterrows():
        if name in made.draft.batches.index or batch["kind"] == "compound" or pd.isna(batch["year"]):
            continue
        members = after.batch_segments.index[after.batch_segments["batch_id"] == name]
        left = {str(one): made.source.segments.geometry[one].boundary for one in members}
        parts = 0
        while left:
            parts += 1
            todo = [left.pop(next(iter(left)))]
            while todo:
                ends = todo.pop()
                todo += [left.pop(one) for one in list(left) if left[one].distance(ends) <= snap_m]
        if parts > 1:
            expected[str(name)] = parts
    assert torn.to_dict() == expected


def test_a_batch_that_was_left_out_is_added_by_its_id(made: Town) -> None:
    name = made.draft.batches.index[made.draft.batches["year"].isna()][0]
    after, _ = edit_plan(made.draft, [Edit("add", (name,), 2029)], made.source)
    assert after.batches["year"][name] == 2029
    assert after.batches["value"][name] > 0


def test_locks_are_kept_as_segments_with_their_year(made: Town) -> None:
    first, second = placed(made).index[:2]
    left_out = made.draft.batches.index[made.draft.batches["year"].isna()][0]
    edits = [Edit("lock", (first,)), Edit("lock", (second,), 2030), Edit("lock", (left_out,))]
    after, _ = edit_plan(made.draft, edits, made.source)
    check_frame(after.locks, "plan_locks")
    locked = {one.batch_id: one for one in locked_batches(after.locks)}
    assert {name: one.year for name, one in locked.items()} == {
        first: int(placed(made)[first]),
        second: 2030,
        left_out: None,
    }
    members = made.draft.batch_segments["batch_id"]
    for name, one in locked.items():
        assert set(one.segment_ids) == set(members.index[members == name])
    with pytest.raises(PlanningError, match="locked"):
        edit_plan(after, [Edit("drop", (first,))], made.source)
    free, told = edit_plan(after, [Edit("drop", (first,)), Edit("unlock", (first,))], made.source)
    assert free.batches["year"].isna()[first]
    year = int(placed(made)[first])
    years = told[["edit", "year_before", "year_after"]].astype("object").where(told.notna(), None)
    assert years.to_numpy().tolist() == [["unlock", year, year], ["drop", year, None]]
    assert len(locked_batches(free.locks)) == 2


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (Edit("move", ("NONE",), 2028), "no batch NONE"),
        (Edit("add", ("NONE",), 2028), "NONE"),
        (Edit("add", (), 2028), "—"),
        (Edit("add", ("S0001",), 2040), "2040"),
    ],
)
def test_what_cannot_be_edited_is_refused(made: Town, edit: Edit, word: str) -> None:
    with pytest.raises(PlanningError, match=word):
        edit_plan(made.draft, [edit], made.source)


def test_a_year_of_closed_ground_a_meeting_and_late_mandatory_work_break_limits(made: Town) -> None:
    batches = made.draft.batches
    # the one that is planned first is in time
    mandatory = batches[batches["policy_class"] == "mandatory"].sort_values("year").index[0]
    pipes = made.draft.batch_segments.index[made.draft.batch_segments["batch_id"] == mandatory]
    year = int(batches["year"][mandatory])
    other = next(one for one in YEARS if one != year)
    ground = made.source.segments.loc[pipes].union_all().buffer(5.0)
    closed = moratoria_of({"starts_on": f"{other}-01-01", "ends_on": f"{other}-12-31", "geometry": ground})
    policy = made.source.policy
    bans = find_bans(roads_of().iloc[:0], projects_of().iloc[:0], closed, policy, AS_OF)
    source = replace(made.source, bans=bans)
    moved, _ = edit_plan(made.draft, [Edit("move", (mandatory,), other)], source)
    found = {b.code: b.parameters for b in edit_effects(made.draft, moved, source).breaches}
    assert found["plan_breach_ban"]["batch"] == mandatory
    assert found["plan_breach_ban"]["metres"] == pytest.approx(batches.loc[mandatory, "length_m"])
    # one day more that is open, and it is none
    ends = closed.assign(ends_on=pd.Timestamp(f"{other}-12-30"))
    open_once = find_bans(roads_of().iloc[:0], projects_of().iloc[:0], ends, policy, AS_OF)
    shorter = replace(source, bans=open_once)
    assert "plan_breach_ban" not in {b.code for b in edit_effects(made.draft, moved, shorter).breaches}
    dropped, _ = edit_plan(made.draft, [Edit("drop", (mandatory,))], source)
    effects = edit_effects(made.draft, dropped, source)
    late: dict[str, Any] = next(b.parameters for b in effects.breaches if b.code == "plan_breach_mandatory")
    before_m = effects.before["mandatory_late_m"]
    assert 0 < late["metres"] == pytest.approx(effects.after["mandatory_late_m"] - before_m)
    # and what was broken before is not held against another edit
    assert edit_effects(dropped, dropped, source).breaches == ()


def test_kilometres_of_a_year_are_a_limit_where_the_plan_has_one(made: Town) -> None:
    source = replace(made.source, limits=Limits.per_year(YEARS, 1e12, km_per_year=1e-3))
    name = made.draft.batches.index[made.draft.batches["year"].isna()][0]
    after, _ = edit_plan(made.draft, [Edit("add", (name,), 2028)], source)
    codes = [b.code for b in edit_effects(made.draft, after, source).breaches]
    assert codes == ["plan_breach_km"]
