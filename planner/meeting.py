"""All that a coordination meeting needs to know of a city, from the census to the table of pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import geopandas as gpd
import pandas as pd

from planner.ban_changes import BanChanges
from planner.bans import find_bans
from planner.decisions import standing_decisions
from planner.ground import road_classes
from planner.neighbours import find_neighbours
from planner.order import no_order
from planner.overlap import find_overlaps
from planner.overlap_table import Meeting, overlap_table
from planner.policy import Policy
from planner.relations import relate
from planner.value import price_pairs


@dataclass(frozen=True)
class City:
    """Frames of the registry as of one day; `ban_changes` and `order` are those of a scenario."""

    segments: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    pavements: gpd.GeoDataFrame
    projects: gpd.GeoDataFrame
    moratoria: gpd.GeoDataFrame
    decisions: pd.DataFrame
    successions: pd.DataFrame
    ban_changes: BanChanges = field(default_factory=BanChanges)
    order: pd.DataFrame = field(default_factory=no_order)

    def bans(self, policy: Policy, as_of: date) -> gpd.GeoDataFrame:
        """Find the dig bans of the city, as a scenario has changed them."""
        return self.ban_changes.apply(find_bans(self.roads, self.projects, self.moratoria, policy, as_of))

    @property
    def paved(self) -> gpd.GeoDataFrame | None:
        """The pavements, or None where none are known: corridors then have the half width of the policy."""
        return None if self.pavements.empty else self.pavements


@dataclass(frozen=True)
class Prepared:
    """What was prepared for a meeting: frames by the contracts of their names; `table` has `overlap_table`."""

    pairs: pd.DataFrame
    pair_times: pd.DataFrame
    pair_values: pd.DataFrame
    neighbours: pd.DataFrame
    bans: gpd.GeoDataFrame
    table: pd.DataFrame


def prepare_pairs(city: City, years: range, policy: Policy) -> pd.DataFrame:
    """Find the pairs of segments and projects that share ground: the frame `pairs`."""
    return find_overlaps(city.segments, city.projects, years, policy, pavements=city.paved)


def prepare_meeting(
    city: City,
    scores: pd.DataFrame,
    pairs: pd.DataFrame,
    policy: Policy,
    as_of: date,
    planned: pd.DataFrame | None = None,
) -> Prepared:
    """Relate, price and join all pairs; `planned` is the frame `batch_segments` of the plan in force, if any.

    Raises
    ------
    FrameError, PlanningError, PolicyError
        As the functions that it calls.
    """
    bans = city.bans(policy, as_of)
    times = relate(pairs, scores, city.segments, city.projects, bans, policy, as_of)
    classes = road_classes(city.segments, city.roads)
    amounts = price_pairs(city.segments, scores, pairs, times, city.projects, policy, as_of, road_classes=classes)
    neighbours = find_neighbours(city.segments, city.projects, pairs, policy, roads=city.roads, pavements=city.paved)
    decisions = standing_decisions(city.decisions, pairs, city.successions)
    joined = Meeting(pairs, times, amounts, decisions, neighbours, city.segments, scores, city.projects, planned)
    return Prepared(pairs, times, amounts, neighbours, bans, overlap_table(joined))
