"""Solve a large model without whole numbers on the columns that matter, with a bound that holds for all of them.

Sifting (Bixby and others 1992): solve on some columns, look at the others at the prices found, add those that would
pay, again. At any time the prices prove a bound over all columns (`proven_bound`). A link that is left out with its
columns is priced so that its opener bears what they would gain, which asks only for those that pay together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from planner.solve.highs import AT_LOWER, BASIC, Basis, solve_relaxed
from planner.solve.model import NONE, Flags, Floats, Rows
from planner.solve.rows import LINKS, Family, Linear, fitting, part_of, proven_bound, reduced_objective
from planner.solve.search import Search

_FIRST_COLUMNS: Final = 12_000
_MOST_ADDED: Final = 15_000
_ROUNDS: Final = 12


@dataclass(frozen=True)
class Sifted:
    """Prices of all rows, and the columns of the relaxed solution; infeasible where there is no solution at all."""

    is_infeasible: bool
    price: Floats
    point: Floats | None


class Start:
    """The basis of the last solution over all columns and rows: those that were left out are at nought, and free."""

    def __init__(self, columns: int, rows: int) -> None:
        self._column: Final = np.full(columns, AT_LOWER, dtype=np.int64)
        self._row: Final = np.full(rows, BASIC, dtype=np.int64)
        self._is_known = False

    def of(self, columns: Rows, rows: Rows) -> Basis | None:
        """Return the basis of a part to begin with; None before there is a solution."""
        return Basis(self._column[columns], self._row[rows]) if self._is_known else None

    def take(self, columns: Rows, rows: Rows, basis: Basis | None) -> None:
        """Take the basis of the solution of a part."""
        self._is_known = basis is not None
        if basis is not None:
            self._column[columns], self._row[rows] = basis.column, basis.row


def sift(trail: Search, linear: Linear) -> Sifted:
    """Solve without whole numbers to a part of the gap that is asked for."""
    keep = _first_columns(trail, linear)
    best = np.inf
    price = np.zeros(len(linear.family))
    point: Floats | None = None
    whole = Start(len(keep), len(linear.family))
    for _ in range(_ROUNDS):
        part, columns, rows = part_of(linear, keep)
        relaxed = solve_relaxed(part, seed=trail.limits.seed, basis=whole.of(columns, rows))
        whole.take(columns, rows, relaxed.basis)
        if relaxed.column is None:
            if keep.all():
                return Sifted(relaxed.is_infeasible, price, None)
            keep = np.ones(len(keep), dtype=bool)
            continue
        tried = np.zeros(len(linear.family))
        tried[rows] = relaxed.price
        tried = fitting(linear, _priced_links(linear, keep, tried))
        bound = proven_bound(linear, tried)
        if bound < best:
            best, price = bound, tried
            trail.lower(bound)
        point = np.zeros(len(keep))
        point[columns] = relaxed.column
        gain = np.where(keep, 0.0, reduced_objective(linear, tried))
        gain[linear.choices :] = 0.0
        if best - relaxed.bound <= 0.1 * trail.limits.gap_share * abs(best) or not (gain > 0).any():
            break
        keep = keep | _pays(linear, keep, gain, tried)
    return Sifted(False, price, point)


def _first_columns(trail: Search, linear: Linear) -> Flags:
    """Take what is due, the plan in hand, and the choices of the most value per cost of each item."""
    model = trail.model
    choices = linear.choices
    keep = np.ones(len(linear.objective), dtype=bool)
    if choices <= _FIRST_COLUMNS * 2:
        return keep
    keep[:choices] = model.deadline_of_batches()[linear.batch] != NONE
    if trail.found.year is not None:
        keep[:choices] |= trail.found.year[linear.batch] == linear.year
    ratio = model.value[linear.batch, linear.year] / np.maximum(model.cost_cny[linear.batch, linear.year], 1e-9)
    item_of_batch = np.full(model.shape[0], 0, dtype=np.int64)
    item_of_batch[model.packing.batch] = model.packing.item
    item = item_of_batch[linear.batch]
    order = np.lexsort((-ratio, item))
    start = np.searchsorted(item[order], item[order])
    rank = np.empty(choices)
    rank[order] = np.arange(choices) - start
    score = np.lexsort((-ratio, rank))[:_FIRST_COLUMNS]
    keep[score] = True
    return keep


def _absent_links(linear: Linear, keep: Flags) -> Rows:
    """Return the links of which no (batch, year) column is kept."""
    links = np.flatnonzero(np.isin(linear.family, [int(family) for family in LINKS]))
    held = csr_array(linear.matrix[links][:, : linear.choices]) @ keep[: linear.choices].astype(np.float64)
    absent: Rows = links[held < 0.5]
    return absent


def _priced_links(linear: Linear, keep: Flags, price: Floats) -> Floats:
    """Let the openers of absent links bear what the columns behind them would gain."""
    for family in LINKS:
        links = _absent_links(linear, keep)
        links = links[linear.family[links] == int(family)]
        if not len(links):
            continue
        gain = np.maximum(reduced_objective(linear, price)[: linear.choices], 0.0)
        behind = csr_array(linear.matrix[links][:, : linear.choices])
        price = price.copy()
        price[links] = _largest(behind, gain)
    return price


def _largest(behind: csr_array, gain: Floats) -> Floats:
    """Return the largest gain of each row's columns."""
    weighted = csr_array((gain[behind.indices], behind.indices, behind.indptr), shape=behind.shape)
    return np.asarray(weighted.max(axis=1).toarray(), dtype=np.float64).ravel()


def _pays(linear: Linear, keep: Flags, gain: Floats, price: Floats) -> Flags:
    """Return the columns to add: those that gain, and those behind openers that gain; bonuses come with both ends."""
    add = np.zeros(len(keep), dtype=bool)
    openers = np.flatnonzero(reduced_objective(linear, price)[linear.choices :] > 0) + linear.choices
    if len(openers):
        links = _absent_links(linear, keep)
        behind = linear.matrix[links]
        opened = csr_array(behind[:, openers]) @ np.ones(len(openers)) < 0
        bare = np.where(linear.family == int(Family.STREET), 0.0, price)
        bare[linear.family == int(Family.SITE)] = 0.0
        useful = reduced_objective(linear, bare)[: linear.choices] > 0
        behind_opened = np.unique(csr_array(behind[np.flatnonzero(opened)][:, : linear.choices]).indices)
        add[behind_opened[useful[behind_opened]]] = True
    best = np.argsort(-gain, kind="stable")[:_MOST_ADDED]
    add[best[gain[best] > 0]] = True
    return add
