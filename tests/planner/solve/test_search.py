from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.solve import core, engine
from planner.solve.elastic import without_duty
from planner.solve.engine import search
from planner.solve.greedy import greedy_plan
from planner.solve.highs import BASIC, solve_relaxed
from planner.solve.keep import keeps, plan_value
from planner.solve.linear import make_linear, plan_of, point_of
from planner.solve.model import Model, Packing, Sites, Streets
from planner.solve.prices import Prices
from planner.solve.rows import fitting, part_of, proven_bound
from planner.solve.search import Found, Limits
from planner.solve.sift import Start
from tests.planner.solve.cases import nested_case, nested_model, optimum, random_case, random_model

LIMITS = Limits(0, 1e-3, 200)


def find(model: Model) -> Found:
    return search(model, LIMITS, (greedy_plan(model),), lambda _: None)


def assert_sound(model: Model, best: float, found: Found, loss_share: float) -> None:
    """Feasible or not as it is, the bound above the best, the plan kept to the rules and near the best."""
    if best == -np.inf:
        assert found.year is None
        return
    assert not found.is_infeasible
    assert found.bound >= best - 1e-6
    assert found.year is not None
    assert keeps(model, found.year)
    assert found.objective == pytest.approx(plan_value(model, found.year))
    assert best * (1.0 - loss_share) - 1e-6 <= found.objective <= best + 1e-6


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_small_model_is_solved_to_the_best_of_all_plans(seed: int) -> None:
    model, best = random_case(seed)
    found = find(model)
    assert_sound(model, best, found, 1e-6)
    assert found.is_infeasible == (best == -np.inf)
    assert found.year is None or found.bound <= best + 1e-5


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_the_ways_of_large_models_hold_on_small_ones(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "SMALL_COLUMNS", 0)
        for model, best in (random_case(seed), nested_case(seed)):
            found = find(model)
            assert_sound(model, best, found, 0.05)
            usual = greedy_plan(model)
            assert not keeps(model, usual) or found.objective >= plan_value(model, usual)


@pytest.mark.parametrize("seed", range(24))
def test_a_search_on_some_choices_proves_no_more_than_it_saw(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "SMALL_COLUMNS", 0)
        patch.setattr(core, "_CORES", (1, 3))
        patch.setattr(core, "_SHARED_CORES", (1, 3))
        model, best = random_case(seed)
        assert_sound(model, best, find(model), 1.0)


@pytest.mark.parametrize("seed", range(20))
def test_every_plan_is_a_point_of_the_program(seed: int) -> None:
    model = random_model(seed)
    free = without_duty(model)
    plan = greedy_plan(free)
    linear = make_linear(free)
    point = point_of(linear, free, plan)
    use = linear.matrix @ point
    assert (use <= linear.row_upper + 1e-9).all()
    assert (use >= linear.row_lower - 1e-9).all()
    assert float(linear.objective @ point) == pytest.approx(plan_value(free, plan))
    assert plan_of(linear, point, model.shape[0]).tolist() == plan.tolist()


@pytest.mark.parametrize("seed", range(20))
def test_the_value_of_the_relaxed_model_is_that_of_its_prices(seed: int) -> None:
    linear = make_linear(random_model(seed))
    relaxed = solve_relaxed(linear, seed=0)
    if not relaxed.is_infeasible:
        assert proven_bound(linear, fitting(linear, relaxed.price)) == pytest.approx(relaxed.bound, rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_a_program_that_has_grown_is_solved_the_same_from_the_basis_of_its_part(seed: int) -> None:
    linear = make_linear(random_model(seed))
    if solve_relaxed(linear, seed=0).is_infeasible:
        return
    keep = np.ones(len(linear.objective), dtype=bool)
    keep[: linear.choices] = np.random.default_rng(seed).random(linear.choices) < 0.5
    part, columns, rows = part_of(linear, keep)
    start = Start(len(keep), len(linear.family))
    assert start.of(columns, rows) is None
    solved = solve_relaxed(part, seed=0)
    start.take(columns, rows, solved.basis)
    everything = np.arange(len(keep)), np.arange(len(linear.family))
    basis = start.of(*everything)
    grown = solve_relaxed(linear, seed=0, basis=basis)
    assert grown.bound == pytest.approx(solve_relaxed(linear, seed=0).bound)
    if basis is None:
        assert solved.is_infeasible
        return
    # a basis has as many columns and rows in it as there are rows
    assert (basis.column == BASIC).sum() + (basis.row == BASIC).sum() == len(linear.family)


def adds_up(prices: Prices) -> bool:
    is_open = np.isfinite(prices.reduced)
    parts = prices.profit - prices.batch[:, None] + prices.together
    return bool(np.allclose(parts[is_open], prices.reduced[is_open], atol=1e-7))


@pytest.mark.parametrize("columns", [0, 4000])
@pytest.mark.parametrize("seed", range(8))
def test_a_forced_choice_costs_what_its_price_says_at_least(
    seed: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SMALL_COLUMNS", columns)
    model, best = nested_case(seed)
    found = find(model)
    prices = found.prices
    if prices is None:
        assert best == -np.inf
        return
    assert adds_up(prices)
    proven = prices.bound if columns == 0 else proven_bound_of(model)
    for batch, year in zip(*np.nonzero(model.reachable()), strict=True):
        is_open = model.is_open.copy()
        is_open[batch] = np.arange(model.shape[1]) == year
        deadline = model.packing.deadline.copy()
        deadline[batch] = year
        forced = replace(model, is_open=is_open, packing=replace(model.packing, deadline=deadline))
        assert optimum(forced) <= proven + max(prices.reduced[batch, year], -np.inf) + 1e-6


def proven_bound_of(model: Model) -> float:
    linear = make_linear(model)
    return proven_bound(linear, fitting(linear, solve_relaxed(linear, seed=0).price))


@pytest.mark.parametrize("seed", range(6))
def test_more_money_never_hurts_and_a_ban_never_helps(seed: int) -> None:
    model = nested_model(seed)
    now = find(model)
    if now.year is None:
        return
    richer = find(replace(model, budget_cny=model.budget_cny * 1.2))
    assert richer.objective >= now.objective - 1e-6
    banned = model.is_open.copy()
    banned[:, 0] = False
    assert find(replace(model, is_open=banned)).objective <= now.objective + 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_units_and_the_order_of_rows_do_not_matter(seed: int) -> None:
    model = nested_model(seed)
    now = find(model)
    assert model.sites is not None
    in_ten_thousands = replace(
        model,
        cost_cny=model.cost_cny * 1e4,
        budget_cny=model.budget_cny * 1e4,
        sites=Sites(model.sites.site, model.sites.cost_cny * 1e4),
    )
    again = find(in_ten_thousands)
    assert (again.year is None) == (now.year is None)
    items = Packing(model.packing.item[::-1], model.packing.batch[::-1], model.packing.deadline)
    turned = np.random.default_rng(seed).permutation(len(model.streets.batch))
    mixed = Streets(model.streets.batch[turned], model.streets.street[turned], model.streets.closed_years)
    other = find(replace(model, streets=mixed, packing=items))
    if now.year is not None:
        assert again.objective == pytest.approx(now.objective)
        assert other.objective == pytest.approx(now.objective)


@pytest.mark.parametrize("columns", [0, 4000])
def test_equal_input_gives_an_equal_plan(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SMALL_COLUMNS", columns)
    model = nested_model(4, batches=12, years=3)
    first, second = find(model), find(model)
    assert first.year is not None
    assert second.year is not None
    assert first.year.tolist() == second.year.tolist()
    assert (first.bound, first.nodes) == (second.bound, second.nodes)
