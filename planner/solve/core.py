"""Search in whole numbers on the choices that the prices leave in doubt, around the plan in hand.

What a plan surely loses by a choice is its reduced value. Choices that lose much are left out; the rest, some hundred
or thousand, goes to HiGHS. Such a search is over some plans only. But a choice that loses more than what lies between
the plan in hand and the bound is in no better plan (reduced cost fixing, Dantzig and others 1954): where all others
are searched, the bound of HiGHS on them holds for every plan.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from planner.solve.highs import solve_whole
from planner.solve.improve import improve
from planner.solve.linear import make_linear, plan_of, point_of
from planner.solve.model import Flags, Floats
from planner.solve.prices import Prices
from planner.solve.rows import Linear, part_of
from planner.solve.search import Search

# how many (batch, year) columns are left in doubt, fewer first: the time of a search grows much faster
_CORES: Final = (400, 800)
_CORE_NODES: Final = 30
# batches that share segments leave far more in doubt than those that only share money
_SHARED_CORES: Final = (800, 1600, 3200, 6400, 20_000)
_SHARED_CORE_NODES: Final = 100
_ROUNDING: Final = 1e-9


def search_core(trail: Search, prices: Prices, linear: Linear | None = None) -> None:
    """Search on more and more choices until the gap is reached or the nodes are spent.

    `linear` is given where batches share segments; without it each lies in one street and site.
    """
    sizes, nodes = (_CORES, _CORE_NODES) if linear is None else (_SHARED_CORES, _SHARED_CORE_NODES)
    linear = make_linear(trail.model) if linear is None else linear
    for size in sizes:
        left = trail.limits.node_limit - trail.found.nodes
        if trail.is_done() or left <= 0:
            return
        if _search_part(trail, linear, prices, size, min(nodes, left)):
            return


def _search_part(trail: Search, linear: Linear, prices: Prices, size: int, node_limit: int) -> bool:
    """Search on so many choices; tell whether nothing was left out that a better plan might hold."""
    model, found, limits = trail.model, trail.found, trail.limits
    loss = -prices.reduced[linear.batch, linear.year]
    keep = np.ones(len(linear.objective), dtype=bool)
    keep[: linear.choices] = _doubtful(model.shape[0], linear, loss, size)
    start = None
    if found.year is not None:
        keep[: linear.choices] |= found.year[linear.batch] == linear.year
        start = point_of(linear, model, found.year)
    between = prices.bound - found.objective
    is_whole = not (~keep[: linear.choices] & (loss <= between * (1.0 + _ROUNDING))).any()
    part, columns, _ = part_of(linear, keep)
    outcome = solve_whole(
        part,
        seed=limits.seed,
        gap_share=0.3 * limits.gap_share,
        node_limit=node_limit,
        start=None if start is None else start[columns],
    )
    found.nodes += outcome.nodes
    if outcome.column is not None:
        plan = plan_of(part, outcome.column, model.shape[0])
        trail.offer(plan)
        trail.offer(improve(model, plan))
    if is_whole and not outcome.is_infeasible:
        trail.lower(max(outcome.bound, found.objective))
    return is_whole


def _doubtful(batches: int, linear: Linear, loss: Floats, size: int) -> Flags:
    """Return the choices to search on: those that lose least, and the best of each batch that has any."""
    in_doubt = np.zeros(len(loss), dtype=bool)
    in_doubt[np.argsort(loss, kind="stable")[:size]] = True
    best = np.full(batches, np.inf)
    np.minimum.at(best, linear.batch, loss)
    return in_doubt | ((loss <= best[linear.batch]) & (loss <= 1e-9))
