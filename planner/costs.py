"""What renewal costs, and what going together with a project saves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Floats, number_column, text_column
from planner.policy import Policy
from planner.policy_models import Prices

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class UnitCosts:
    """Yuan per metre of each segment: pipe with its trench, and making the surface good again."""

    pipe_cny_per_m: Floats
    reinstatement_cny_per_m: Floats

    @property
    def total_cny_per_m(self) -> Floats:
        """Pipe, trench and reinstatement together."""
        return self.pipe_cny_per_m + self.reinstatement_cny_per_m


@dataclass(frozen=True)
class Savings:
    """The best saving of a segment in a year: one project each, never two for the same metres."""

    row: Rows
    year: Rows
    project: NDArray[np.object_]
    overlap_m: Floats
    saving_cny: Floats


def unit_costs(segments: pd.DataFrame, prices: Prices) -> UnitCosts:
    """Return the unit costs by diameter band and surface; unknown values take the documented default."""
    diameter = number_column(segments, "diameter_mm")
    diameter = np.where(np.isnan(diameter), prices.unknown_diameter_mm.value, diameter)
    tops = np.array([np.inf if price.maximum_mm is None else price.maximum_mm for price in prices.pipe])
    band = np.searchsorted(tops, diameter, side="left")
    pipe = np.array([price.price_cny_per_m for price in prices.pipe])[band]
    width_m = np.array([price.trench_width_m for price in prices.pipe])[band]
    tariff = {price.code: price.price_cny_per_m2 for price in prices.surface}
    surface = text_column(segments, "surface").map(tariff).to_numpy(dtype="float64", na_value=np.nan)
    surface = np.where(np.isnan(surface), tariff["unknown"], surface)
    return UnitCosts(pipe, surface * width_m)


def find_savings(
    segments: pd.DataFrame,
    pairs: pd.DataFrame,
    projects: pd.DataFrame,
    years: range,
    costs: UnitCosts,
    policy: Policy,
) -> Savings:
    """Find for every segment and planning year the project whose joint work saves most.

    A project that opens the paving saves the reinstatement of the overlapped metres; one that opens the trench saves
    the trench as well. It saves in every planning year in which it is on site. Pairs of segments that are not given
    are left out.

    Misleads where project and renewal cannot share the site in practice: no agreement is looked at here.
    """
    row = segments.index.get_indexer(pd.Index(pairs["segment_id"]))
    project = projects.index.get_indexer(pd.Index(pairs["project_id"]))
    meets = pairs["meets_years"].to_numpy(dtype=bool) & (row >= 0) & (project >= 0)
    row, project = row[meets], project[meets]
    overlap_m = pairs["overlap_m"].to_numpy(dtype="float64")[meets]
    opened = _opened_ground(projects, policy)[project]
    per_m = np.where(opened == "none", 0.0, costs.reinstatement_cny_per_m[row])
    per_m = per_m + np.where(opened == "full_trench", policy.prices.trench_share.value * costs.pipe_cny_per_m[row], 0.0)
    first = pairs["first_year"].to_numpy(dtype="float64", na_value=np.nan)[meets].astype(np.int64) - years[0]
    last = pairs["last_year"].to_numpy(dtype="float64", na_value=np.nan)[meets].astype(np.int64) - years[0]
    spread, year = _each_year(first, last)
    names = projects.index.to_numpy(dtype=object)[project][spread]
    saving = (per_m * overlap_m)[spread]
    order = np.lexsort((names.astype(str), -overlap_m[spread], -saving, year, row[spread]))
    row, year = row[spread][order], year[order]
    is_best = np.ones(len(row), dtype=bool)
    is_best[1:] = (row[1:] != row[:-1]) | (year[1:] != year[:-1])
    is_best &= saving[order] > 0
    best = order[is_best]
    return Savings(row[is_best], year[is_best], names[best], overlap_m[spread][best], saving[best])


def _each_year(first: Rows, last: Rows) -> tuple[Rows, Rows]:
    """Repeat every pair for each of its years: the row of the pair, and the year."""
    count = np.maximum(last - first + 1, 0)
    spread = np.repeat(np.arange(len(first)), count)
    step = np.arange(len(spread)) - np.repeat(np.cumsum(count) - count, count)
    return spread, (first[spread] + step).astype(np.int64)


def _opened_ground(projects: pd.DataFrame, policy: Policy) -> NDArray[np.object_]:
    """What each project opens: as it says, else the default of the policy for its kind."""
    stated = text_column(projects, "opens_ground").replace("unknown", np.nan)
    by_kind = {opened.code: opened.opens_ground for opened in policy.planning.opens_ground}
    default = projects["kind"].map(by_kind).fillna(by_kind["unknown"])
    return stated.fillna(default).to_numpy(dtype=object)
