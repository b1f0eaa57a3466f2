"""A search for a plan: the best plan and the lowest bound so far, and who is told of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from planner.solve.keep import keeps, plan_value
from planner.solve.model import Model, Rows
from planner.solve.prices import Prices


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

    def offer(self, year: Rows | None) -> bool:
        """Take a plan if it keeps every rule and is better than the one in hand."""
        if year is None:
            return False
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
