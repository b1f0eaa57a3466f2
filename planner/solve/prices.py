"""What the limits of a model are worth at its relaxed optimum, and what each choice is worth at these prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from planner.solve.model import NONE, Floats, Model
from planner.solve.rows import Family, Linear, reduced_objective


@dataclass(frozen=True)
class Prices:
    """Duals of the relaxed model, all at least zero: what one unit more (of a floor: less) of each limit is worth.

    `budget` is by year and yuan, `caps` by place and year, `floors` by place, `item` by item (an item that must be
    done may have a price below zero: what the duty costs). `reduced` is what each batch and year is worth beyond the
    prices of all it takes, minus infinity where it is closed; at the optimum a choice above zero is as good as none
    that is left. `street`, `site`, `follows` and `bonus` have the same shape: what the choice pays for opening its
    streets, for setting up its site and for its order, and its share of the bonuses.
    """

    budget: Floats
    caps: tuple[Floats, ...]
    floors: tuple[Floats, ...]
    item: Floats
    reduced: Floats
    street: Floats
    site: Floats
    follows: Floats
    bonus: Floats


def name_prices(model: Model, linear: Linear, price: Floats) -> Prices:
    """Return the prices of the rows by what they are of."""
    per_unit = price / linear.row_scale

    def rows_of(family: Family, part: int, size: int) -> Floats:
        of_family = (linear.family == int(family)) & (linear.part == part)
        found = np.zeros(size)
        found[linear.key[of_family]] = per_unit[of_family]
        return found

    def paid(family: Family) -> Floats:
        rows = np.flatnonzero(linear.family == int(family))
        taken = csr_array(linear.matrix[rows][:, : linear.choices]).T @ price[rows]
        by_choice = np.zeros(model.shape)
        by_choice[linear.batch, linear.year] = taken
        return by_choice

    reduced = np.full(model.shape, -np.inf)
    reduced[linear.batch, linear.year] = reduced_objective(linear, price)[: linear.choices]
    return Prices(
        rows_of(Family.BUDGET, 0, model.shape[1]),
        tuple(rows_of(Family.CAP, at, cap.cap.size).reshape(cap.cap.shape) for at, cap in enumerate(model.caps)),
        tuple(-rows_of(Family.FLOOR, at, len(floor.floor)) for at, floor in enumerate(model.floors)),
        rows_of(Family.ITEM, 0, len(model.packing.deadline)),
        reduced,
        paid(Family.STREET),
        paid(Family.SITE) + _paid_alone(model, linear, per_unit),
        paid(Family.FOLLOWS),
        -paid(Family.BONUS),
    )


def _paid_alone(model: Model, linear: Linear, per_unit: Floats) -> Floats:
    """Return what batches pay for sites that they share with none: these are part of their cost in the rows."""
    paid = np.zeros(model.shape)
    if model.sites is None:
        return paid
    links = np.flatnonzero(linear.family == int(Family.SITE))
    is_linked = np.zeros(model.shape[0], dtype=bool)
    is_linked[linear.batch[csr_array(linear.matrix[links][:, : linear.choices]).indices]] = True
    alone = ~is_linked & (model.sites.site != NONE)
    budget = np.zeros(model.shape[1])
    of_budget = linear.family == int(Family.BUDGET)
    budget[linear.key[of_budget]] = per_unit[of_budget]
    paid[alone] = model.sites.cost_cny[model.sites.site[alone], None] * budget
    return paid
