"""Models that fall apart into sites once budgets, caps and floors have prices, and the best choice at given prices.

Batches lie in streets and streets in sites, like boxes in boxes. For each site the best set of years in which it is set
up is found by looking at all sets; within it each street takes its best allowed set of years, and within that each
batch its best year, or none. So the choice is exact, and with the priced limits it proves an upper bound of every plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.solve.model import NONE, Flags, Floats, Model, Rows

# 2^8 sets of years by batch are the most that is looked at
_MOST_YEARS: Final = 8


@dataclass(frozen=True)
class Nest:
    """Batches in order of site and street; where each street and each site begins, and what the sites cost.

    `allowed` tells which sets of years (bit masks) a street may be opened in; `is_flat` where neither streets nor
    sites hold any two batches together.
    """

    order: Rows
    street_start: Rows
    site_start: Rows
    site_cost_cny: Floats
    allowed: Flags
    is_due: Flags
    is_flat: bool

    def site_of_rows(self) -> Rows:
        """Return the site of each row of `order`."""
        return self._spread(self._spread(np.arange(len(self.site_start)), self.site_start, len(self.street_start)))

    def _spread(self, value: Rows, start: Rows | None = None, count: int | None = None) -> Rows:
        start = self.street_start if start is None else start
        ends = np.append(start[1:], len(self.order) if count is None else count)
        return np.repeat(value, ends - start)

    def street_of_rows(self) -> Rows:
        """Return the street of each row of `order`."""
        return self._spread(np.arange(len(self.street_start)))

    def site_of_streets(self) -> Rows:
        """Return the site of each street."""
        return self._spread(np.arange(len(self.site_start)), self.site_start, len(self.street_start))


def nest_of(model: Model) -> Nest | None:
    """Return how the batches lie in streets and sites; None where they do not lie in each other or share items."""
    batches, years = model.shape
    may: Flags = np.logical_or.reduce(model.reachable(), axis=1)
    packing = model.packing
    held = np.bincount(packing.item[may[packing.batch]], minlength=1)
    if years > _MOST_YEARS or len(model.precedence[0]) or bool((held > 1).any()):
        return None
    street = _street_of_batches(model, may)
    if street is None:
        return None
    site = _sites_of_batches(model, street)
    if site is None:
        return None
    order = np.lexsort((np.arange(batches), street, site))
    order = order[may[order]]
    if not len(order):
        return None
    of_street, of_site = street[order], site[order]
    street_start = np.flatnonzero(np.diff(of_street, prepend=-1) | np.diff(of_site, prepend=-1))
    site_start = np.flatnonzero(np.diff(of_site[street_start], prepend=-1))
    closed = np.ones(len(street_start), dtype=np.int64)
    named = of_street[street_start] < len(model.streets.closed_years)
    closed[named] = model.streets.closed_years[of_street[street_start][named]]
    costs = np.zeros(len(site_start))
    if model.sites is not None:
        own = model.sites.site[order[street_start[site_start]]]
        costs = np.where(own != NONE, np.append(model.sites.cost_cny, 0.0)[own], 0.0)
    is_flat = len(site_start) == len(order) and not costs.any()
    due = model.deadline_of_batches()[order] != NONE
    return Nest(order, street_start, site_start, costs, _allowed_sets(closed, years), due, is_flat)


def _street_of_batches(model: Model, may: Flags) -> Rows | None:
    """Return the street of each batch, or a street of its own; None where a batch opens two streets that matter."""
    streets = model.streets
    count = len(streets.closed_years)
    own = count + np.arange(model.shape[0])
    if not count:
        return own
    pair = np.unique(np.stack([streets.street, streets.batch])[:, may[streets.batch]], axis=1)
    shared = np.bincount(pair[0], minlength=count) > 1
    pair = pair[:, (shared & (streets.closed_years > 1))[pair[0]]]
    if bool((np.bincount(pair[1], minlength=1) > 1).any()):
        return None
    own[pair[1]] = pair[0]
    return own


def _sites_of_batches(model: Model, street: Rows) -> Rows | None:
    """Return the site of each batch, or one of its street's own; None where batches of a street lie in two sites."""
    count = 0 if model.sites is None else len(model.sites.cost_cny)
    site = count + street
    if model.sites is not None:
        site = np.where(model.sites.site != NONE, model.sites.site, site)
    order = np.lexsort((site, street))
    same_street = np.diff(street[order]) == 0
    return None if bool((np.diff(site[order])[same_street] != 0).any()) else site


