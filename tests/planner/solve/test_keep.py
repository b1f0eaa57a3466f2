from __future__ import annotations

import itertools

import numpy as np
import pytest

from planner.solve.greedy import greedy_plan
from planner.solve.keep import RULES, broken_rules, keeps, plan_value
from planner.solve.ledger import Ledger
from planner.solve.model import NONE, Floor, Model, Packing
from tests.planner.solve.cases import all_plans, nested_model, obeys, out, random_model, rows, worth


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_keeps_the_rules_as_they_are_read_by_hand(seed: int) -> None:
    model = random_model(seed, batches=4)
    kept = 0
    for plan in all_plans(*model.shape):
        year = np.array(plan)
        assert keeps(model, year) == obeys(model, plan), plan
        assert plan_value(model, year) == pytest.approx(worth(model, plan))
        kept += keeps(model, year)
    assert kept > 0 or (model.packing.deadline != NONE).any() or (model.floors[0].floor > 0).any()


def test_each_broken_rule_is_named() -> None:
    seen: set[str] = set()
    for seed in range(12):
        model = random_model(seed, batches=4)
        for plan in itertools.islice(all_plans(*model.shape), 0, None, 3):
            seen.update(broken_rules(model, np.array(plan)))
    assert seen == set(RULES)


@pytest.mark.parametrize("seed", range(12))
def test_the_usual_plan_keeps_every_limit(seed: int) -> None:
    for model in (random_model(seed), nested_model(seed)):
        assert set(broken_rules(model, greedy_plan(model))) <= {"deadline", "floor"}


def test_the_usual_plan_lifts_a_floor_with_batches_that_are_worth_little() -> None:
    model = Model(
        value=np.array([[9.0], [1.0]]),
        cost_cny=np.ones((2, 1)),
        is_open=np.ones((2, 1), dtype=bool),
        budget_cny=np.ones(1),
        packing=Packing.disjoint(rows(NONE, NONE)),
        floors=(Floor("district", np.ones(2), rows(NONE, 0), np.ones(1)),),
    )
    assert greedy_plan(model).tolist() == [NONE, 0]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_taken_out_of_a_ledger_leaves_no_trace(seed: int) -> None:
    model = random_model(seed)
    ledger, fresh = Ledger(model), Ledger(model)
    choices = list(itertools.product(range(model.shape[0]), range(model.shape[1])))
    for batch, year in choices:
        if ledger.fits(batch, year):
            ledger.place(batch, year)
            ledger.take_out(batch)
    assert ledger.plan().tolist() == out(model).tolist()
    for batch, year in choices:
        assert ledger.fits(batch, year) == fresh.fits(batch, year)
        assert ledger.fits(batch, year) == (not ledger.obstacles(batch, year))
