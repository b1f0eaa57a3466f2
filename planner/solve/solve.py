"""Solve a planning model: a plan that keeps every rule, and a proven bound on what any plan can be worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import numpy as np

from planner.solve.greedy import greedy_plan
from planner.solve.keep import broken_rules, keeps, plan_value
from planner.solve.model import NONE, Model, Rows
from planner.solve.prices import Prices
from planner.solve.process import run_engine
from planner.solve.search import Limits

NODE_LIMIT: Final = 200
# a gap that is no more than the rounding of the solver
_CLOSED_GAP: Final = 1e-7


@dataclass(frozen=True)
class Solution:
    """A plan and how good it is.

    `status` is `optimal` (proven), `within_gap`, `node_limit` or `time_limit` (the plan stands, the gap is as told),
    `infeasible` (no plan keeps every rule) or `not_found`. Without a plan all batches are
    out and the objective is minus infinity. `bound` holds for every plan of the model. `greedy_broken` are the rules
    that the usual plan breaks; the plan is never worth less than a usual plan that breaks none. `is_reproducible` is
    false where the clock stopped the search. `prices` are missing where it was stopped before there were any.
    """

    year: Rows
    objective: float
    bound: float
    gap_share: float
    greedy: float
    greedy_year: Rows
    greedy_broken: tuple[str, ...]
    prices: Prices | None
    status: str
    method: str
    solver: str
    seed: int
    seconds: float
    nodes: int
    is_reproducible: bool


def solve(
    model: Model,
    *,
    seed: int = 0,
    gap_share: float = 1e-3,
    node_limit: int = NODE_LIMIT,
    time_limit_s: float | None = None,
    starts: Sequence[Rows] = (),
) -> Solution:
    """Choose a year for each batch, or none, so that the plan is worth the most.

    The search ends when the plan is proven to be within `gap_share` of the best possible or after `node_limit` nodes of
    a search tree, so that equal input gives an equal plan; a small model is solved until it is proven best. A time
    limit ends it with what was found by then.

    Raises
    ------
    EngineFailedError
        The process of the solver broke down.
    """
    usual = greedy_plan(model)
    broken = broken_rules(model, usual)
    run = run_engine(model, Limits(seed, gap_share, node_limit), (usual, *starts), time_limit_s)
    found = run.found
    candidates = [plan for plan in (found.year, None if broken else usual) if plan is not None and keeps(model, plan)]
    best = max(candidates, key=lambda plan: plan_value(model, plan), default=None)
    bound = min(found.bound, highest_value(model))
    objective = -np.inf if best is None else plan_value(model, best)
    bound = max(bound, objective)
    gap = np.inf if best is None else (bound - objective) / max(abs(bound), 1e-12)
    return Solution(
        year=np.full(model.shape[0], NONE, dtype=np.int64) if best is None else best,
        objective=objective,
        bound=bound,
        gap_share=gap,
        greedy=plan_value(model, usual),
        greedy_year=usual,
        greedy_broken=broken,
        prices=found.prices,
        status=_status(gap, gap_share, was_stopped=run.was_stopped, is_infeasible=found.is_infeasible),
        method=found.method,
        solver=run.solver or f"HiGHS {version('highspy')}",
        seed=seed,
        seconds=run.seconds,
        nodes=found.nodes,
        is_reproducible=not run.was_stopped,
    )


def highest_value(model: Model) -> float:
    """Return a bound that needs no search: each batch in its best year, and every bonus."""
    best = np.where(model.reachable(), model.value, -np.inf).max(axis=1, initial=-np.inf)
    bonus = 0.0 if model.bonuses is None else float(model.bonuses.value.max(axis=1, initial=0.0).sum())
    return float(np.maximum(best, 0.0).sum()) + bonus


def _status(gap: float, asked: float, *, was_stopped: bool, is_infeasible: bool) -> str:
    if is_infeasible:
        return "infeasible"
    if gap <= _CLOSED_GAP:
        return "optimal"
    if gap <= asked:
        return "within_gap"
    if was_stopped:
        return "time_limit"
    return "node_limit" if np.isfinite(gap) else "not_found"
