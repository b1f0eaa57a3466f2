from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from planner.exact import solve_rest
from planner.optimise import NOT_PLACED, Problem, choose, greedy, lagrangian_bound, make_problem


def random_problem(seed: int, groups: int, years: int, share: float, km_share: float | None = None) -> Problem:
    rng = np.random.default_rng(seed)
    alone = rng.lognormal(12, 0.9, groups)
    relief = np.array([sum(1.04**-k for k in range(year, 30)) for year in range(years)])
    value = (alone / 1e6 * rng.lognormal(0, 0.7, groups))[:, None] * relief
    cost = np.repeat(alone[:, None], years, axis=1)
    joint = np.flatnonzero(rng.random(groups) < 0.3)
    cost[joint, rng.integers(0, years, len(joint))] *= 0.75
    km = alone / 1e6
    limit = None if km_share is None else km.sum() * km_share / years
    return make_problem(value, cost, np.full(years, alone.sum() * share / years), km, limit)


def brute_force(problem: Problem, forced: NDArray[np.bool_]) -> float | None:
    best = None
    count, years = problem.value.shape
    for plan in itertools.product(range(-1, years), repeat=count):
        year = np.array(plan)
        if problem.allows(year) and not (forced & (year < 0)).any():
            best = max(best or 0.0, problem.objective(year))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_bound_and_plan_against_every_possible_plan(seed: int) -> None:
    problem = random_problem(seed, 7, 2, 0.5, km_share=0.6 if seed % 2 else None)
    mandatory = np.zeros(7, dtype=bool)
    mandatory[: seed % 3] = True
    mandatory &= np.isfinite(problem.value).any(axis=1)
    best = brute_force(problem, mandatory)
    choice, fits = choose(problem, mandatory)
    assert fits == (best is not None)
    if best is not None:
        assert problem.allows(choice.year)
        assert choice.bound >= best - 1e-9
        assert choice.objective == pytest.approx(best, rel=2e-2)
        assert choice.objective <= choice.bound + 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_any_prices_give_a_valid_bound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = random_problem(seed, 24, 3, 0.4, km_share=0.5)
    everything = np.isfinite(problem.value)
    year, exact = solve_rest(problem.value, problem.shares, everything, np.ones(24, dtype=bool), 500)
    assert year is not None
    for scale in (0.0, 0.1, 1.0, 10.0):
        prices = rng.uniform(0, scale * problem.value[everything].mean(), (2, 3))
        assert lagrangian_bound(problem, prices) >= problem.objective(year) - 1e-9
    choice, _ = choose(problem, np.zeros(24, dtype=bool))
    assert choice.bound >= problem.objective(year) - 1e-9
    assert choice.objective <= exact + 1e-9


@pytest.mark.parametrize(("groups", "gap"), [(60, 1e-2), (300, 1e-2), (5000, 2e-3)])
def test_the_gap_is_small_and_greedy_is_worse(groups: int, gap: float) -> None:
    problem = random_problem(3, groups, 5, 0.3)
    nothing = np.zeros(groups, dtype=bool)
    choice, _ = choose(problem, nothing)
    assert choice.gap_share <= gap
    assert problem.allows(choice.year)
    assert problem.objective(greedy(problem, nothing)) <= choice.objective


def test_equal_input_gives_an_equal_plan() -> None:
    problem = random_problem(5, 80, 4, 0.3)
    mandatory = np.arange(80) % 9 == 0
    first, again = (choose(problem, mandatory)[0] for _ in range(2))
    assert (first.year == again.year).all()
    assert (first.objective, first.bound) == (again.objective, again.bound)


def test_mandatory_work_is_placed_first() -> None:
    problem = random_problem(1, 200, 5, 0.3)
    mandatory = np.arange(200) % 10 == 0
    choice, fits = choose(problem, mandatory)
    assert fits
    assert (choice.year[mandatory] >= 0).all()
    assert (choice.year[~mandatory] >= 0).any()


def test_if_not_all_mandatory_fits_only_mandatory_is_placed() -> None:
    problem = random_problem(1, 200, 5, 0.1)
    mandatory = np.arange(200) % 2 == 0
    choice, fits = choose(problem, mandatory)
    assert not fits
    assert (choice.year[~mandatory] == NOT_PLACED).all()
    assert (choice.year[mandatory] >= 0).any()
    assert choice.gap_share <= 0.02


def test_a_batch_beyond_every_budget_is_left_out_and_does_not_block_the_rest() -> None:
    value, cost = np.array([[9.0, 8.0], [2.0, 1.0]]), np.array([[50.0, 50.0], [5.0, 5.0]])
    problem = make_problem(value, cost, np.array([10.0, 10.0]), np.ones(2), None)
    choice, fits = choose(problem, np.array([True, False]))
    assert choice.year.tolist() == [NOT_PLACED, 0]
    assert fits


def test_a_budget_for_everything_places_everything_at_once_without_gap() -> None:
    problem = random_problem(2, 50, 3, 300.0)
    choice, _ = choose(problem, np.zeros(50, dtype=bool))
    assert (choice.year == 0).all()
    assert choice.gap_share < 1e-9


def test_a_larger_budget_never_removes_less() -> None:
    objectives = [
        choose(random_problem(4, 60, 3, share), np.zeros(60, dtype=bool))[0] for share in (0.1, 0.2, 0.4, 0.8)
    ]
    for small, large in itertools.pairwise(objectives):
        assert large.objective >= small.objective * (1 - small.gap_share - large.gap_share)


def test_kilometres_limit_a_year() -> None:
    problem = random_problem(6, 100, 4, 5.0, km_share=0.3)
    choice, _ = choose(problem, np.zeros(100, dtype=bool))
    usage = problem.usage(choice.year)
    assert (usage[1] <= 1 + 1e-9).all()
    assert usage[1].min() > 0.8
