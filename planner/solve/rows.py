"""Sparse rows and columns of a linear model: what they are, a part of them, and the bound that any prices prove."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy.sparse import coo_array, csr_array

from planner.solve.model import Flags, Floats, Rows


class Family(IntEnum):
    """Which rule of the model a row states."""

    ITEM = 0
    BUDGET = 1
    STREET = 2
    WINDOW = 3
    SITE = 4
    CAP = 5
    FLOOR = 6
    FOLLOWS = 7
    BONUS = 8


# rows that say nothing once none of their (batch, year) columns is there
LINKS = (Family.STREET, Family.SITE)


@dataclass(frozen=True, kw_only=True)
class Program:
    """Maximise `objective` x within `row_lower` <= matrix x <= `row_upper` and 0 <= x <= `upper`."""

    objective: Floats
    upper: Floats
    is_whole: Flags
    matrix: csr_array
    row_lower: Floats
    row_upper: Floats


@dataclass(frozen=True, kw_only=True)
class Linear(Program):
    """A planning model as a program.

    The first columns are the open (batch, year) in order of batch and year; then come streets opened, sites set up,
    pairs done together and money carried. `key` and `part` tell which item, place and year a row is of; a row was
    divided by `row_scale`.
    """

    batch: Rows
    year: Rows
    row_scale: Floats
    family: Rows
    part: Rows
    key: Rows
    carries: int

    @property
    def choices(self) -> int:
        """How many (batch, year) columns there are."""
        return len(self.batch)


class RowStack:
    """Rows that are gathered family by family."""

    def __init__(self) -> None:
        self._entries: list[tuple[Rows, Rows, Floats]] = []
        self._rows: list[tuple[Rows, Rows, Rows, Floats, Floats, Floats]] = []
        self._count = 0

    def add(
        self,
        family: Family,
        entries: tuple[Rows, Rows, Floats],
        limits: tuple[Floats, Floats],
        *,
        key: Rows,
        part: int = 0,
        scale: Floats | None = None,
    ) -> None:
        """Add rows: entries as (row from 0, column, value), and the least and the most of each row."""
        row, column, value = entries
        count = len(key)
        per_row = np.ones(count) if scale is None else scale
        self._entries.append((row + self._count, column, value / per_row[row]))
        low, high = limits
        kinds = np.full(count, int(family), dtype=np.int64), np.full(count, part, dtype=np.int64)
        self._rows.append((*kinds, key.astype(np.int64), low / per_row, high / per_row, per_row))
        self._count += count

    def matrix(self, columns: int) -> csr_array:
        """Return all rows as a sparse matrix."""
        row, column, value = (np.concatenate(parts) for parts in zip(*self._entries, strict=True))
        return coo_array((value, (row, column)), shape=(self._count, columns)).tocsr()

    def columns_of_rows(self) -> tuple[Rows, Rows, Rows, Floats, Floats, Floats]:
        """Return family, part, key, least, most and scale of all rows."""
        family, part, key, low, high, scale = (np.concatenate(parts) for parts in zip(*self._rows, strict=True))
        return family, part, key, low, high, scale


def part_of(linear: Linear, keep: Flags) -> tuple[Linear, Rows, Rows]:
    """Return the model on some of its columns, the others at zero, and the positions of its columns and rows.

    Links that have lost all their (batch, year) columns are left out: they only say that something is at least zero.
    """
    columns = np.flatnonzero(keep)
    matrix = linear.matrix[:, columns]
    choices = int(keep[: linear.choices].sum())
    pattern = csr_array((np.ones(len(matrix.indices)), matrix.indices, matrix.indptr), shape=matrix.shape)
    held = pattern[:, :choices] @ np.ones(choices)
    says_nothing = np.isin(linear.family, [int(family) for family in LINKS]) & (held == 0)
    rows = np.flatnonzero(~says_nothing)
    of_choices = columns[:choices]
    small = Linear(
        objective=linear.objective[columns],
        upper=linear.upper[columns],
        is_whole=linear.is_whole[columns],
        matrix=csr_array(matrix[rows]),
        row_lower=linear.row_lower[rows],
        row_upper=linear.row_upper[rows],
        batch=linear.batch[of_choices],
        year=linear.year[of_choices],
        row_scale=linear.row_scale[rows],
        family=linear.family[rows],
        part=linear.part[rows],
        key=linear.key[rows],
        carries=linear.carries,
    )
    return small, columns, rows


def fitting(linear: Program, price: Floats) -> Floats:
    """Return prices with the sign that their rows allow: at least zero for a limit, at most zero for a floor."""
    price = np.where(np.isfinite(linear.row_upper), price, np.minimum(price, 0.0))
    return np.where(np.isfinite(linear.row_lower), price, np.maximum(price, 0.0))


def reduced_objective(linear: Program, price: Floats) -> Floats:
    """Return the objective of each column less what it takes of the rows, at their prices."""
    reduced: Floats = linear.objective - linear.matrix.T @ price
    return reduced


def proven_bound(linear: Program, price: Floats) -> float:
    """Return the upper bound that prices of fitting sign prove, by weak duality; infinite where a column has no end."""
    limit = np.where(price > 0, linear.row_upper, np.where(price < 0, linear.row_lower, 0.0))
    gain = np.maximum(reduced_objective(linear, price), 0.0)
    taken = gain > 0
    return float(price @ limit + gain[taken] @ linear.upper[taken])
