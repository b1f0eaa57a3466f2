"""The engine: from a model to a plan and a proven bound, telling each better plan and bound as it is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.solve.highs import Outcome, solve_relaxed, solve_whole
from planner.solve.keep import keeps, plan_value
from planner.solve.linear import make_linear, plan_of, point_of
from planner.solve.model import Floats, Model, Rows
from planner.solve.prices import Prices, name_prices
from planner.solve.rows import Linear, fitting, proven_bound


@dataclass(frozen=True)
class Limits:
    """When the search may stop: a gap, or a number of nodes; and the seed of the solver."""

    seed: int
    gap_share: float
    node_limit: int


@dataclass
class Found:
    """The best so far: a plan, a bound, prices, and how it was got."""

    year: Rows | None = None
    objective: float = -np.inf
    bound: float = np.inf
    prices: Prices | None = None
    nodes: int = 0
    method: str = ""
    is_infeasible: bool = False
    has_all_nodes: bool = True

    def gap_share(self) -> float:
        """Return how far the plan may be from the best possible, as a share of the bound."""
        if self.year is None:
            return np.inf
        return max(self.bound - self.objective, 0.0) / max(abs(self.bound), 1e-12)


Tell = Callable[[Found], None]


class Search:
    """A search on one model: takes plans and bounds, keeps the best, and tells of each step forward."""

    def __init__(self, model: Model, limits: Limits, tell: Tell) -> None:
        self.model = model
        self.limits = limits
        self.found = Found()
        self._tell = tell

    def offer(self, year: Rows) -> bool:
        """Take a plan if it keeps every rule and is better than the one in hand."""
        value = plan_value(self.model, year)
        if value <= self.found.objective or not keeps(self.model, year):
            return False
        self.found.year, self.found.objective = year, value
        self._tell(self.found)
        return True

    def lower(self, bound: float, prices: Prices | None = None) -> None:
        """Take a bound if it is below the one in hand, and prices if there are any."""
        if prices is not None:
            self.found.prices = prices
        if bound < self.found.bound or prices is not None:
            self.found.bound = min(bound, self.found.bound)
            self._tell(self.found)

    def is_done(self) -> bool:
        """Tell whether the gap is reached."""
        return self.found.gap_share() <= self.limits.gap_share


def search(model: Model, limits: Limits, starts: tuple[Rows, ...], tell: Tell) -> Found:
    """Search for the best plan; equal input gives an equal answer."""
    trail = Search(model, limits, tell)
    for start in starts:
        trail.offer(start)
    linear = make_linear(model)
    trail.found.method = "mip"
    relaxed = relax_whole(trail, linear)
    if not relaxed.is_infeasible:
        finish_whole(trail, linear)
    return trail.found


def relax_whole(trail: Search, linear: Linear) -> Outcome:
    """Solve the whole model without whole numbers: its bound and its prices."""
    relaxed = solve_relaxed(linear, seed=trail.limits.seed)
    trail.found.is_infeasible = relaxed.is_infeasible
    if not relaxed.is_infeasible:
        price = fitting(linear, relaxed.price)
        trail.lower(proven_bound(linear, price), name_prices(trail.model, linear, price))
    return relaxed


def finish_whole(trail: Search, linear: Linear) -> None:
    """Solve the whole model in whole numbers, from the plan in hand."""
    model, limits, found = trail.model, trail.limits, trail.found
    start: Floats | None = None if found.year is None else point_of(linear, model, found.year)
    outcome = solve_whole(linear, seed=limits.seed, gap_share=0.0, node_limit=limits.node_limit, start=start)
    found.nodes += outcome.nodes
    found.is_infeasible = outcome.is_infeasible
    found.has_all_nodes = outcome.nodes < limits.node_limit
    if outcome.column is not None:
        trail.offer(plan_of(linear, outcome.column, model.shape[0]))
    if not outcome.is_infeasible:
        trail.lower(outcome.bound)
