"""Make a plan from wishes, and a plan better by small steps: each move keeps every rule and is worth more."""

from __future__ import annotations

from typing import Final

import numpy as np

from planner.solve.ledger import Ledger
from planner.solve.model import NONE, Floats, Model, Rows

_PASSES: Final = 3
# of the batches that are out, so many of the most value per cost are tried
_MOST_OUTSIDE: Final = 20_000


def plan_from(model: Model, wish: Rows, profit: Floats, paid: Floats) -> Rows:
    """Return a plan near a wish: due work first, then wishes by profit per price paid, then whatever else fits.

    Parameters
    ----------
    wish : years of batches, -1 for out; it need not keep any rule
    profit : what each batch is worth in each year beyond the prices of what it takes, minus infinity where closed
    paid : these prices, which are the common measure of the room that it takes
    """
    ledger = Ledger(model)
    batches = np.arange(len(wish))
    due = model.deadline_of_batches() != NONE
    known = np.isfinite(profit)
    density = np.where(known, np.where(known, profit, 0.0) / np.maximum(paid, 1e-9), -np.inf)
    wished = np.flatnonzero(wish != NONE)
    at = density[wished, wish[wished]]
    rank = wished[np.lexsort((wished, -at, ~due[wished]))]
    ledger.fill(rank, wish[rank])
    placed = ledger.plan() != NONE
    rest = np.flatnonzero(~placed & (due | (model.value > 0).any(axis=1)))
    best = density[rest].max(axis=1, initial=-np.inf)
    rank = rest[np.lexsort((batches[rest], -best, ~due[rest]))]
    _offer_all(ledger, rank, profit)
    return ledger.plan()


def _offer_all(ledger: Ledger, rank: Rows, profit: Floats) -> None:
    """Offer batches in order of rank, each in its years by profit."""
    years = np.argsort(-profit[rank], axis=1, kind="stable")
    batch = np.repeat(rank, profit.shape[1])
    year = years.ravel()
    useful = np.isfinite(profit[batch, year])
    ledger.fill(batch[useful], year[useful])


class _Worth:
    """What a batch adds to a plan in each year: its value, and its bonuses with what is placed beside it."""

    def __init__(self, model: Model, year: list[int]) -> None:
        self._value: Final[list[list[float]]] = model.value.tolist()
        self._year: Final = year
        self._beside: list[list[tuple[int, list[float]]]] | None = None
        if model.bonuses is not None:
            self._beside = [[] for _ in self._value]
            bonuses = model.bonuses
            for first, second, value in zip(
                bonuses.first.tolist(), bonuses.second.tolist(), bonuses.value.tolist(), strict=True
            ):
                self._beside[first].append((second, value))
                self._beside[second].append((first, value))

    def at(self, batch: int, year: int) -> float:
        worth = self._value[batch][year]
        if self._beside is not None:
            for other, bonus in self._beside[batch]:
                if self._year[other] == year:
                    worth += bonus[year]
        return worth


def settle_pairs(model: Model, wish: Rows, prices: Floats, sweeps: int = 4) -> Rows:
    """Return wishes in which neighbours agree: each in turn takes the year that is worth most beyond prices.

    `prices` is what each batch pays in each year, infinite where closed.
    """
    year: list[int] = wish.tolist()
    worth = _Worth(model, year)
    years = range(model.shape[1])
    paid = prices.tolist()
    for _ in range(sweeps):
        changes = 0
        for batch, price in enumerate(paid):
            best, now = 0.0, NONE
            for at in years:
                gain = worth.at(batch, at) - price[at] if price[at] < np.inf else -np.inf
                if gain > best:
                    best, now = gain, at
            changes += now != year[batch]
            year[batch] = now
        if not changes:
            break
    return np.array(year, dtype=np.int64)


def improve(model: Model, plan: Rows) -> Rows:
    """Return a plan worth at least as much: batches move to better years and come in where that is worth more."""
    ledger = Ledger(model)
    for batch in _in_order(plan):
        ledger.place(batch, int(plan[batch]))
    worth = _Worth(model, ledger.year)
    ratio = (model.value / np.maximum(model.cost_cny, 1e-9)).max(axis=1, initial=-np.inf)
    rank = np.argsort(-ratio, kind="stable")
    is_out = plan[rank] == NONE
    tried = rank[~is_out | (np.cumsum(is_out) <= _MOST_OUTSIDE)].tolist()
    for _ in range(_PASSES):
        changes = 0
        for batch in tried:
            changes += _move(ledger, worth, batch, model.shape[1])
        if not changes:
            break
    return ledger.plan()


def _in_order(plan: Rows) -> list[int]:
    placed = np.flatnonzero(plan != NONE)
    ordered: list[int] = placed[np.argsort(plan[placed], kind="stable")].tolist()
    return ordered


def _move(ledger: Ledger, worth: _Worth, batch: int, years: int) -> bool:
    """Move a batch to the year in which it adds most, if it fits there and adds more than now."""
    now = ledger.year[batch]
    gains = sorted(((worth.at(batch, year), -year) for year in range(years)), reverse=True)
    if now == NONE:
        for gain, year in gains:
            if gain <= 0:
                return False
            if ledger.fits(batch, -year):
                ledger.place(batch, -year)
                return True
        return False
    least = worth.at(batch, now)
    if gains[0][0] <= least or not ledger.may_go(batch):
        return False
    ledger.take_out(batch)
    for gain, year in gains:
        if gain <= least:
            break
        if ledger.fits(batch, -year):
            ledger.place(batch, -year)
            return True
    ledger.place(batch, now)
    return False
