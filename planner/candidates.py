"""Batches to choose from, with what each is worth and costs in each planning year and what bears on it."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.benefits import PARTS, Benefits, Worth
from planner.classes import CLASS_ORDER
from planner.conditions import NONE, Conditions
from planner.costs import Savings, find_savings, unit_costs
from planner.factors import Flags, Floats
from planner.members import Members, Rows
from planner.policy import Policy


@dataclass(frozen=True)
class Priced:
    """Segments of a plan, in the order of their ids: what each is worth, costs and saves, and what bears on it.

    Parameters
    ----------
    alone_cny
        Cost by segment without any project and without setting up the site.
    severity
        Place of the policy class in its order: 0 is mandatory.
    """

    segments: gpd.GeoDataFrame
    benefits: Benefits
    worth: Worth
    alone_cny: Floats
    savings: Savings
    severity: Rows
    conditions: Conditions
    mobilisation_cny: float

    @property
    def length_m(self) -> Floats:
        """Length by segment."""
        return self.segments["length_m"].to_numpy(dtype="float64")


def price_segments(  # noqa: PLR0913 - all that the price of a renewal is made from
    segments: gpd.GeoDataFrame,
    scores: pd.DataFrame,
    benefits: Benefits,
    worth: Worth,
    pairs: pd.DataFrame,
    projects: pd.DataFrame,
    conditions: Conditions,
    years: range,
    policy: Policy,
) -> Priced:
    """Price every segment in every year; `scores`, `benefits` and `conditions` are in the order of `segments`."""
    costs = unit_costs(segments, policy.prices)
    severity = pd.Categorical(scores["policy_class"], categories=list(CLASS_ORDER)).codes.astype(np.int64)
    return Priced(
        segments=segments,
        benefits=benefits,
        worth=worth,
        alone_cny=costs.total_cny_per_m * segments["length_m"].to_numpy(dtype="float64"),
        savings=find_savings(segments, pairs, projects, years, costs, policy),
        severity=severity,
        conditions=conditions,
        mobilisation_cny=policy.prices.mobilisation_cny_per_batch.value,
    )


@dataclass(frozen=True)
class Candidates:
    """Batches to choose from; arrays by batch, or by batch and year.

    `is_open` are the years in which every segment of the batch may be dug, whatever projects will ban; `stays_open`
    those that are left with such bans and with what meetings decided.
    """

    members: Members
    segment_length_m: Floats
    value: Floats
    alone_cny: Floats
    saving_cny: Floats
    length_m: Floats
    mandatory_m: Floats
    household_count: Floats
    severity: Rows
    district: Rows
    is_open: Flags
    stays_open: Flags
    parts: dict[str, Floats] = field(default_factory=dict)

    @property
    def cost_cny(self) -> Floats:
        """Cost of each batch in each year: alone, less what a project in that year saves."""
        cost: Floats = self.alone_cny[:, None] - self.saving_cny
        return cost


def make_candidates(priced: Priced, members: Members, households: Floats, agreed_open: Flags) -> Candidates:
    """Add up what segments are worth and cost to batches.

    A batch is open in a year where all of its segments are; its district is the one with most of its metres.
    """
    benefit = priced.benefits.worth(priced.worth)
    saving = np.zeros(benefit.shape)
    saving[priced.savings.row, priced.savings.year] = priced.savings.saving_cny
    stays_open = members.all_of(priced.conditions.stays_open) & agreed_open
    return Candidates(
        members=members,
        segment_length_m=priced.length_m,
        value=members.sums(benefit),
        alone_cny=members.sums(priced.alone_cny) + priced.mobilisation_cny,
        saving_cny=members.sums(saving),
        length_m=members.sums(priced.length_m),
        mandatory_m=members.sums(priced.length_m * (priced.severity == 0)),
        household_count=households,
        severity=members.least(priced.severity, len(CLASS_ORDER) - 1),
        district=_main_district(priced, members),
        is_open=members.all_of(priced.conditions.is_open),
        stays_open=stays_open,
        parts={part: members.sums(priced.benefits.parts[part]) for part in PARTS},
    )


def _main_district(priced: Priced, members: Members) -> Rows:
    district = priced.conditions.district
    count = int(district.max(initial=NONE)) + 1
    main = np.full(members.batch_count, NONE, dtype=np.int64)
    if not count:
        return main
    has_one = district[members.row] >= 0
    row, batch = members.row[has_one], members.batch[has_one]
    cell, place = np.unique(batch * count + district[row], return_inverse=True)
    metres = np.bincount(place, weights=priced.length_m[row])
    # the longest part last, the first district of equal ones last of all
    order = np.lexsort((-(cell % count), metres, cell // count))
    main[cell[order] // count] = cell[order] % count
    return main
