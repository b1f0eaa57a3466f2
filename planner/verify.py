"""The independent checker of a finished plan: reads frames alone and says what the plan does not keep.

It shares no code with the solver nor with what makes batches, and is slow and obvious on purpose: plain loops over a
plan, one rule after the other. What a plan must keep is stated as plain values; what is not stated is not checked.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd

from planner.verify_findings import Finding, findings_frame
from planner.verify_limits import check_budget, check_caps, check_deadlines, check_floors, check_second_cuts
from planner.verify_plan import PlanView
from planner.verify_shape import check_batches, check_frames, check_isolation, check_lengths, check_packing
from planner.verify_years import check_bans, check_decisions, check_locks, check_precedence


@dataclass(frozen=True)
class Promises:
    """What a plan must keep, as plain values.

    `prices` has one row per segment: `cost_cny_per_m` with pipe, trench and surface, and of it what a project saves,
    `reinstatement_cny_per_m` and `trench_cny_per_m`. `opens_ground` says by project what it opens: `none`, `paving`,
    `full_trench`. Series by segment: `apart` (batches mix no two labels), `streets`, `districts`, `deadlines` (last
    year), `locks` (the year), `isolation` (the section that a run keeps to, missing where it is not known).
    `closed_years` is the time within which a street is not cut twice, or such a time by street. Caps are by district:
    households in a year, kilometres in a year. `floors` has `district` (missing: the whole plan), `measure` (`km`,
    `cost_cny`, `risk_per_year` or `household_count`) and `floor`. `precedence` has `first_id` and `then_id`: the
    second segment not before the first. `closed` has `segment_id`, `starts_on` and `ends_on`; `bans` is the frame of
    that name.
    """

    years: range
    budget_cny: Sequence[float]
    end_tolerance_m: float
    longest_m: float
    shortest_m: float = 0.0
    carried_share: float = 0.0
    mobilisation_cny: float = 0.0
    sites: Mapping[str, str] = field(default_factory=dict)
    prices: pd.DataFrame | None = None
    pairs: pd.DataFrame | None = None
    opens_ground: Mapping[str, str] = field(default_factory=dict)
    decisions: pd.DataFrame | None = None
    bans: gpd.GeoDataFrame | None = None
    closed: pd.DataFrame | None = None
    least_closed_m: float = 0.0
    least_open_days: int = 1
    apart: pd.Series | None = None
    streets: pd.Series | None = None
    closed_years: int | Mapping[str, int] = 1
    districts: pd.Series | None = None
    km_per_year: float | None = None
    km_per_district_year: Mapping[str, float] = field(default_factory=dict)
    households_per_district_year: Mapping[str, float] = field(default_factory=dict)
    deadlines: pd.Series | None = None
    floors: pd.DataFrame | None = None
    precedence: pd.DataFrame | None = None
    locks: pd.Series | None = None
    isolation: pd.Series | None = None


def verify_plan(
    segments: gpd.GeoDataFrame, batches: pd.DataFrame, batch_segments: pd.DataFrame, promises: Promises
) -> pd.DataFrame:
    """Return what a plan does not keep, one row per finding; none where all is kept.

    Misleads where a promise is not stated: nothing is said then. Costs are computed anew from `prices`, `pairs` and
    `opens_ground`, and only where prices are given; without them the costs of the batches count as they stand.

    Parameters
    ----------
    segments
        The segments that the plan could renew, with geometry in metres; neighbours of short batches are looked for
        among them.

    Returns
    -------
    The frame `plan_findings`, in the order of the rules.
    """
    found: list[Finding] = list(check_frames(segments, batches, batch_segments, promises.years))
    if found:
        # nothing can be added up over frames that do not fit together
        return findings_frame(found)
    plan = PlanView(segments, batches, batch_segments)
    found += check_packing(plan)
    found += check_batches(plan, promises.end_tolerance_m, promises.apart)
    found += check_isolation(plan, promises.isolation)
    found += check_lengths(
        plan,
        promises.shortest_m,
        promises.longest_m,
        promises.end_tolerance_m,
        promises.apart,
        promises.isolation,
    )
    found += check_budget(
        plan,
        promises.years,
        promises.budget_cny,
        promises.carried_share,
        _costs(plan, promises),
        promises.mobilisation_cny if promises.prices is not None else 0.0,
        promises.sites,
    )
    found += check_caps(
        plan,
        promises.km_per_year,
        promises.km_per_district_year,
        promises.households_per_district_year,
        promises.districts,
    )
    found += check_second_cuts(plan, promises.streets, promises.closed_years)
    found += check_bans(plan, promises.bans, promises.closed, promises.least_closed_m, promises.least_open_days)
    found += check_decisions(plan, promises.decisions, promises.pairs, promises.years)
    found += check_locks(plan, promises.locks)
    found += check_precedence(plan, promises.precedence)
    found += check_deadlines(plan, promises.deadlines)
    found += check_floors(plan, promises.floors, promises.districts)
    return findings_frame(found)


def _costs(plan: PlanView, promises: Promises) -> dict[str, float]:
    """Return the cost of each placed batch without its site, less the best saving of each segment in its year."""
    prices = promises.prices
    if prices is None:
        return {placed.batch_id: placed.stated_cost_cny for placed in plan.placed}
    price_of = {
        str(row["segment_id"]): row for row in prices.rename_axis("segment_id").reset_index().to_dict("records")
    }
    pairs = plan.pairs_of(promises.pairs)
    apart = _apart_pairs(promises.decisions)
    cost: dict[str, float] = {}
    for placed in plan.placed:
        cost[placed.batch_id] = 0.0
        for segment in placed.segments:
            price = price_of[segment]
            saving = 0.0
            for pair in pairs.get(segment, []):
                if (segment, str(pair["project_id"])) not in apart and _is_on_site(pair, placed.year):
                    opened = promises.opens_ground.get(str(pair["project_id"]), "none")
                    saving = max(saving, _saving_per_m(price, opened) * float(pair["overlap_m"]))
            cost[placed.batch_id] += float(price["cost_cny_per_m"]) * plan.length_m[segment] - saving
    return cost


def _is_on_site(pair: Mapping[str, Any], year: int) -> bool:
    return bool(pair["meets_years"]) and int(pair["first_year"]) <= year <= int(pair["last_year"])


def _saving_per_m(price: Mapping[Hashable, Any], opened: str) -> float:
    reinstatement = float(price["reinstatement_cny_per_m"])
    if opened == "full_trench":
        return reinstatement + float(price["trench_cny_per_m"])
    return reinstatement if opened == "paving" else 0.0


def _apart_pairs(decisions: pd.DataFrame | None) -> set[tuple[str, str]]:
    if decisions is None:
        return set()
    apart = decisions[decisions["verdict"] == "separate"]
    return set(zip(apart["segment_id"].astype(str), apart["project_id"].astype(str), strict=True))
