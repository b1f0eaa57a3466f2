"""What more or less money would bring: a proven bound on the risk removed by budget, and plans found at some budgets.

With prices on the rows of the model no plan is worth more than what the prices of its limits add up to plus what its
choices are worth beyond them (weak duality). The prices of one budget stay prices for every other: the bound that they
prove is a straight line over the budget, with the worth of the money as its slope. The least of the lines of several
budgets is a bound for all of them, concave and never falling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.choice import Programme
from planner.conditions import NONE
from planner.factors import Flags, Floats
from planner.plan import Problem
from planner.solve.model import Model, by_year
from planner.solve.prices import Prices
from planner.solve.solve import Solution, solve
from registry.errors import PlanningError
from registry.fields import columns_of

_CNY_PER_MILLION: Final = 1e6
_METRES_PER_KM: Final = 1000.0
SHARES: Final = (0.5, 0.75, 1.0, 1.25, 1.5)
# the bound needs good prices, no search: a plan is found apart
_BOUND_GAP: Final = 1e-3


@dataclass(frozen=True)
class Frontier:
    """The frame `frontier_points`, and the lines of the bound: value at no money at all, and worth of a yuan more.

    `programmes` are the plans found, by share of the budget.
    """

    points: pd.DataFrame
    intercept: Floats
    slope: Floats
    programmes: Mapping[float, Programme] = field(default_factory=dict)

    def bound(self, budget_cny: Floats) -> Floats:
        """Return what no plan of these budgets (of all years together) can pass."""
        lines = self.intercept + np.multiply.outer(budget_cny, self.slope)
        least: Floats = lines.min(axis=-1)
        return least

    def corners(self) -> tuple[Floats, Floats]:
        """Return the budgets, within those of the points, between which the bound is straight, and the bound there."""
        low, high = float(self.points["budget_cny"].min()), float(self.points["budget_cny"].max())
        rise = self.slope[:, None] - self.slope[None, :]
        apart = self.intercept[None, :] - self.intercept[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            crossings = (apart / rise).ravel()
        inside = crossings[np.isfinite(crossings) & (crossings > low) & (crossings < high)]
        at = np.unique(np.concatenate([inside, [low, high]]))
        return at, self.bound(at)


def budget_frontier(
    problem: Problem, shares: Sequence[float] = SHARES, advance: Callable[[int], Any] = lambda _: None
) -> Frontier:
    """Solve a plan at some shares of its budget, and prove what any budget up to the largest can bring.

    Every year gets the same share of its budget. The bound is of all plans that keep money, streets, bans, limits and
    locks, whatever they do about deadlines; the plans found keep the deadlines as `choose_programme` does. With more
    money more deadlines can be kept, which may cost value: the plans found need not rise as the bound does.

    Misleads above the largest share: batches that only more money could pay are not in it.

    Parameters
    ----------
    advance
        Is told of every budget that is done.

    Raises
    ------
    PlanningError
        If a share is not above zero, or no plan keeps the limits at any of the budgets.
    """
    if not shares or not all(np.isfinite(share) and share > 0 for share in shares):
        raise PlanningError("frontier_shares_unusable", shares=", ".join(f"{share:g}" for share in shares))
    wanted = sorted({float(share) for share in shares})
    whole = float(sum(problem.limits.budget_cny))
    widest = _scaled(problem, wanted[-1]).model()[0]
    lines: list[tuple[float, float]] = [(_most(widest), 0.0)]
    rows: list[dict[str, Any]] = []
    programmes: dict[float, Programme] = {}
    for share in wanted:
        scaled = _scaled(problem, share)
        line = _line(scaled, widest)
        lines += [] if line is None else [line]
        per_million = np.nan if line is None else line[1] * _CNY_PER_MILLION
        found = _found(scaled)
        programmes |= {} if found is None else {share: found}
        told = {"budget_share": share, "budget_cny": share * whole, "per_million": per_million}
        rows.append(told | _figures(scaled, found))
        advance(1)
    intercept, slope = (np.array(part) for part in zip(*lines, strict=True))
    made = Frontier(pd.DataFrame(rows), intercept, slope, programmes)
    points = made.points.assign(bound=made.bound(made.points["budget_cny"].to_numpy(dtype="float64")))
    points["status"] = points["status"].astype("str")
    return replace(made, points=points[columns_of("frontier_points")])


def _scaled(problem: Problem, share: float) -> Problem:
    budgets = tuple(share * budget for budget in problem.limits.budget_cny)
    return replace(problem, limits=replace(problem.limits, budget_cny=budgets))


def _most(model: Model) -> float:
    value = np.where(model.reachable(), model.value, -np.inf).max(axis=1, initial=-np.inf)
    return float(np.maximum(value, 0.0).sum())


def _line(problem: Problem, widest: Model) -> tuple[float, float] | None:
    """Return the line that the prices at the budget of a problem prove: its value at no money, and its slope."""
    model, _ = problem.model()
    effort = problem.bearing.effort
    answer = solve(model, seed=effort.seed, gap_share=_BOUND_GAP, node_limit=1, time_limit_s=effort.time_limit_s)
    prices = answer.prices
    if prices is None:
        return None
    more = widest.reachable() & ~model.reachable()
    budgets = np.array(problem.limits.budget_cny)
    per_yuan = float(prices.budget @ budgets / budgets.sum())
    bound = prices.bound + newly_worth(model, answer, prices, more)
    return bound - float(prices.budget @ budgets), per_yuan


def newly_worth(model: Model, answer: Solution, prices: Prices, newly: Flags) -> float:
    """Return by how much at most a bound rises where choices are let in that it did not know, at the same prices.

    Rows that these choices alone would make (streets, sites) get no price, which is on the safe side. Of each batch one
    choice counts: no plan can take two.
    """
    if not newly.any():
        return 0.0
    beyond = model.value - prices.budget[None, :] * model.cost_cny
    if answer.method != "prices":
        # where batches stand for their own items, nothing says that a new choice frees what the old one is worth
        beyond = beyond - prices.batch[:, None]
    years = model.shape[1]
    for cap, price in zip(model.caps, prices.caps, strict=True):
        inside = (cap.place != NONE)[:, None]
        beyond = beyond - np.where(inside, by_year(cap.amount, years) * price[cap.place], 0.0)
    beyond = beyond + prices.of_floors(model)
    most = np.where(newly & np.isfinite(beyond), beyond, -np.inf).max(axis=1, initial=-np.inf)
    return float(np.maximum(most, 0.0).sum())


def _found(problem: Problem) -> Programme | None:
    """Find a plan at the budget of a problem; None where no plan keeps its limits."""
    try:
        programme = problem.choose(problem.bearing.effort)
    except PlanningError:
        return None
    return programme if np.isfinite(programme.solution.objective) else None


def _figures(problem: Problem, programme: Programme | None) -> dict[str, Any]:
    if programme is None:
        names = ("value", "bound_by_law", "cost_cny", "km", "mandatory_late_km")
        return dict.fromkeys(names, np.nan) | {"status": "no_plan"}
    placed = np.flatnonzero(programme.year != NONE)
    cost = problem.candidates.cost_cny[placed, programme.year[placed]]
    return {
        "value": float(programme.solution.objective),
        "bound_by_law": float(programme.solution.bound),
        "cost_cny": float(cost.sum()),
        "km": float(problem.candidates.length_m[placed].sum() / _METRES_PER_KM),
        "mandatory_late_km": mandatory_late_km(programme),
        "status": "found",
    }


def mandatory_late_km(programme: Programme) -> float:
    """Return the kilometres of mandatory work that a plan does later than asked for, or not at all."""
    duties, done = programme.duties, programme.item_years()
    asked = duties.deadline
    is_late = (duties.severity == 0) & (asked != NONE) & ((done == NONE) | (done > asked))
    return float(duties.length_m[is_late].sum() / _METRES_PER_KM)
