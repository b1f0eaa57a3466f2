"""A bound over all batches that could be formed, not only those of a pool: no plan under the budgets exceeds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from planner.factors import Floats
from planner.groups import group_segments
from planner.policy import Policy
from planner.pool_graph import components, numbered

_PLANES: Final = 400
# the bound is this close, as a share, to the best that prices can give
_CLOSE: Final = 1e-7


@dataclass(frozen=True)
class PoolFreeBound:
    """The bound, and what one more yuan is worth at most in each year."""

    value: float
    worth_per_cny: Floats


def pool_free_bound(
    value: Floats,
    cost_cny: Floats,
    site_share: Floats,
    mobilisation_cny: float,
    budget_cny: Floats,
    carried_share: float = 0.0,
) -> PoolFreeBound:
    """Bound the value of every plan of batches that keep the lengths of the policy, whatever the batches.

    Each batch pays for its site once. A segment that makes up a share of the longest batch it can lie in is charged
    that share of a site: the shares of a batch never add up to more than one, so no batch is charged more than it
    pays, and segments taken one by one with these charges do at least as well as any plan. Their best choice in parts
    is a linear program; the bound is the value of its Lagrange dual at the best prices found, so it holds by weak
    duality even if these are not the very best. What costs more with its site than a year can spend is closed.

    Only budgets are looked at: what else a plan must keep can only lower the optimum. Misleads where batches share a
    site and so pay less than once each, or are worth more together than their segments: the bound does not hold then.

    Parameters
    ----------
    value, cost_cny
        By segment and year, the cost without the site and less what a project saves; a value that is not finite, or
        not positive, closes the year.
    site_share
        By segment, from `site_shares`.
    budget_cny
        By year; of what is left, and was carried over, the share `carried_share` goes into the next year.
    """
    charged = cost_cny + (mobilisation_cny * site_share)[:, None]
    fits = cost_cny + mobilisation_cny <= _most_to_spend(budget_cny, carried_share) * (1 + 1e-9)
    is_open = np.isfinite(value) & (value > 0) & fits
    return _lowest(np.where(is_open, value, -np.inf), charged, np.asarray(budget_cny, dtype=np.float64), carried_share)


def _most_to_spend(budget_cny: Floats, carried_share: float) -> Floats:
    """Return what each year could spend if all years before it spent nothing."""
    most = np.array(budget_cny, dtype=np.float64)
    for year in range(1, len(most)):
        most[year] += carried_share * most[year - 1]
    return most


def _lowest(value: Floats, charged: Floats, budget_cny: Floats, carried_share: float) -> PoolFreeBound:
    """Return the lowest dual value found by cutting planes (Kelley 1960) over the prices of the years.

    Every price of at least zero gives a bound, provided that money which can wait is never worth less than its carried
    share is later; the planes only tell where to look next.
    """
    years = len(budget_cny)
    highest = np.max(np.where(np.isfinite(value), value, 0.0) / np.maximum(charged, 1.0), axis=0, initial=0.0)
    for year in range(years - 2, -1, -1):
        highest[year] = max(highest[year], carried_share * highest[year + 1])
    # prices in shares of the highest, the row of a carried share: later * carried - earlier <= 0
    scale = np.where(highest > 0, highest, 1.0)
    waits = carried_share * np.eye(years, k=1)[:-1] * scale - np.eye(years)[:-1] * scale
    planes: list[Floats] = []
    heights: list[float] = []
    best = PoolFreeBound(float("inf"), np.zeros(years))
    price = np.zeros(years)
    for _ in range(_PLANES):
        height, slope = _dual(value, charged, budget_cny, price)
        if height < best.value:
            best = PoolFreeBound(height, price)
        planes.append(np.append(slope * scale, -1.0))
        heights.append(float((slope * price).sum()) - height)
        rows = np.vstack([*planes, np.column_stack([waits, np.zeros(years - 1)])])
        solved = linprog(
            np.append(np.zeros(years), 1.0),
            A_ub=rows,
            b_ub=np.append(np.array(heights), np.zeros(years - 1)),
            bounds=[*[(0.0, 1.0)] * years, (0.0, None)],
            method="highs",
        )
        if solved.status != 0 or solved.fun is None:
            break
        price = np.asarray(solved.x, dtype=np.float64)[:years] * scale
        for year in range(years - 2, -1, -1):
            price[year] = max(price[year], carried_share * price[year + 1])
        if best.value - float(solved.fun) <= _CLOSE * max(best.value, 1e-12):
            break
    return best


def _dual(value: Floats, charged: Floats, budget_cny: Floats, price: Floats) -> tuple[float, Floats]:
    """Return the dual value at some prices and its slope: what the budgets leave over."""
    gain = value - charged * price
    rows, year = np.arange(len(value)), np.argmax(gain, axis=1)
    most = gain[rows, year]
    chosen = most > 0
    spent = np.bincount(year[chosen], weights=charged[rows, year][chosen], minlength=len(budget_cny))
    return float(most[chosen].sum() + (price * budget_cny).sum()), budget_cny - spent


def site_shares(segments: gpd.GeoDataFrame, policy: Policy) -> Floats:
    """Return which share each candidate makes up of the longest batch it can lie in, in the order of `segments`.

    That is its compound, or for a run the longest run of the policy, or all that hangs together with it where that is
    less; a segment longer than that is a batch of its own.
    """
    groups = group_segments(segments, policy)
    is_compound = (groups["kind"] == "compound").to_numpy(dtype=bool)
    length_m = segments["length_m"].to_numpy(dtype="float64")
    place = numbered(segments["medium"].astype("str"), groups["place"].astype("object"))
    in_compound = np.bincount(place, length_m * is_compound)[place]
    runs = np.flatnonzero(~is_compound)
    hanging = components(segments.iloc[runs], policy)
    longest_m: NDArray[Any] = in_compound.copy()
    longest_m[runs] = np.minimum(np.bincount(hanging, length_m[runs])[hanging], policy.groups.maximum_run_m.value)
    longest_m = np.maximum(longest_m, length_m)
    shares: Floats = length_m / np.where(longest_m > 0, longest_m, 1.0)
    return shares
