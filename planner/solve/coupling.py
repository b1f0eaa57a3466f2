"""The rules that hold batches of different places together: budgets, caps and floors, as rows of one form.

Every row says that a use is at most its limit. Money left over is carried on, so that the budget of a year is a limit
of what is spent up to it, earlier spending counted by what would be left of it by then: with s the carried share,
sum over t <= k of s^(k-t) spent_t <= sum over t <= k of s^(k-t) budget_t. A floor is a limit of the negative amount.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from planner.solve.model import NONE, Flags, Floats, Model, Rows, by_year


@dataclass(frozen=True)
class Coupling:
    """Use of each row by each (batch, year), flattened, and by one yuan spent in each year; rows divided by `scale`.

    `uses` has the shape (batches x years, rows), `fades` (rows of budgets, years).
    """

    uses: csr_array
    limit: Floats
    scale: Floats
    fades: Floats
    cap_rows: tuple[Rows, ...]
    floor_rows: tuple[Rows, ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.limit)

    def budget_prices(self, price: Floats) -> Floats:
        """Return what one yuan costs in each year."""
        years = self.fades.shape[1]
        priced: Floats = (price[:years] / self.scale[:years]) @ self.fades
        return priced


def couple(model: Model) -> Coupling:
    """State budgets, caps and floors of a model as rows of one form."""
    batches, years = model.shape
    fades = np.array([[model.carried_share ** (k - t) if t <= k else 0.0 for t in range(years)] for k in range(years)])
    fund = model.fund_cny()
    parts: list[tuple[Rows, Rows, Floats]] = []
    for year in range(years):
        at = np.arange(batches) * years + year
        for late in np.flatnonzero(fades[:, year] > 0).tolist():
            parts += [(at, np.full(batches, late), model.cost_cny[:, year] * fades[late, year])]
    limits = [fund]
    count = years
    cap_rows: list[Rows] = []
    floor_rows: list[Rows] = []
    for cap in model.caps:
        flat = cap.cap.ravel().astype(np.float64)
        cap_rows.append(_numbered(np.isfinite(flat), count))
        slot = cap.place[:, None] * years + np.arange(years)
        where = np.where(cap.place[:, None] != NONE, np.append(cap_rows[-1], NONE)[slot], NONE)
        parts.append(_entries(where, by_year(cap.amount, years)))
        limits.append(flat[np.isfinite(flat)])
        count += len(limits[-1])
    for floor in model.floors:
        floor_rows.append(_numbered(floor.floor > 0, count))
        where = np.repeat(np.append(floor_rows[-1], NONE)[floor.place][:, None], years, axis=1)
        parts.append(_entries(where, -by_year(floor.amount, years)))
        limits.append(-floor.floor[floor.floor > 0])
        count += len(limits[-1])
    at, row, use = (np.concatenate(part) for part in zip(*parts, strict=True))
    limit = np.concatenate(limits)
    scale = np.where(np.abs(limit) > 0, np.abs(limit), max(float(np.abs(limit).max(initial=0.0)), 1.0))
    uses = coo_array((use / scale[row], (at, row)), shape=(batches * years, count)).tocsr()
    return Coupling(uses, limit / scale, scale, fades, tuple(cap_rows), tuple(floor_rows))


def _numbered(is_row: Flags, first: int) -> Rows:
    return np.where(is_row, first + np.cumsum(is_row) - 1, NONE).astype(np.int64)


def _entries(row: Rows, use: Floats) -> tuple[Rows, Rows, Floats]:
    inside = (row != NONE).ravel() & (use != 0).ravel()
    return np.flatnonzero(inside), row.ravel()[inside], use.ravel()[inside]