def _allowed_sets(closed: Rows, years: int) -> Flags:
    """Tell which sets of years keep the distance of each street: (sets, streets)."""
    sets = np.arange(1 << years)
    shortest = np.full(len(sets), years + 1)
    for apart in range(years - 1, 0, -1):
        shortest[(sets & (sets >> apart)) > 0] = apart
    return shortest[:, None] >= closed[None, :]


def best_choice(nest: Nest, profit: Floats, site_price: Floats) -> tuple[float, Rows, Rows]:
    """Return the best sum of profits less prices of sites, the year of each row of the nest, and the set of each site.

    `profit` is by year and row, minus infinity where closed; `site_price` by year and site. The sum is minus infinity
    where due work has nowhere to go.
    """
    if nest.is_flat:
        year = profit.argmax(axis=0)
        best = profit[year, np.arange(len(year))]
        taken = nest.is_due | (best > 0)
        return float(best[taken].sum()), np.where(taken, year, NONE), np.zeros(len(nest.site_start), dtype=np.int64)
    years, rows = profit.shape
    _, by_street, _, by_site = _tables(nest, profit, site_price)
    site_set = by_site.argmax(axis=0)
    total = float(by_site[site_set, np.arange(len(site_set))].sum())
    open_set = site_set[nest.site_of_streets()]
    inside = (np.arange(1 << years)[:, None] & ~open_set[None, :]) == 0
    street_set = np.where(inside, by_street, -np.inf).argmax(axis=0)[nest.street_of_rows()]
    in_set = ((street_set[None, :] >> np.arange(years)[:, None]) & 1) > 0
    offered = np.where(in_set, profit, -np.inf)
    year = offered.argmax(axis=0)
    gain = offered[year, np.arange(rows)]
    return total, np.where(nest.is_due | (gain > 0), year, NONE), site_set


def _sets_without(year: int, years: int) -> Rows:
    sets = np.arange(1 << years)
    without: Rows = sets[(sets >> year) & 1 == 0]
    return without


def _lift(table: Floats, years: int) -> None:
    """Give each set of years the best of its subsets, in place."""
    for year in range(years):
        without = _sets_without(year, years)
        table[without | (1 << year)] = np.maximum(table[without | (1 << year)], table[without])


def _tables(nest: Nest, profit: Floats, site_price: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the best sums by set of years: of batches, of streets open in just that set, within it, and of sites."""
    years, rows = profit.shape
    best = np.empty((1 << years, rows))
    best[0] = np.where(nest.is_due, -np.inf, 0.0)
    for chosen in range(1, 1 << years):
        rest = chosen & (chosen - 1)
        np.maximum(best[rest], profit[(chosen ^ rest).bit_length() - 1], out=best[chosen])
    by_street = np.add.reduceat(best, nest.street_start, axis=1)
    by_street[~nest.allowed] = -np.inf
    within = by_street.copy()
    _lift(within, years)
    is_in = ((np.arange(1 << years)[:, None] >> np.arange(years)) & 1).astype(np.float64)
    by_site = np.add.reduceat(within, nest.site_start, axis=1) - is_in @ site_price
    return best, by_street, within, by_site


def best_with_each(nest: Nest, profit: Floats, site_price: Floats) -> Floats:
    """Return by how much the best sum changes if a choice is forced, for each year and row; never above zero.

    Minus infinity where the choice is closed.
    """
    if nest.is_flat:
        best = profit.max(axis=0)
        flat: Floats = profit - np.where(nest.is_due, best, np.maximum(best, 0.0))
        return flat
    years, rows = profit.shape
    best, by_street, within, by_site = _tables(nest, profit, site_price)
    street, site = nest.street_of_rows(), nest.site_of_streets()
    top = by_site.max(axis=0)
    loss = np.full((years, rows), -np.inf)
    with np.errstate(invalid="ignore"):
        beside = (by_site - top)[:, site] - within
        for year in range(years):
            without = _sets_without(year, years)
            forced = np.full((1 << years, rows), -np.inf)
            holding = without | (1 << year)
            forced[holding] = by_street[holding][:, street] - best[holding] + profit[year]
            _lift(forced, years)
            sums = (forced + beside[:, street])[holding]
            loss[year] = np.where(np.isnan(sums), -np.inf, sums).max(axis=0)
    loss[~np.isfinite(profit)] = -np.inf
    np.minimum(loss, 0.0, out=loss)
    return loss
