from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.solve.elastic import find_missed, relaxed_model
from planner.solve.model import NONE, Cap, Floats, Floor, Model, Packing, Streets
from planner.solve.search import Limits
from planner.solve.shortfall import find_shortfalls
from tests.planner.solve.cases import all_plans, obeys, random_case, rows

METRES = np.array([100.0, 50.0])


def two_batches(budget: Floats, deadline: tuple[int, int] = (0, 0)) -> Model:
    return Model(
        value=np.array([[5.0, 4.0, 3.0], [3.0, 2.0, 1.0]]),
        cost_cny=np.full((2, 3), 10.0),
        is_open=np.ones((2, 3), dtype=bool),
        budget_cny=budget,
        packing=Packing.disjoint(rows(*deadline)),
    )


def missed(model: Model, weight: Floats = METRES) -> list[int]:
    """The due items that have to be missed."""
    items: list[int] = find_missed(model, weight, Limits(0, 1e-3, 200)).items.tolist()
    return items


def test_of_two_that_the_money_does_for_one_the_shorter_is_missed() -> None:
    money = np.array([14.0, 14.0, 14.0])
    assert missed(two_batches(money)) == [1]
    assert missed(two_batches(money), np.array([50.0, 100.0])) == [0]
    assert missed(two_batches(2.0 * money)) == []


def test_bans_streets_caps_and_order_make_due_work_be_missed() -> None:
    free = two_batches(np.full(3, 20.0))
    assert missed(free) == []
    banned = replace(free, is_open=np.array([[False, False, True], [True, True, True]]))
    assert missed(replace(banned, packing=Packing.disjoint(rows(1, NONE)))) == [0]
    cut = Streets(rows(0, 1), rows(0, 0), rows(2))
    apart = replace(two_batches(np.full(3, 20.0), (0, 1)), is_open=np.array([[True] * 3, [False, True, True]]))
    assert missed(apart) == []
    assert missed(replace(apart, streets=cut)) == [1]
    assert missed(replace(free, caps=(Cap("km", np.ones(2), rows(0, 0), np.ones((1, 3))),))) == [1]
    first = replace(two_batches(np.full(3, 20.0), (0, NONE)), precedence=(rows(0), rows(1)))
    first.is_open[1, 0] = False
    assert missed(first) == [0]


def test_a_floor_that_cannot_be_reached_falls_short_by_least() -> None:
    floor = Floor("district", np.array([2.0, 1.0]), rows(0, 0), np.array([4.0]))
    model = replace(two_batches(np.full(3, 20.0), (NONE, NONE)), floors=(floor,))
    short = find_shortfalls(model)
    assert short is not None
    (one,) = short
    assert (one.code, one.place, one.asked) == ("district", 0, 4.0)
    assert one.reached == pytest.approx(3.0, rel=1e-4)


def test_all_floors_fall_short_by_the_same_least_share_where_that_is_asked() -> None:
    floor = Floor("district", np.array([2.0, 1.0]), rows(0, 1), np.array([4.0, 4.0]))
    model = replace(two_batches(np.full(3, 20.0), (NONE, NONE)), floors=(floor,))
    short = find_shortfalls(model, is_common=True)
    assert short is not None
    assert [one.reached / one.asked for one in short] == pytest.approx([0.25, 0.25], abs=1e-4)
    apart = find_shortfalls(model)
    assert apart is not None
    assert [one.reached / one.asked for one in apart] == pytest.approx([0.5, 0.25], abs=1e-4)


@pytest.mark.parametrize("seed", range(40))
def test_the_missed_weight_is_the_least_of_all_plans(seed: int) -> None:
    model, best = random_case(seed)
    if best > -np.inf:
        return
    due = np.flatnonzero(model.packing.deadline != NONE)
    weight = np.random.default_rng(seed).random(len(model.packing.deadline))
    missed = find_missed(model, weight, Limits(0, 1e-3, 200))
    free = relaxed_model(model, due, tuple(np.zeros_like(floor.floor) for floor in model.floors))
    least = min(weight_missed(model, plan, weight) for plan in all_plans(*model.shape) if obeys(free, plan))
    assert float(weight[missed.items].sum()) == pytest.approx(least, abs=1e-6)
    relaxed = relaxed_model(model, missed.items, missed.floors)
    assert any(obeys(relaxed, plan) for plan in all_plans(*model.shape))


def weight_missed(model: Model, plan: tuple[int, ...], weight: Floats) -> float:
    total = 0.0
    for item in np.flatnonzero(model.packing.deadline != NONE).tolist():
        done = [plan[batch] for batch in model.packing.batch[model.packing.item == item].tolist() if plan[batch] >= 0]
        total += 0.0 if done and done[0] <= model.packing.deadline[item] else float(weight[item])
    return total
