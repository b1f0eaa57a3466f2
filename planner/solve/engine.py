"""The engine: from a model to a plan and a proven bound, telling each better plan and bound as it is found.

Small models go to HiGHS whole and are solved until they are proven. Large ones whose batches lie in streets and streets
in sites fall apart once their limits have prices (`dual`, `master`); the others are solved without whole numbers on the
columns that matter (`sift`). Both end with a search in whole numbers on what is left in doubt (`core`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from planner.solve.core import search_core
from planner.solve.coupling import couple
from planner.solve.dual import Descent, Dual, descend
from planner.solve.highs import solve_relaxed, solve_whole
from planner.solve.improve import improve, plan_from, settle_pairs
from planner.solve.linear import make_linear, plan_of, point_of
from planner.solve.master import assemble
from planner.solve.model import Model, Rows
from planner.solve.nest import nest_of
from planner.solve.prices import Prices, prices_of_dual, prices_of_rows
from planner.solve.rows import Linear, fitting, proven_bound
from planner.solve.search import Found, Limits, Search, Tell
from planner.solve.sift import sift

# up to this many choices a model is solved until it is proven, whatever gap is asked for
TINY_COLUMNS: Final = 400
SMALL_COLUMNS: Final = 4000
_STEPS: Final = 80
_STAGES: Final = 6
_ANSWERS_KEPT: Final = 30


def search(model: Model, limits: Limits, starts: tuple[Rows, ...], tell: Tell) -> Found:
    """Search for the best plan; equal input gives an equal answer."""
    trail = Search(model, limits, tell)
    for start in starts:
        trail.offer(start)
    pairs = 0 if model.bonuses is None else len(model.bonuses.first) * model.shape[1]
    if int(model.reachable().sum()) + pairs <= SMALL_COLUMNS:
        search_whole(trail)
        return trail.found
    nest = nest_of(model)
    if nest is not None:
        search_dual(trail, Dual.of(model, nest, couple(model)))
    if nest is None or trail.found.year is None:
        search_linear(trail)
    return trail.found


def search_whole(trail: Search) -> None:
    """Solve the whole model: first without whole numbers, for its prices, then with them until it is proven."""
    limits, found = trail.limits, trail.found
    found.method = "mip"
    linear = make_linear(trail.model)
    relaxed = solve_relaxed(linear, seed=limits.seed)
    found.is_infeasible = relaxed.is_infeasible
    if relaxed.is_infeasible:
        return
    _take_rows(trail, linear, fitting(linear, relaxed.price))
    is_tiny = int(trail.model.reachable().sum()) <= TINY_COLUMNS
    _finish_whole(trail, linear, 0.0 if is_tiny else limits.gap_share)


def _finish_whole(trail: Search, linear: Linear, gap_share: float) -> None:
    """Search on all choices in whole numbers: for a plan that is proven best, or proof that there is none."""
    model, limits, found = trail.model, trail.limits, trail.found
    start = None if found.year is None else point_of(linear, model, found.year)
    outcome = solve_whole(linear, seed=limits.seed, gap_share=gap_share, node_limit=limits.node_limit, start=start)
    found.nodes += outcome.nodes
    found.is_infeasible = outcome.is_infeasible
    if outcome.column is not None:
        trail.offer(plan_of(linear, outcome.column, model.shape[0]))
    if not outcome.is_infeasible:
        trail.lower(outcome.bound)


def _take_rows(trail: Search, linear: Linear, price: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Prices:
    bound = proven_bound(linear, price)
    prices = prices_of_rows(trail.model, linear, price, bound)
    trail.lower(bound, prices)
    return prices


def search_dual(trail: Search, dual: Dual) -> None:
    """Lower the bound by prices, and make plans from what the prices call for, in turn, until the gap is reached."""
    model, limits, found = trail.model, trail.limits, trail.found
    found.method = "prices"
    at, proven = dual.start(), np.inf
    for stage in range(_STAGES):
        target = max(found.objective, 0.0)
        descent = descend(dual, at, target, steps=_STEPS, keep=_ANSWERS_KEPT, gap_share=0.1 * limits.gap_share)
        if not np.isfinite(descent.bound):
            found.is_infeasible = descent.bound < 0
            return
        if model.bonuses is None and stage == 0:
            done = assemble(dual, descent, seed=limits.seed, gap_share=limits.gap_share, node_limit=limits.node_limit)
            found.nodes += done.nodes
            trail.lower(descent.bound)
            if done.plan is not None:
                _take(trail, done.plan)
                _plan_at(trail, dual, descent, done.plan)
        at, proven = descent.multipliers, descent.bound
        trail.lower(descent.bound)
        if not trail.is_done():
            _plan_at(trail, dual, descent)
        if trail.is_done():
            break
    prices = prices_of_dual(dual, at, proven)
    trail.lower(found.bound, prices)
    if not trail.is_done():
        search_core(trail, prices)


def _plan_at(trail: Search, dual: Dual, descent: Descent, wish: Rows | None = None) -> None:
    """Make a plan from a wish, else from the choice at the best prices, and improve it."""
    model, at = trail.model, descent.multipliers
    paid = (dual.coupling.uses @ at.price).reshape(model.shape)
    wish = dual.answer(at).year if wish is None else wish
    if model.bonuses is not None:
        wish = settle_pairs(model, wish, np.where(np.isfinite(dual.value), paid, np.inf))
    plan = plan_from(model, wish, dual.profit(at), paid)
    _take(trail, plan)


def _take(trail: Search, plan: Rows | None) -> None:
    """Take a plan, and what small steps make of it; a plan that breaks a rule only they may mend is passed over."""
    if plan is not None and (trail.offer(plan) or trail.found.year is None):
        trail.offer(improve(trail.model, plan))


def search_linear(trail: Search) -> None:
    """Solve the model without whole numbers on the columns that matter, then search on what is left in doubt."""
    found, limits = trail.found, trail.limits
    found.method = "sifting"
    linear = make_linear(trail.model)
    sifted = sift(trail, linear)
    found.is_infeasible = sifted.is_infeasible
    if sifted.is_infeasible:
        return
    prices = _take_rows(trail, linear, sifted.price)
    if sifted.point is not None:
        wish = plan_of(linear, sifted.point, trail.model.shape[0])
        profit = np.where(np.isfinite(prices.reduced), prices.profit, -np.inf)
        plan = plan_from(trail.model, wish, profit, np.where(np.isfinite(profit), trail.model.value - profit, np.inf))
        _take(trail, plan)
    if not trail.is_done():
        search_core(trail, prices, linear)
    if found.year is None:
        _finish_whole(trail, linear, limits.gap_share)
