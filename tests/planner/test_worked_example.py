"""The small plan that docs/how-plans-work.md solves by hand: its figures against every plan, and against the solver."""

from __future__ import annotations

import re
from itertools import product
from typing import Final

import numpy as np
import pytest

from planner.solve.model import NONE, Floats, Model, Packing, Rows
from planner.solve.solve import solve
from tests.conftest import REPOSITORY

PAGE: Final = (REPOSITORY / "docs" / "how-plans-work.md").read_text(encoding="utf-8")
HAND: Final = PAGE.partition("## A small plan by hand")[2].partition("\n## ")[0]
# the page breaks its lines anywhere
TOLD: Final = " ".join(HAND.split())
YEARS: Final = (2027, 2028)
BUDGET: Final = 100.0


def _table() -> tuple[list[str], Floats, Floats, Rows]:
    """Return the batches of the page: names, cost and worth by year, and the place of the year each is due by."""
    lines = HAND.partition("<!-- worked-example -->")[2].partition("<!-- end")[0].strip().splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    cost = np.repeat([[float(row[1])] for row in rows], len(YEARS), axis=1)
    for at, row in enumerate(rows):
        if row[2]:
            saving, year = re.fullmatch(r"(\d+) in (\d{4})", row[2]).groups()  # type: ignore[union-attr]
            cost[at, YEARS.index(int(year))] -= float(saving)
    worth = np.array([[float(row[3]), float(row[4])] for row in rows])
    due = np.array([YEARS.index(int(row[5])) if row[5] else NONE for row in rows], dtype=np.int64)
    return [row[0] for row in rows], cost, worth, due


def _model(due: Rows) -> Model:
    _, cost, worth, _ = _table()
    is_open = np.ones(worth.shape, dtype=bool)
    return Model(worth, cost, is_open, np.full(len(YEARS), BUDGET), Packing.disjoint(due))


def _best_of_all(due: Rows) -> tuple[float, set[tuple[int, ...]]]:
    """Look at every plan there is."""
    _, cost, worth, _ = _table()
    plans: dict[tuple[int, ...], float] = {}
    for plan in product((NONE, *range(len(YEARS))), repeat=len(worth)):
        spent = [sum(cost[b, t] for b, at in enumerate(plan) if at == t) for t in range(len(YEARS))]
        is_kept = all(due[b] == NONE or NONE < at <= due[b] for b, at in enumerate(plan))
        if is_kept and max(spent) <= BUDGET:
            plans[plan] = sum(float(worth[b, at]) for b, at in enumerate(plan) if at != NONE)
    best = max(plans.values())
    return best, {plan for plan, value in plans.items() if value == best}


def test_the_plan_of_the_page_is_the_best_of_all_and_the_solvers() -> None:
    names, _, _, due = _table()
    said = re.search(r"So: (\w) and (\w) in 2027, (\w) and (\w) in 2028, worth ([\d +]+) = (\d+)\.", TOLD)
    assert said is not None
    first = {said[1], said[2]}
    plan = tuple(0 if name in first else 1 for name in names)
    assert sum(map(float, said[5].split("+"))) == float(said[6])
    assert _best_of_all(due) == (float(said[6]), {plan})
    solution = solve(_model(due), gap_share=0.0)
    assert (solution.objective, tuple(solution.year.tolist())) == (float(said[6]), plan)
    assert solution.status == "optimal"


def test_the_bound_of_the_page_is_the_one_of_its_price_and_the_lowest_there_is() -> None:
    _, cost, worth, due = _table()
    said = re.search(r"= ([\d.]+)\. No plan that keeps the day of A is worth more, so \d+ is within ([\d.]+) %", TOLD)
    price = re.search(r"money costs ([\d.]+) for each", TOLD)
    assert said is not None
    assert price is not None

    def bound(of_money: Floats) -> float:
        beyond = worth - cost * of_money
        must = due[:, None] >= np.arange(len(YEARS))
        best = np.where(due == NONE, np.maximum(beyond.max(axis=1), 0.0), np.where(must, beyond, -np.inf).max(axis=1))
        return float(best.sum() + (of_money * BUDGET).sum())

    told = float(said[1])
    assert bound(np.array([float(price[1]), 0.0])) == pytest.approx(told)
    tried = [bound(np.array([one, other])) for one in np.linspace(0, 2, 101) for other in np.linspace(0, 2, 101)]
    assert min(tried) == pytest.approx(told)
    best, _ = _best_of_all(due)
    assert 100 * (told - best) / told == pytest.approx(float(said[2]), abs=0.05)


def test_without_the_law_another_plan_is_worth_more() -> None:
    names, _, _, due = _table()
    said = re.search(r"is worth (\d+) \((\w) and (\w) in 2027, (\w) and (\w) in 2028\)", TOLD)
    assert said is not None
    plan = tuple(0 if name in {said[2], said[3]} else 1 for name in names)
    assert _best_of_all(np.full_like(due, NONE)) == (float(said[1]), {plan})
    assert float(said[1]) - _best_of_all(due)[0] == float(re.search(r"the day of A costs (\d+)", TOLD)[1])  # type: ignore[index]
