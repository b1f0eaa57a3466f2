"""The usual plan, for comparison: due work first, then by value per cost, each batch in its first year with room."""

from __future__ import annotations

import numpy as np

from planner.solve.ledger import Ledger
from planner.solve.model import NONE, Flags, Floats, Model, Rows, by_year


def greedy_plan(model: Model) -> Rows:
    """Return the usual plan; it keeps every limit but may miss a deadline or a floor.

    Due work goes first, then places that lack a floor, then the rest; within each by value per cost.
    """
    ledger = Ledger(model)
    may = model.reachable()
    worth = _value_per_cost(model, may)
    due = model.deadline_of_batches() != NONE
    rank = np.lexsort((np.arange(len(worth)), -worth))
    _place(ledger, may, rank[due[rank]])
    for floor in range(len(model.floors)):
        _lift(model, ledger, may, rank, floor)
    useful = np.where(may, model.value, -np.inf).max(axis=1, initial=-np.inf) > 0
    _place(ledger, may & (model.value > 0), rank[~due[rank] & useful[rank]])
    return ledger.plan()


def _value_per_cost(model: Model, may: Flags) -> Floats:
    ratio = np.where(may, model.value / np.maximum(model.cost_cny, 1e-9), -np.inf)
    best: Floats = ratio.max(axis=1, initial=-np.inf)
    return best


def _place(ledger: Ledger, may: Flags, rank: Rows) -> None:
    row, year = np.nonzero(may[rank])
    ledger.fill(rank[row], year)


def _lift(model: Model, ledger: Ledger, may: Flags, rank: Rows, number: int) -> None:
    """Place batches of places that lack a floor until it is reached."""
    floor = model.floors[number]
    amount = by_year(floor.amount, model.shape[1])
    lacking = floor.floor.astype(np.float64)
    plan = ledger.plan()
    placed = np.flatnonzero((plan != NONE) & (floor.place != NONE))
    np.subtract.at(lacking, floor.place[placed], amount[placed, plan[placed]])
    for batch in rank[(plan[rank] == NONE) & (floor.place[rank] != NONE)].tolist():
        place = int(floor.place[batch])
        if lacking[place] <= 0:
            continue
        for year in np.flatnonzero(may[batch]).tolist():
            if ledger.fits(batch, year):
                ledger.place(batch, year)
                lacking[place] -= amount[batch, year]
                break
