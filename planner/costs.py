"""What renewal costs, and what going together with a project saves."""

from __future__ import annotations

from collections.abc import Sequence
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
    """Yuan per metre of each segment: pipe with its trench, the trench in it, and making the surface good again."""

    pipe_cny_per_m: Floats
    trench_cny_per_m: Floats
    trench_width_m: Floats
    surface_cny_per_m2: Floats

    @property
    def reinstatement_cny_per_m(self) -> Floats:
        """Making the surface good again, over the width of the trench."""
        return self.surface_cny_per_m2 * self.trench_width_m

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


@dataclass(frozen=True)
class PriceRows:
    """Which entry of the price list holds for each segment."""

    pipe: Rows
    surface: Rows


def price_rows(segments: pd.DataFrame, prices: Prices) -> PriceRows:
    """Return the rows of the pipe and surface tables by diameter and surface; unknown values take the default."""
    surface = rows_of(text_column(segments, "surface"), [price.code for price in prices.surface])
    return PriceRows(band_rows(segments, prices, [price.maximum_mm for price in prices.pipe]), surface)


def band_rows(segments: pd.DataFrame, prices: Prices, maximum_mm: Sequence[float | None]) -> Rows:
    """Return the diameter band of each segment, tops included; unknown diameters take the default of the list."""
    diameter = number_column(segments, "diameter_mm")
    diameter = np.where(np.isnan(diameter), prices.unknown_diameter_mm.value, diameter)
    tops = np.array([np.inf if top is None else top for top in maximum_mm])
    return np.searchsorted(tops, diameter, side="left").astype(np.int64)


def rows_of(values: pd.Series, codes: Sequence[str]) -> Rows:
    """Return the place of each value among the codes; what is missing or not listed is `unknown`."""
    place = pd.Index(codes).get_indexer(pd.Index(values.fillna("unknown").astype("object")))
    return np.where(place < 0, list(codes).index("unknown"), place).astype(np.int64)


def unit_costs(segments: pd.DataFrame, prices: Prices) -> UnitCosts:
    """Return the unit costs by diameter band and surface; unknown values take the documented default.

    The trench has its own price by diameter where the list has one, else the share `trench_share` of the pipe.
    """
    rows = price_rows(segments, prices)
    pipe = np.array([price.price_cny_per_m for price in prices.pipe])[rows.pipe]
    width_m = np.array([price.trench_width_m for price in prices.pipe])[rows.pipe]
    surface = np.array([price.price_cny_per_m2 for price in prices.surface])[rows.surface]
    trench = prices.trench_share.value * pipe
    if prices.value is not None:
        band = band_rows(segments, prices, [price.maximum_mm for price in prices.value.trench])
        trench = np.array([price.price_cny_per_m for price in prices.value.trench])[band]
    return UnitCosts(pipe, trench, width_m, surface)


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
    opened = opened_ground(projects, policy)[project]
    per_m = np.where(opened == "none", 0.0, costs.reinstatement_cny_per_m[row])
    per_m = per_m + np.where(opened == "full_trench", costs.trench_cny_per_m[row], 0.0)
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


def opened_ground(projects: pd.DataFrame, policy: Policy) -> NDArray[np.object_]:
    """Return what each project opens: as it says, else the default of the policy for its kind."""
    stated = text_column(projects, "opens_ground").replace("unknown", np.nan)
    by_kind = {opened.code: opened.opens_ground for opened in policy.planning.opens_ground}
    default = projects["kind"].map(by_kind).fillna(by_kind["unknown"])
    return stated.fillna(default).to_numpy(dtype=object)
