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
    (precedence)  a batch not before the batch that it follows

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


@dataclass(frozen=True)
class Streets:
    """Rows of (batch, street) that open the street, and the years for which a cut closes it (1: no rule).

    Two cuts of a street are either in one year or at least `closed_years` years apart.
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
    """A limit by place and year: kilometres of crews, households without supply."""

    code: str
    amount: Floats
    place: Rows
    cap: Floats


@dataclass(frozen=True)
class Floor:
    """A least amount by place over all years: the share of a district, or methane avoided by the whole plan."""

    code: str
    amount: Floats
    place: Rows
    floor: Floats


@dataclass(frozen=True)
class Bonuses:
    """Pairs of batches that are worth more (or cheaper in value) together: `value` by pair and year, at least zero."""

    first: Rows
    second: Rows
    value: Floats


def _no_rows() -> Rows:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Model:
    """A planning model; arrays by batch and year have the shape (batches, years).

    Batches stand in the order of their ids: ties are broken by it, so the order of input never decides.
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
