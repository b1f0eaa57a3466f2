"""The full planning model as arrays: which batch in which year, under what it must keep.

With x[g, t] = 1 where batch g is done in year t, z[r, t] = 1 where street r is opened and y[a, t] = 1 where site a is
set up:

    max  sum value x + sum bonus (both of a pair in one year)
    (items)       each item lies in at most one placed batch; a due item in exactly one, by its deadline
    (budget)      sum cost x + sum site_cost y  <=  budget of the year + what is carried from the year before
    (streets)     x <= z;  z of the years closer than `closed_years` to each other: at most one
    (sites)       x <= y
    (caps)        sum of an amount over the batches of a place in a year  <=  its cap
    (floors)      sum of an amount over the batches of a place and all years  >=  its floor
    (precedence)  an item only in or after the year of the item that it follows

Years are positions from 0. A place, street or site of -1 is none. The formulation follows common practice of multi-year
set packing with knapsack rows; Nafi and Kleiner (2010) plan adjacent works with economies of scale in the same manner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]

NONE: Final = -1
# how far a sum may pass its limit, as a share of it: rounding of floating point, no more
SLACK_SHARE: Final = 1e-9


@dataclass(frozen=True)
class Packing:
    """What may lie in one placed batch only: rows of (item, batch), and the deadline of each item.

    An item is a segment, or a set of segments that lie in exactly the same batches. Every batch holds at least one
    item, so that it is placed at most once. `deadline` is the last year in which the item may be done, where it must
    be done; -1 where it need not be done.
    """

    item: Rows
    batch: Rows
    deadline: Rows

    @classmethod
    def disjoint(cls, deadline: Rows) -> Packing:
        """Every batch is an item of its own."""
        each = np.arange(len(deadline), dtype=np.int64)
        return cls(each, each, deadline)

    def done(self, year: Rows) -> Rows:
        """Return the year in which each item is done, by the years of the batches; -1 where it is not."""
        done = np.full(len(self.deadline), NONE, dtype=np.int64)
        np.maximum.at(done, self.item, year[self.batch])
        return done


@dataclass(frozen=True)
class Streets:
    """Rows of (batch, street) that open the street, and the years for which a cut closes it (1: no rule).

    `closed_years` is by street, the others by row. Two cuts of a street are either in one year or at least
    `closed_years` years apart.
    """

    batch: Rows
    street: Rows
    closed_years: Rows


@dataclass(frozen=True)
class Sites:
    """The site of each batch, and what it costs to set up a site in a year in which any of its batches is done."""

    site: Rows
    cost_cny: Floats


@dataclass(frozen=True)
class Cap:
    """A limit by place and year: kilometres of crews, households without supply.

    `amount` is by batch, or by batch and year, and at least zero; `place` by batch; `cap` has the shape
    (places, years), where infinity is no limit.
    """

    code: str
    amount: Floats
    place: Rows
    cap: Floats


@dataclass(frozen=True)
class Floor:
    """A least amount by place over all years: the share of a district, or methane avoided by the whole plan.

    `amount` is by batch, or by batch and year, and at least zero; `place` by batch; `floor` by place.
    """

    code: str
    amount: Floats
    place: Rows
    floor: Floats


@dataclass(frozen=True)
class Bonuses:
    """Pairs of batches that are worth more together: `value` by pair and year, at least zero."""

    first: Rows
    second: Rows
    value: Floats


def _no_rows() -> Rows:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Model:
    """A planning model; arrays by batch and year have the shape (batches, years).

    Batches stand in the order of their ids: ties are broken by it, so the order of input never decides. Costs are at
    least zero; money left over at the end of a year is carried to the next by `carried_share`, also what was carried
    before. `precedence` is two arrays, item and the item that it follows: it is done only where the other is done in
    the same year or before.
    """

    value: Floats
    cost_cny: Floats
    is_open: Flags
    budget_cny: Floats
    packing: Packing
    carried_share: float = 0.0
    streets: Streets = field(default_factory=lambda: Streets(_no_rows(), _no_rows(), _no_rows()))
    sites: Sites | None = None
    caps: tuple[Cap, ...] = ()
    floors: tuple[Floor, ...] = ()
    bonuses: Bonuses | None = None
    precedence: tuple[Rows, Rows] = field(default_factory=lambda: (_no_rows(), _no_rows()))

    @property
    def shape(self) -> tuple[int, int]:
        """How many batches and years there are."""
        return self.value.shape[0], self.value.shape[1]

    def deadline_of_batches(self) -> Rows:
        """Return the last year in which each batch may be done: the earliest deadline among its due items, or -1."""
        never = self.shape[1]
        due = self.packing.deadline[self.packing.item]
        last = np.full(self.shape[0], never, dtype=np.int64)
        np.minimum.at(last, self.packing.batch, np.where(due >= 0, due, never))
        return np.where(last < never, last, NONE)

    def batches_before(self, given: Flags) -> Flags:
        """Tell which batches hold an item that some of the given batches follow, directly or not."""
        packing, (late, early) = self.packing, self.precedence
        before = np.zeros(self.shape[0], dtype=bool)
        is_followed = np.zeros(len(packing.deadline), dtype=bool)
        for _ in range(len(late)):
            is_done = np.zeros(len(packing.deadline), dtype=bool)
            is_done[packing.item[(given | before)[packing.batch]]] = True
            newly = early[is_done[late]]
            if is_followed[newly].all():
                break
            is_followed[newly] = True
            before[packing.batch[is_followed[packing.item]]] = True
        return before

    def fund_cny(self) -> Floats:
        """Return the money there is in each year if nothing was spent before."""
        fund = np.zeros(self.shape[1])
        kept = 0.0
        for year, budget in enumerate(self.budget_cny):
            kept = float(budget) + self.carried_share * kept
            fund[year] = kept
        return fund

    def reachable(self) -> Flags:
        """Tell which (batch, year) may be in a plan: open, of known value, in time, and within the money there is."""
        years = np.arange(self.shape[1])
        last = self.deadline_of_batches()[:, None]
        in_time = (last == NONE) | (years <= last)
        payable: Flags = self.cost_cny <= self.fund_cny() * (1.0 + SLACK_SHARE)
        may: Flags = self.is_open & np.isfinite(self.value) & in_time & payable
        return may


def by_year(amount: Floats, years: int) -> Floats:
    """Return an amount by batch and year from one by batch, or as it is."""
    return amount if amount.ndim == 2 else np.repeat(amount[:, None], years, axis=1)
