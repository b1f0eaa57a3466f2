"""Prices on what couples the batches: the bound they prove, and lower bounds by steps along the use of the limits.

With prices of at least zero on budgets, caps and floors (`coupling`), and each bonus split between its two batches, the
best choice (`nest`) plus the priced limits is an upper bound of every plan, by weak duality. The steps are projected
subgradients with the length of Polyak, halved where they stop to help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from planner.solve.coupling import Coupling
from planner.solve.model import NONE, Floats, Model, Rows
from planner.solve.nest import Nest, best_choice

_PATIENCE: Final = 10
_SMALLEST_STEP: Final = 1e-3


@dataclass(frozen=True)
class Multipliers:
    """Prices of the coupling rows, and the share of each bonus that its first batch gets: (pairs, years)."""

    price: Floats
    share: Floats


@dataclass(frozen=True)
class Answer:
    """The bound that prices prove, and the choice that attains it: years of batches, sets of years of sites."""

    bound: float
    year: Rows
    site_set: Rows


@dataclass(frozen=True)
class Dual:
    """A model in the form in which prices make it fall apart."""

    model: Model
    nest: Nest
    coupling: Coupling
    value: Floats
    reach: Floats
    bonus_reach: Floats
    ends: csr_array

    @classmethod
    def of(cls, model: Model, nest: Nest, coupling: Coupling) -> Dual:
        """State the dual of a model that is nested."""
        may = model.reachable()
        worth = np.where(may, np.maximum(model.value, 0.0), 0.0).ravel()
        used = csr_array((np.abs(coupling.uses.data), coupling.uses.indices, coupling.uses.indptr), coupling.uses.shape)
        share = csr_array(used > 0).T @ worth
        whole = max(float(share.max(initial=0.0)), 1e-12)
        bonus = np.zeros((0, model.shape[1])) if model.bonuses is None else model.bonuses.value
        return cls(
            model, nest, coupling, np.where(may, model.value, -np.inf), share / whole, bonus / whole, _ends(model)
        )

    def start(self) -> Multipliers:
        """Return prices of zero, and bonuses split in halves."""
        bonuses = self.model.bonuses
        pairs = 0 if bonuses is None else len(bonuses.first)
        return Multipliers(self._first_prices(), np.full((pairs, self.model.shape[1]), 0.5))

    def _first_prices(self) -> Floats:
        """Return the budget prices at which the batches of the most value per cost use up all money."""
        model, years = self.model, self.model.shape[1]
        ratio = np.where(np.isfinite(self.value), self.value / np.maximum(model.cost_cny, 1e-9), -np.inf)
        year = ratio.argmax(axis=1)
        best = ratio[np.arange(len(year)), year]
        rank = np.argsort(-best, kind="stable")
        spent = np.cumsum(model.cost_cny[rank, year[rank]])
        last = int(np.searchsorted(spent, float(model.budget_cny.sum())))
        per_yuan = max(float(best[rank[last]]), 0.0) if last < len(rank) else 0.0
        price = np.zeros(self.coupling.rows)
        price[:years] = per_yuan * (1.0 - model.carried_share)
        price[years - 1] = per_yuan
        price *= self.coupling.scale
        return price

    def profit(self, multipliers: Multipliers) -> Floats:
        """Return what each batch is worth in each year beyond its prices, with its share of bonuses."""
        profit = self.value - (self.coupling.uses @ multipliers.price).reshape(self.model.shape)
        bonuses = self.model.bonuses
        if bonuses is not None:
            first = bonuses.value * multipliers.share
            profit += self.ends @ np.concatenate([first, bonuses.value - first])
        shared: Floats = profit
        return shared

    def answer(self, multipliers: Multipliers) -> Answer:
        """Return the bound that multipliers prove, and the choice that attains it."""
        nest = self.nest
        profit = np.ascontiguousarray(self.profit(multipliers)[nest.order].T)
        site_price = self.coupling.budget_prices(multipliers.price)[:, None] * nest.site_cost_cny[None, :]
        total, chosen, site_set = best_choice(nest, profit, site_price)
        year = np.full(self.model.shape[0], NONE, dtype=np.int64)
        year[nest.order] = chosen
        return Answer(total + float(multipliers.price @ self.coupling.limit), year, site_set)

    def use_by_block(self, answer: Answer, block_of_sites: Rows) -> csr_array:
        """Return how much each block of sites uses of each row in a choice: (blocks, rows)."""
        nest, years = self.nest, self.model.shape[1]
        chosen = answer.year[nest.order]
        placed = np.flatnonzero(chosen != NONE)
        used = self.coupling.uses[nest.order[placed] * years + chosen[placed]]
        owner = block_of_sites[nest.site_of_rows()[placed]]
        blocks = int(block_of_sites[-1]) + 1
        collect = csr_array((np.ones(len(placed)), (owner, np.arange(len(placed)))), shape=(blocks, len(placed)))
        by_block = csr_array(collect @ used)
        if not nest.site_cost_cny.any():
            return by_block
        is_open = ((answer.site_set[:, None] >> np.arange(years)) & 1) * nest.site_cost_cny[:, None]
        set_up = np.zeros((blocks, self.coupling.rows))
        np.add.at(set_up[:, :years], block_of_sites, is_open @ self.coupling.fades.T / self.coupling.scale[:years])
        return csr_array(by_block + csr_array(set_up))

    def slack(self, answer: Answer) -> Floats:
        """Return what a choice leaves of each limit, below zero where it takes too much."""
        years = self.model.shape[1]
        placed = np.flatnonzero(answer.year != NONE)
        rows = self.coupling.uses[placed * years + answer.year[placed]]
        count = self.coupling.rows
        used = np.bincount(rows.indices, weights=rows.data, minlength=count).astype(np.float64)
        is_open = ((answer.site_set[:, None] >> np.arange(years)) & 1) * self.nest.site_cost_cny[:, None]
        used[:years] += self.coupling.fades @ is_open.sum(axis=0) / self.coupling.scale[:years]
        slack: Floats = self.coupling.limit - used
        return slack

    def discord(self, answer: Answer) -> Floats:
        """Return, by pair and year, whether the first batch is done in it less whether the second is."""
        bonuses = self.model.bonuses
        years = np.arange(self.model.shape[1])
        if bonuses is None:
            return np.zeros((0, len(years)))
        first, second = answer.year[bonuses.first, None] == years, answer.year[bonuses.second, None] == years
        differs: Floats = first.astype(np.float64) - second
        return differs


def _ends(model: Model) -> csr_array:
    """Return which batch is an end of which pair: (batches, first ends and second ends of the pairs)."""
    if model.bonuses is None:
        return csr_array((model.shape[0], 0))
    ends = np.concatenate([model.bonuses.first, model.bonuses.second])
    return csr_array((np.ones(len(ends)), (ends, np.arange(len(ends)))), shape=(model.shape[0], len(ends)))


@dataclass
class Descent:
    """Where a descent stands: the lowest bound with its multipliers, and the last answers."""

    bound: float
    multipliers: Multipliers
    answers: list[Answer]


def descend(dual: Dual, start: Multipliers, target: float, *, steps: int, keep: int, gap_share: float) -> Descent:
    """Lower the bound by steps towards a target value; keep the last answers."""
    at = start
    best = Descent(np.inf, start, [])
    length, since = 1.0, 0
    for _ in range(steps):
        answer = dual.answer(at)
        best.answers.append(answer)
        del best.answers[:-keep]
        since += 1
        if answer.bound < best.bound:
            best.bound, best.multipliers, since = answer.bound, at, 0
        if since >= _PATIENCE:
            length, since, at = length / 2.0, 0, best.multipliers
        if length < _SMALLEST_STEP or best.bound - target <= gap_share * abs(best.bound):
            break
        at = _step(dual, at, answer, length * (answer.bound - target))
    return best


def _step(dual: Dual, at: Multipliers, answer: Answer, length: float) -> Multipliers:
    """Step against the slack of each row, and shift bonuses to the batch that does not want the year."""
    slack = dual.slack(answer)
    # a price of zero on a limit that is kept cannot fall further: it takes no part in the step
    moves = (at.price > 0) | (slack < 0)
    discord = dual.discord(answer)
    bonuses = dual.model.bonuses
    moved = np.where(moves, slack * dual.reach, 0.0)
    drawn = discord * dual.bonus_reach
    halves = 0.5 if drawn.any() else 1.0
    price, share = at.price, at.share
    if moved.any():
        price = np.maximum(price - halves * length / float((moved**2).sum()) * moved * dual.reach, 0.0)
    if bonuses is not None and drawn.any():
        shift = halves * length / float((drawn**2).sum()) * drawn * dual.bonus_reach
        share = np.clip(share - shift / np.maximum(bonuses.value, 1e-12), 0.0, 1.0)
    return Multipliers(price, share)
