"""Decisions of meetings in the plan: against a slow reading of the rule, and in plans of a small town."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.agreed import Agreed, agree
from planner.leaks import link_leaks
from planner.members import Members
from planner.overlap import find_overlaps
from planner.plan import Bearing, Limits, Plan, make_plan
from planner.policy import read_policy
from planner.score import score_segments
from tests.planner.frames import leaks_of
from tests.planner.test_plan import AS_OF, YEARS, town
from tests.planner.verified import assert_kept

SEGMENTS = pd.Index([f"S{number}" for number in range(6)], name="segment_id")
VERDICTS = ("together", "ours_moves", "theirs_moves", "separate")
POLICY = read_policy()

windows = st.none() | st.tuples(st.integers(2027, 2030), st.integers(0, 3))
pairs_made = st.lists(
    st.tuples(st.sampled_from([*SEGMENTS, "elsewhere"]), windows, st.none() | st.sampled_from(VERDICTS)), max_size=12
)


def frames(rows: list[tuple[str, Any, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs, each with a project of its own, and what was decided about them."""
    last = [None if window is None else min(window[0] + window[1], 2030) for _, window, _ in rows]
    pairs = pd.DataFrame(
        {
            "segment_id": pd.array([segment for segment, _, _ in rows], dtype="str"),
            "project_id": pd.array([f"P{number}" for number in range(len(rows))], dtype="str"),
            "meets_years": np.array([window is not None for _, window, _ in rows], dtype=bool),
            "first_year": pd.array([None if window is None else window[0] for _, window, _ in rows], dtype="Int64"),
            "last_year": pd.array(last, dtype="Int64"),
        }
    )
    decided = pairs[["segment_id", "project_id"]].assign(verdict=[verdict for _, _, verdict in rows])
    return pairs, decided.dropna(subset="verdict").reset_index(drop=True)


def decide(pairs: pd.DataFrame, **verdicts: str) -> pd.DataFrame:
    """Decisions about whole projects, as they stand for their pairs."""
    chosen = pairs[pairs["project_id"].isin(list(verdicts))]
    told = chosen[["segment_id", "project_id"]].assign(verdict=chosen["project_id"].map(verdicts))
    return told.reset_index(drop=True)


@given(pairs_made, st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_the_open_years_are_those_of_most_decisions_to_join(rows: list[tuple[str, Any, Any]], of: list[int]) -> None:
    # batches are numbered without gaps
    group = np.unique(np.array(of), return_inverse=True)[1].astype(np.int64)
    pairs, decisions = frames(rows)
    found = agree(decisions, pairs, SEGMENTS, Members.of_groups(group), YEARS)
    bound, unmet = set(), 0
    for batch in range(group.max() + 1):
        votes = dict.fromkeys(YEARS, 0)
        for segment, window, verdict in rows:
            if segment == "elsewhere" or group[SEGMENTS.get_loc(segment)] != batch:
                continue
            if verdict in {"together", "ours_moves"} and window is None:
                unmet += 1
            elif verdict in {"together", "ours_moves"}:
                bound.add(batch)
                for year in range(window[0], min(window[0] + window[1], 2030) + 1):
                    votes[year] += 1
        most = max(votes.values())
        assert found.is_open[batch].tolist() == [votes[year] == most for year in YEARS]
    apart = [f"P{number}" for number, (_, _, verdict) in enumerate(rows) if verdict == "separate"]
    assert found.bound_batch_count == len(bound)
    assert found.unmet_pair_count == unmet
    assert set(pairs["project_id"]) - set(found.pairs["project_id"]) == set(apart)


@pytest.fixture(scope="module")
def ground() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, pd.DataFrame, pd.DataFrame]:
    segments, projects = town()
    none = leaks_of()
    scores = score_segments(segments, link_leaks(none, segments, POLICY), none, None, POLICY, AS_OF)
    return segments, projects, scores, find_overlaps(segments, projects, YEARS, POLICY)


def planned(ground: tuple[Any, ...], decisions: pd.DataFrame | None = None) -> Plan:
    segments, projects, scores, pairs = ground
    limits = Limits.per_year(YEARS, 1_500_000)
    bearing = Bearing(decisions=decisions)
    plan = make_plan(segments, scores, pairs, projects, POLICY, limits, bearing=bearing)
    assert_kept(segments, scores, plan, projects, POLICY, limits, decisions)
    return plan


@pytest.mark.parametrize("verdict", ["together", "ours_moves"])
def test_what_is_to_be_done_together_goes_only_into_the_years_of_the_project(
    ground: tuple[Any, ...], verdict: str
) -> None:
    pairs = ground[3]
    project = pairs.loc[pairs["first_year"] == 2028, "project_id"].iloc[0]
    free = planned(ground)
    bound = planned(ground, decide(pairs, **{project: verdict}))
    concerned = pairs.loc[pairs["project_id"] == project, "segment_id"]

    def years(plan: Plan) -> set[int]:
        placed = plan.batch_segments.loc[plan.batch_segments.index.isin(concerned), "year"].dropna()
        return set(placed.astype(int))

    assert years(free) - {2028}
    assert years(bound) == {2028}
    assert bound.summary["decided"]["bound_batch_count"] > 0
    assert bound.summary["objective"] <= bound.summary["bound"]
    # what cannot be placed for its costs is not what a decision forbids
    assert bound.summary["oversized"] == free.summary["oversized"]


def test_what_is_done_apart_saves_nothing_and_stays_a_pair_of_the_plan(ground: tuple[Any, ...]) -> None:
    pairs = ground[3]
    every = dict.fromkeys(pairs["project_id"].unique(), "separate")
    assert planned(ground).summary["saving_cny"] > 0
    apart = planned(ground, decide(pairs, **every))
    assert apart.summary["saving_cny"] == 0
    assert apart.summary["decided"]["apart_pair_count"] > 0
    assert len(apart.pairs) == len(pairs)


def test_the_project_that_moves_binds_nothing_and_nor_do_no_decisions(ground: tuple[Any, ...]) -> None:
    pairs = ground[3]
    theirs = dict.fromkeys(pairs["project_id"].unique(), "theirs_moves")
    free = planned(ground).batch_segments
    for decisions in (decide(pairs), decide(pairs, **theirs)):
        pd.testing.assert_frame_equal(planned(ground, decisions).batch_segments, free)


def test_a_segment_outside_the_plan_counts_for_nothing() -> None:
    pairs, decisions = frames([("elsewhere", (2028, 0), "together"), ("elsewhere", (2028, 0), "separate")])
    found: Agreed = agree(decisions, pairs, SEGMENTS, Members.of_groups(np.zeros(6, dtype=np.int64)), YEARS)
    assert (found.bound_batch_count, found.apart_pair_count, found.unmet_pair_count) == (0, 0, 0)
    assert found.is_open.all()
