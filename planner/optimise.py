"""Choose batches and years under budgets, with a proven bound: Lagrangian prices, guided repair, exact finish.

Each batch goes at most once into one year; every year has a budget and may have a limit of kilometres. With prices on
budget and kilometres the batches fall apart, and the sum of their best reduced values plus the priced limits is an
upper bound of every plan (weak duality), for any prices of at least zero. The same prices guide a repair that gives a
plan. For small problems, choices that the bound rules out are fixed and the rest goes to HiGHS, whose own bound is
then as valid. There is no clock and no random number in it: equal input gives an equal plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Years = NDArray[np.int64]

NOT_PLACED: Final = -1
_STEPS: Final = 300
_REPAIRS: Final = 12
_EXACT_GROUPS: Final = 2000
_EXACT_NODES: Final = 100
# below this gap the exact finish is not worth its time
_FINISH_GAP: Final = 8e-3
_GOOD_GAP: Final = 1e-4
_FULL: Final = 1.0 + 1e-9


@dataclass(frozen=True)
class Problem:
    """Batches by year: value, cost as share of the year's budget, kilometres as share of the year's limit.

    A choice that exceeds a year's limit alone has the value minus infinity.
    """

    value: Floats
    shares: Floats
    is_forced: Flags

    def usage(self, year: Years) -> Floats:
        """Return how full each limit of each year is, as shares: limits by years."""
        placed = np.flatnonzero(year >= 0)
        used = np.zeros((self.shares.shape[0], self.value.shape[1]))
        for limit in range(self.shares.shape[0]):
            weights = self.shares[limit, placed, year[placed]]
            used[limit] = np.bincount(year[placed], weights=weights, minlength=self.value.shape[1])
        return used

    def objective(self, year: Years) -> float:
        """Return the value of a plan."""
        placed = np.flatnonzero(year >= 0)
        return float(self.value[placed, year[placed]].sum())

    def allows(self, year: Years) -> bool:
        """Tell whether a plan keeps every limit and places what is forced."""
        placed = np.flatnonzero(year >= 0)
        keeps = bool((self.usage(year) <= _FULL).all()) and bool(np.isfinite(self.value[placed, year[placed]]).all())
        return keeps and not bool((self.is_forced & (year < 0)).any())


@dataclass(frozen=True)
class Choice:
    """A plan: the year of each batch (-1: left out), its value and a proven upper bound."""

    year: Years
    objective: float
    bound: float

    @property
    def gap_share(self) -> float:
        """How far the plan may be from the best possible, as a share of the bound."""
        return max(self.bound - self.objective, 0.0) / self.bound if self.bound > 0 else 0.0


def make_problem(value: Floats, cost: Floats, budget: Floats, km: Floats, km_limit: float | None) -> Problem:
    """State a problem: value and cost by batch and year, budget by year, kilometres by batch and per year."""
    shares = [cost / budget]
    if km_limit is not None:
        shares.append(np.repeat(km[:, None] / km_limit, cost.shape[1], axis=1))
    stacked = np.stack(shares)
    fits = (stacked <= _FULL).all(axis=0)
    return Problem(np.where(fits, value, -np.inf), stacked, np.zeros(len(value), dtype=bool))


def choose(problem: Problem, is_mandatory: Flags, starts: Sequence[Years] = ()) -> tuple[Choice, bool]:
    """Choose the years of the batches, mandatory work first.

    If all mandatory batches fit, each is placed and the rest is filled by value; otherwise only mandatory batches are
    chosen, the best of them. Batches that exceed every year alone can never be placed and do not count.

    Returns
    -------
    The choice, and whether all mandatory batches that can be placed at all are placed.
    """
    placeable = np.isfinite(problem.value).any(axis=1)
    mandatory = is_mandatory & placeable
    if mandatory.any():
        choice = _solve(replace(problem, is_forced=mandatory), starts) if _may_fit(problem, mandatory) else None
        if choice is not None:
            return choice, True
        only = np.where(mandatory[:, None], problem.value, -np.inf)
        problem = replace(problem, value=only)
    choice = _solve(problem, starts)
    if choice is None:  # nothing is forced here, so the empty plan is always allowed
        choice = Choice(np.full(len(mandatory), NOT_PLACED), 0.0, 0.0)
    return choice, not mandatory.any()


def _may_fit(problem: Problem, mandatory: Flags) -> bool:
    """Tell whether all mandatory batches fit the limits of all years together, each in its cheapest year."""
    possible = np.where(np.isfinite(problem.value), problem.shares, np.inf)[:, mandatory]
    return bool((possible.min(axis=2).sum(axis=1) <= problem.value.shape[1] * _FULL).all())


def greedy(problem: Problem, is_mandatory: Flags) -> Years:
    """Return the usual plan for comparison: mandatory first, then by value per cost, each in its first free year."""
    ratio = np.max(problem.value / np.maximum(problem.shares[0], 1e-12), axis=1)
    rank = np.lexsort((np.arange(len(ratio)), -ratio, ~is_mandatory))
    year = np.full(len(ratio), NOT_PLACED, dtype=np.int64)
    room = np.ones((problem.shares.shape[0], problem.value.shape[1]))
    for group in rank.tolist():
        for at in range(problem.value.shape[1]):
            share = problem.shares[:, group, at]
            if np.isfinite(problem.value[group, at]) and (share <= room[:, at] + 1e-9).all():
                year[group] = at
                room[:, at] -= share
                break
    placeable = np.isfinite(problem.value).any(axis=1)
    if (is_mandatory & placeable & (year < 0)).any():
        year[~is_mandatory] = NOT_PLACED
    return year


def _solve(problem: Problem, starts: Sequence[Years]) -> Choice | None:
    """Solve with everything forced placed; None where that was not possible or not found."""
    best: Choice | None = None
    for start in (greedy(problem, problem.is_forced), *starts):
        best = _better(problem, best, start)
    bound, prices, promising = _descend(problem, best.objective if best else 0.0)
    for trial in promising:
        best = _better(problem, best, repair(problem, trial))
    if best is None or best.objective < bound * (1.0 - _FINISH_GAP):
        bound, best = _finish_exactly(problem, prices, bound, best)
    if best is None:
        return None
    return replace(best, bound=max(bound, best.objective))


def _better(problem: Problem, best: Choice | None, year: Years) -> Choice | None:
    """Keep the better of two plans; a plan that breaks a limit or leaves forced work out is none."""
    if not problem.allows(year):
        return best
    objective = problem.objective(year)
    return Choice(year, objective, np.inf) if best is None or objective > best.objective else best


def reduced_values(problem: Problem, prices: Floats) -> Floats:
    """Return the value of every choice less the priced share of each limit that it takes."""
    reduced = problem.value.copy()
    for limit in range(len(prices)):
        reduced -= prices[limit] * problem.shares[limit]
    return reduced


def lagrangian_bound(problem: Problem, prices: Floats) -> float:
    """Return the upper bound that prices of at least zero prove, by weak duality."""
    best = reduced_values(problem, prices).max(axis=1)
    gain = np.where(problem.is_forced, best, np.maximum(best, 0.0))
    return float(gain.sum() + prices.sum())


def _descend(problem: Problem, target: float) -> tuple[float, Floats, list[Floats]]:
    """Lower the bound by projected subgradient steps; return it with its prices and the prices worth a repair."""
    prices = np.zeros((problem.shares.shape[0], problem.value.shape[1]))
    lowest, best_prices = np.inf, prices
    scale, since = 1.0, 0
    kept: list[tuple[float, Floats]] = []
    for _ in range(_STEPS):
        reduced = reduced_values(problem, prices)
        year = np.argmax(reduced, axis=1)
        gain = reduced[np.arange(len(year)), year]
        takes = problem.is_forced | (gain > 0)
        bound = float(gain[takes].sum() + prices.sum())
        since += 1
        if bound < lowest:
            lowest, best_prices, since = bound, prices, 0
            kept.append((bound, prices))
        if since >= 8:
            scale, since = scale / 2.0, 0
            prices = best_prices
        slack = 1.0 - problem.usage(np.where(takes, year, NOT_PLACED))
        size = float((slack**2).sum())
        if size < 1e-18 or lowest - target <= _GOOD_GAP * abs(lowest):
            break
        prices = np.maximum(prices - scale * (bound - target) / size * slack, 0.0)
    kept.sort(key=lambda found: found[0])
    return lowest, best_prices, [trial for _, trial in kept[:_REPAIRS]]


def repair(problem: Problem, prices: Floats) -> Years:
    """Turn prices into a plan: forced work first, then by reduced value per room, each where it is worth most."""
    reduced = reduced_values(problem, prices)
    best = reduced.max(axis=1)
    at = np.argmax(reduced, axis=1)
    room_taken = problem.shares.sum(axis=0)[np.arange(len(at)), at]
    density = best / np.maximum(room_taken, 1e-12)
    size = np.where(problem.is_forced, room_taken, 0.0)
    rank = np.lexsort((np.arange(len(at)), -density, -size, ~problem.is_forced))
    wish = np.argsort(-reduced, axis=1, kind="stable")
    year = np.full(len(at), NOT_PLACED, dtype=np.int64)
    room = np.ones((problem.shares.shape[0], problem.value.shape[1]))
    _place(problem, rank, wish, year, room)
    # once the plan stands, the true value decides: move what can come earlier into the room that is left
    earlier = np.argsort(-problem.value, axis=1, kind="stable")
    _place(problem, rank, earlier, year, room)
    return year


def _place(problem: Problem, rank: NDArray[np.int64], wish: NDArray[np.int64], year: Years, room: Floats) -> None:
    """Place or move batches in order of rank into the first wished year with room that is better than now."""
    shares, value = problem.shares.tolist(), problem.value
    limits = range(len(shares))
    left = room.tolist()
    for group in rank.tolist():
        now = int(year[group])
        worth = value[group, now] if now >= 0 else -np.inf
        for at in wish[group].tolist():
            if not value[group, at] > worth or (now < 0 and value[group, at] == -np.inf):
                if now >= 0 and at == now:
                    break
                continue
            if all(shares[limit][group][at] <= left[limit][at] + 1e-9 for limit in limits):
                for limit in limits:
                    left[limit][at] -= shares[limit][group][at]
                    if now >= 0:
                        left[limit][now] += shares[limit][group][now]
                year[group] = at
                break
    room[:] = left


def _finish_exactly(problem: Problem, prices: Floats, bound: float, best: Choice | None) -> tuple[float, Choice | None]:
    """Close the gap of a small problem with HiGHS, after fixing the choices that the bound rules out."""
    if len(problem.value) > _EXACT_GROUPS:
        return bound, best
    from planner.exact import solve_rest

    floor = best.objective if best is not None else -np.inf
    reduced = reduced_values(problem, prices)
    top = reduced.max(axis=1)
    own = np.where(problem.is_forced, top, np.maximum(top, 0.0))
    # what the bound becomes if this choice is taken: below the plan in hand, it cannot be in a better plan
    may_be_chosen = np.isfinite(problem.value) & (bound - own[:, None] + reduced >= floor)
    may_be_left = ~problem.is_forced & (bound - own >= floor)
    year, exact_bound = solve_rest(problem.value, problem.shares, may_be_chosen, may_be_left, _EXACT_NODES)
    if year is not None:
        best = _better(problem, best, year)
    return min(bound, max(exact_bound, floor)), best
