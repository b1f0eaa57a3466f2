"""A bound over all batches that could be formed, not only those of a pool: no plan under the budgets exceeds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

from planner.factors import Flags, Floats
from planner.groups import group_segments
from planner.policy import Policy
from planner.pool_graph import components, numbered
from registry.errors import PlanningError


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
    is a linear program; the bound is the value of its Lagrange dual at the prices that the solver returns, so it holds
    by weak duality even if the solver was not exact. What costs more with its site than a year can spend is closed.

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

    Raises
    ------
    PlanningError
        If the solver finds no prices.
    """
    charged = cost_cny + (mobilisation_cny * site_share)[:, None]
    fits = cost_cny + mobilisation_cny <= _most_to_spend(budget_cny, carried_share) * (1 + 1e-9)
    is_open = np.isfinite(value) & (value > 0) & fits
    price = _prices(np.where(is_open, value, 0.0), charged, is_open, budget_cny, carried_share)
    for year in range(len(price) - 2, -1, -1):
        # money that can wait is never worth less than later, else the dual would have no bound
        price[year] = max(price[year], carried_share * price[year + 1])
    gain = np.where(is_open, np.where(is_open, value, 0.0) - charged * price, 0.0)
    best = np.maximum(gain.max(axis=1, initial=0.0), 0.0)
    return PoolFreeBound(float(best.sum() + (price * budget_cny).sum()), price)


def _most_to_spend(budget_cny: Floats, carried_share: float) -> Floats:
    """Return what each year could spend if all years before it spent nothing."""
    most = np.array(budget_cny, dtype=np.float64)
    for year in range(1, len(most)):
        most[year] += carried_share * most[year - 1]
    return most


def _prices(value: Floats, charged: Floats, is_open: Flags, budget_cny: Floats, carried_share: float) -> Floats:
    """Return the dual prices of the budgets where every segment may be done in parts; what is left is a variable."""
    count, years = value.shape
    segment, year = np.nonzero(is_open)
    if not len(segment):
        return np.zeros(years)
    chosen = np.arange(len(segment))
    left = len(segment) + np.arange(years)
    # money in units of a mean budget keeps the program well scaled
    unit = float(budget_cny.mean())
    rows = np.concatenate([segment, count + year, count + np.arange(years), count + np.arange(1, years)])
    columns = np.concatenate([chosen, chosen, left, left[:-1]])
    weights = np.concatenate(
        [np.ones(len(segment)), charged[segment, year] / unit, np.ones(years), np.full(years - 1, -carried_share)]
    )
    # the stubs know no sparse matrices here
    limits: Any = coo_array((weights, (rows, columns)), shape=(count + years, len(segment) + years)).tocsr()
    solved = linprog(
        np.concatenate([-value[segment, year], np.zeros(years)]),
        A_ub=limits,
        b_ub=np.concatenate([np.ones(count), budget_cny / unit]),
        method="highs",
    )
    if solved.status != 0:
        raise PlanningError("plan_bound_unsolved", detail=str(solved.message))
    duals: Floats = np.maximum(-np.asarray(solved.ineqlin.marginals, dtype=np.float64)[count:], 0.0) / unit
    return duals


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
