"""What the limits of a model are worth, and what each choice is worth at these prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.solve.dual import Dual, Multipliers
from planner.solve.model import NONE, Floats, Model, by_year
from planner.solve.nest import best_with_each
from planner.solve.rows import Family, Linear, reduced_objective


@dataclass(frozen=True)
class Prices:
    """What one unit more (of a floor: less) of each limit is worth at most, by the proven bound.

    `budget` is by year and yuan, `caps` by place and year, `floors` by place, all at least zero; `item` by item, below
    zero where a duty costs more than it brings. By batch and year: `bonus` is its share of the bonuses of its pairs,
    `profit` its value and bonus less what it pays for budget and caps, and for floors what it is paid; `together` what
    streets, sites and order add or take. `batch` is what its items are worth in any plan. The sum
    profit - batch + together is `reduced`: by so much the bound falls, at least, if the choice is forced; minus
    infinity where it is closed, about zero for what is in the best plans. `bound` is
    the bound that these prices prove; the search may have proven a lower one since.
    """

    bound: float
    budget: Floats
    caps: tuple[Floats, ...]
    floors: tuple[Floats, ...]
    item: Floats
    batch: Floats
    bonus: Floats
    profit: Floats
    together: Floats
    reduced: Floats

    def of_floors(self, model: Model) -> Floats:
        """Return what each choice is paid for what it adds to floors, by batch and year."""
        paid = np.zeros(model.shape)
        for floor, price in zip(model.floors, self.floors, strict=True):
            by_batch = np.where(floor.place != NONE, price[floor.place], 0.0)[:, None]
            paid += by_year(floor.amount, model.shape[1]) * by_batch
        return paid


def prices_of_rows(model: Model, linear: Linear, price: Floats, bound: float) -> Prices:
    """Return the prices of the rows of a program by what they are of."""
    per_unit = price / linear.row_scale

    def rows_of(family: Family, part: int, size: int) -> Floats:
        of_family = (linear.family == int(family)) & (linear.part == part)
        found = np.zeros(size)
        found[linear.key[of_family]] = per_unit[of_family]
        return found

    def paid(*families: Family) -> Floats:
        rows = np.flatnonzero(np.isin(linear.family, [int(family) for family in families]))
        by_choice = np.zeros(model.shape)
        by_choice[linear.batch, linear.year] = linear.matrix[rows][:, : linear.choices].T @ price[rows]
        return by_choice

    reduced = np.full(model.shape, -np.inf)
    reduced[linear.batch, linear.year] = reduced_objective(linear, price)[: linear.choices]
    bonus = -paid(Family.BONUS)
    item = rows_of(Family.ITEM, 0, len(model.packing.deadline))
    value = np.where(np.isfinite(reduced), model.value, -np.inf)
    return Prices(
        bound=bound,
        budget=rows_of(Family.BUDGET, 0, model.shape[1]),
        caps=tuple(rows_of(Family.CAP, at, cap.cap.size).reshape(cap.cap.shape) for at, cap in enumerate(model.caps)),
        floors=tuple(-rows_of(Family.FLOOR, at, len(floor.floor)) for at, floor in enumerate(model.floors)),
        item=item,
        batch=_by_batch(model, item),
        bonus=bonus,
        profit=value + bonus - paid(Family.BUDGET, Family.CAP, Family.FLOOR),
        together=-paid(Family.STREET, Family.SITE, Family.FOLLOWS),
        reduced=reduced,
    )


def _by_batch(model: Model, item: Floats) -> Floats:
    sums = np.zeros(model.shape[0])
    np.add.at(sums, model.packing.batch, item[model.packing.item])
    return sums


def prices_of_dual(dual: Dual, multipliers: Multipliers, bound: float) -> Prices:
    """Return the prices of the coupling rows by what they are of; each choice is forced in turn to find its loss."""
    model, coupling, nest = dual.model, dual.coupling, dual.nest
    per_unit = np.append(multipliers.price / coupling.scale, 0.0)
    profit = dual.profit(multipliers)
    site_price = coupling.budget_prices(multipliers.price)[:, None] * nest.site_cost_cny[None, :]
    reduced = np.full(model.shape, -np.inf)
    loss = best_with_each(nest, np.ascontiguousarray(profit[nest.order].T), site_price)
    reduced[nest.order] = loss.T
    best = profit.max(axis=1, initial=-np.inf)
    due = model.deadline_of_batches() != NONE
    batch = np.where(np.isfinite(best) & (due | (best > 0)), best, 0.0)
    item = np.zeros(len(model.packing.deadline))
    first = np.unique(model.packing.batch, return_index=True)
    item[model.packing.item[first[1]]] = batch[first[0]]
    with np.errstate(invalid="ignore"):
        together = np.where(np.isfinite(reduced), reduced - profit + batch[:, None], 0.0)
    paid = (coupling.uses @ multipliers.price).reshape(model.shape)
    return Prices(
        bound=bound,
        budget=coupling.budget_prices(multipliers.price),
        caps=tuple(per_unit[rows].reshape(c.cap.shape) for rows, c in zip(coupling.cap_rows, model.caps, strict=True)),
        floors=tuple(per_unit[rows] for rows in coupling.floor_rows),
        item=item,
        batch=batch,
        bonus=np.where(np.isfinite(profit), profit + paid - np.where(np.isfinite(profit), model.value, 0.0), 0.0),
        profit=profit,
        together=together,
        reduced=reduced,
    )
