from __future__ import annotations

import itertools

import numpy as np
import pytest

from planner.solve.coupling import couple
from planner.solve.dual import Dual, Multipliers, descend
from planner.solve.keep import left_over
from planner.solve.linear import make_linear
from planner.solve.model import NONE, Floats, Model, Streets
from planner.solve.nest import Nest, best_choice, best_with_each, nest_of
from planner.solve.rows import fitting, proven_bound
from tests.planner.solve.cases import nested_case, nested_model, random_case, random_model, rows


def nest_for(model: Model) -> Nest:
    nest = nest_of(model)
    assert nest is not None
    return nest


def by_hand(model: Model, nest: Nest, profit: Floats, site_price: Floats) -> dict[tuple[int, ...], float]:
    """The worth of every choice of years that the streets allow, sites paid once a year."""
    street, site, position = nest.street_of_rows(), nest.site_of_rows(), range(len(nest.order))
    closed = dict(zip(model.streets.batch.tolist(), model.streets.closed_years[model.streets.street], strict=True))
    worths = {}
    for plan in itertools.product(range(-1, model.shape[1]), repeat=len(nest.order)):
        if any(plan[row] < 0 and nest.is_due[row] for row in position):
            continue
        cuts = [(a, b) for a in position for b in position if street[a] == street[b] and min(plan[a], plan[b]) >= 0]
        if any(0 < plan[a] - plan[b] < closed[int(nest.order[a])] for a, b in cuts):
            continue
        opened = {(int(site[row]), plan[row]) for row in position if plan[row] >= 0}
        worths[plan] = sum(profit[plan[row], row] for row in position if plan[row] >= 0) - sum(
            site_price[year, place] for place, year in opened
        )
    return worths


@pytest.mark.parametrize("seed", range(8))
def test_the_best_choice_and_every_forced_one_are_those_found_by_hand(seed: int) -> None:
    model = nested_model(seed, batches=5)
    nest = nest_for(model)
    rng = np.random.default_rng(seed)
    may = model.reachable()[nest.order].T
    profit = np.where(may, rng.normal(0, 3, may.shape), -np.inf)
    site_price = rng.random((model.shape[1], len(nest.site_start))) * 2
    worths = by_hand(model, nest, profit, site_price)
    best = max(worths.values(), default=-np.inf)
    total, year, _ = best_choice(nest, profit, site_price)
    assert total == pytest.approx(best)
    if np.isfinite(best):
        assert worths[tuple(year.tolist())] == pytest.approx(best)
        loss = best_with_each(nest, profit, site_price)
        for at, row in itertools.product(range(model.shape[1]), range(len(nest.order))):
            forced = max((worth for plan, worth in worths.items() if plan[row] == at), default=-np.inf)
            assert loss[at, row] == pytest.approx(forced - best, abs=1e-9)


def test_batches_that_share_an_item_or_open_two_streets_are_not_nested() -> None:
    model = nested_model(0)
    assert nest_of(random_model(1)) is None
    two = Streets(rows(0, 1, 0, 2), rows(0, 0, 1, 1), rows(3, 3))
    assert (
        nest_of(Model(model.value, model.cost_cny, model.is_open, model.budget_cny, model.packing, streets=two)) is None
    )


@pytest.mark.parametrize("seed", range(30))
def test_any_prices_prove_a_bound(seed: int) -> None:
    model, best = nested_case(seed)
    rng = np.random.default_rng(seed)
    dual = Dual.of(model, nest_for(model), couple(model))
    start = dual.start()
    for scale in (0.0, 1.0, 10.0):
        tried = Multipliers(rng.random(len(start.price)) * scale, rng.random(start.share.shape))
        assert dual.answer(tried).bound >= best - 1e-9
    descent = descend(dual, start, max(best, 0.0), steps=60, keep=5, gap_share=1e-6)
    assert descent.bound >= best - 1e-9
    assert descent.bound <= dual.answer(start).bound


@pytest.mark.parametrize("seed", range(15))
def test_any_prices_of_rows_prove_a_bound(seed: int) -> None:
    model, best = random_case(seed)
    linear = make_linear(model)
    rng = np.random.default_rng(seed)
    for scale in (0.0, 1.0, 10.0):
        price = fitting(linear, rng.normal(0, scale, len(linear.family)))
        assert proven_bound(linear, price) >= best - 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_money_carried_on_is_counted_alike_by_year_and_up_to_each_year(seed: int) -> None:
    model = nested_model(seed)
    rng = np.random.default_rng(seed)
    year = np.where(model.reachable().any(axis=1), model.reachable().argmax(axis=1), NONE)
    year[rng.random(len(year)) < 0.3] = NONE
    dual = Dual.of(model, nest_for(model), couple(model))
    used = np.zeros(dual.coupling.rows)
    for batch in np.flatnonzero(year != NONE).tolist():
        used += dual.coupling.uses[[batch * model.shape[1] + int(year[batch])]].toarray().ravel()
    assert model.sites is not None
    for site, at in {(int(model.sites.site[b]), int(year[b])) for b in np.flatnonzero(year != NONE)}:
        years = model.shape[1]
        used[:years] += model.sites.cost_cny[site] * dual.coupling.fades[:, at] / dual.coupling.scale[:years]
    slack = (dual.coupling.limit - used) * dual.coupling.scale
    assert slack[: model.shape[1]] == pytest.approx(left_over(model, year))
