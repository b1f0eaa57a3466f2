"""A small town with plans of few batches a segment, so that many plans can be made in little time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import geopandas as gpd
import pandas as pd
import shapely

from planner.choice import Effort
from planner.conditions import find_conditions
from planner.leaks import link_leaks
from planner.limits import Limits
from planner.overlap import find_overlaps
from planner.plan import Bearing, Plan, Problem, make_plan, plan_problem
from planner.policy import Policy, read_policy
from planner.programme import LockedBatch
from planner.score import score_segments
from tests.planner.frames import EAST, NORTH, leaks_of
from tests.planner.test_plan import AS_OF, town

YEARS = range(2027, 2030)
POLICY = read_policy()


@dataclass(frozen=True)
class Town:
    """What plans of the town are made from."""

    segments: gpd.GeoDataFrame
    projects: gpd.GeoDataFrame
    scores: pd.DataFrame
    pairs: pd.DataFrame
    policy: Policy

    def bearing(
        self,
        locks: tuple[LockedBatch, ...] = (),
        bans: gpd.GeoDataFrame | None = None,
        gap: float = 0.0,
    ) -> Bearing:
        conditions = None
        if bans is not None:
            nothing = self.projects.iloc[:0]
            classes = self.scores["policy_class"]
            conditions = find_conditions(self.segments, classes, bans, nothing, None, YEARS, self.policy, AS_OF)
        effort = Effort(gap_share=gap)
        return Bearing(conditions=conditions, locks=locks, effort=effort, batches_per_segment=2)

    def plan(self, limits: Limits, bearing: Bearing | None = None) -> Plan:
        return make_plan(*self._parts(limits), bearing=bearing or self.bearing())

    def problem(self, limits: Limits, bearing: Bearing | None = None) -> Problem:
        return plan_problem(*self._parts(limits), bearing=bearing or self.bearing())

    def _parts(
        self, limits: Limits
    ) -> tuple[gpd.GeoDataFrame, pd.DataFrame, pd.DataFrame, gpd.GeoDataFrame, Policy, Limits]:
        return self.segments, self.scores, self.pairs, self.projects, self.policy, limits


@cache
def small_town(seed: int = 1, size: int = 4) -> Town:
    segments, projects = town(seed, size)
    leaks = leaks_of(*({"geometry": shapely.Point(EAST + 33 * k, NORTH + 59)} for k in range(12)))
    links = link_leaks(leaks, segments, POLICY)
    scores = score_segments(segments, links, leaks, None, POLICY, AS_OF)
    return Town(segments, projects, scores, find_overlaps(segments, projects, YEARS, POLICY), POLICY)
