"""Small planning models of every feature, and the slow obvious truth about them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from planner.solve.model import NONE, Bonuses, Cap, Floor, Model, Packing, Rows, Sites, Streets


def random_model(seed: int, batches: int = 5, years: int = 3) -> Model:
    """A model with every rule: shared items, due items, streets, sites, caps, floors, bonuses, order, carried money."""
    rng = np.random.default_rng(seed)
    cost = rng.integers(5, 30, (batches, 1)).astype(np.float64) * rng.choice([0.75, 1.0, 1.0], (batches, years))
    items = int(rng.integers(3, 8))
    held = np.unique(np.stack([rng.integers(0, items, 2 * batches), np.repeat(np.arange(batches), 2)], axis=1), axis=0)
    opens = np.unique(np.stack([rng.integers(0, batches, batches), rng.integers(0, 3, batches)], axis=1), axis=0)
    pair = rng.integers(0, batches, (3, 2))
    pair = pair[pair[:, 0] != pair[:, 1]]
    order = rng.integers(0, items, (2, 2))
    order = order[order[:, 0] != order[:, 1]]
    due = np.where(rng.random(items) < 0.08, rng.integers(0, years, items), NONE)
    least = float(rng.choice([0.0, 0.1, 0.3]))
    return Model(
        value=(rng.random((batches, 1)) * 10) * 0.95 ** np.arange(years),
        cost_cny=cost,
        is_open=rng.random((batches, years)) < 0.85,
        budget_cny=rng.integers(15, 60, years).astype(np.float64),
        packing=Packing(held[:, 0], held[:, 1], due),
        carried_share=float(rng.choice([0.0, 0.5, 1.0])),
        streets=Streets(opens[:, 0], opens[:, 1], rng.integers(1, years + 1, 3)),
        sites=Sites(rng.integers(-1, 2, batches), rng.integers(1, 8, 2).astype(np.float64)),
        caps=(Cap("km", rng.random(batches), rng.integers(-1, 2, batches), rng.random((2, years)) * 1.5 + 0.3),),
        floors=(Floor("share", rng.random(batches), rng.integers(-1, 2, batches), rng.random(2) * least),),
        bonuses=Bonuses(pair[:, 0], pair[:, 1], rng.random((len(pair), years)) * 3),
        precedence=(order[:, 0], order[:, 1]),
    )


def nested_model(seed: int, batches: int = 6, years: int = 3) -> Model:
    """A model whose batches lie in streets and streets in sites, without shared items and order."""
    rng = np.random.default_rng(seed)
    street = np.sort(rng.integers(0, 3, batches))
    base = random_model(seed, batches, years)
    site_of_street = np.array([0, 0, 1])
    due = np.where(rng.random(batches) < 0.15, rng.integers(0, years, batches), NONE)
    return Model(
        value=base.value,
        cost_cny=base.cost_cny,
        is_open=base.is_open,
        budget_cny=base.budget_cny * 1.3,
        packing=Packing.disjoint(due),
        carried_share=base.carried_share,
        streets=Streets(np.arange(batches), street, rng.integers(1, years + 1, 3)),
        sites=Sites(site_of_street[street], rng.integers(1, 8, 2).astype(np.float64)),
        caps=base.caps,
        floors=base.floors,
        bonuses=base.bonuses if seed % 2 else None,
    )


def all_plans(batches: int, years: int) -> Iterator[tuple[int, ...]]:
    return itertools.product(range(-1, years), repeat=batches)


def obeys(model: Model, plan: tuple[int, ...]) -> bool:
    """Every rule in turn, by hand."""
    placed = [(batch, year) for batch, year in enumerate(plan) if year >= 0]
    done = [
        max((plan[batch] for batch in holders_of(model, item)), default=-1)
        for item in range(len(model.packing.deadline))
    ]
    late, early = (rows.tolist() for rows in model.precedence)
    return (
        all(model.is_open[batch, year] for batch, year in placed)
        and _obeys_items(model, plan)
        and _obeys_budgets(model, placed)
        and _obeys_streets(model, plan)
        and _obeys_amounts(model, placed)
        and all(done[a] < 0 or 0 <= done[b] <= done[a] for a, b in zip(late, early, strict=True))
    )


def holders_of(model: Model, item: int) -> list[int]:
    return [int(batch) for batch in model.packing.batch[model.packing.item == item]]


def _obeys_items(model: Model, plan: tuple[int, ...]) -> bool:
    for item, deadline in enumerate(model.packing.deadline.tolist()):
        holders = model.packing.batch[model.packing.item == item].tolist()
        done = [plan[batch] for batch in holders if plan[batch] >= 0]
        if len(done) > 1 or (deadline >= 0 and (not done or done[0] > deadline)):
            return False
    return True


def _obeys_budgets(model: Model, placed: list[tuple[int, int]]) -> bool:
    left = 0.0
    for year in range(model.shape[1]):
        here = [batch for batch, at in placed if at == year]
        spent = sum(model.cost_cny[batch, year] for batch in here)
        if model.sites is not None:
            spent += sum(model.sites.cost_cny[site] for site in {int(model.sites.site[batch]) for batch in here} - {-1})
        left = model.budget_cny[year] + model.carried_share * left - spent
        if left < -1e-8:
            return False
    return True


def _obeys_streets(model: Model, plan: tuple[int, ...]) -> bool:
    opens = list(zip(model.streets.batch.tolist(), model.streets.street.tolist(), strict=True))
    for (one, street), (other, same) in itertools.product(opens, opens):
        if street == same and plan[other] >= 0 and 0 < plan[one] - plan[other] < model.streets.closed_years[street]:
            return False
    return True


def _obeys_amounts(model: Model, placed: list[tuple[int, int]]) -> bool:
    for cap in model.caps:
        for place, year in itertools.product(range(len(cap.cap)), range(model.shape[1])):
            amount = sum(cap.amount[batch] for batch, at in placed if at == year and cap.place[batch] == place)
            if amount > cap.cap[place, year] + 1e-9:
                return False
    for floor in model.floors:
        for place, least in enumerate(floor.floor.tolist()):
            if sum(floor.amount[batch] for batch, _ in placed if floor.place[batch] == place) < least - 1e-9:
                return False
    return True


def worth(model: Model, plan: tuple[int, ...]) -> float:
    total = sum(float(model.value[batch, year]) for batch, year in enumerate(plan) if year >= 0)
    if model.bonuses is not None:
        for pair, (a, b) in enumerate(zip(model.bonuses.first.tolist(), model.bonuses.second.tolist(), strict=True)):
            if plan[a] >= 0 and plan[a] == plan[b]:
                total += float(model.bonuses.value[pair, plan[a]])
    return total


def optimum(model: Model) -> float:
    """The value of the best plan of all; minus infinity where none keeps every rule."""
    worths = sorted(((worth(model, plan), plan) for plan in all_plans(*model.shape)), reverse=True)
    return next((value for value, plan in worths if obeys(model, plan)), -np.inf)


@cache
def random_case(seed: int) -> tuple[Model, float]:
    model = random_model(seed)
    return model, optimum(model)


@cache
def nested_case(seed: int) -> tuple[Model, float]:
    model = nested_model(seed, batches=5)
    return model, optimum(model)


def rows(*numbers: int) -> Rows:
    return np.array(numbers, dtype=np.int64)


def out(model: Model) -> NDArray[np.int64]:
    return np.full(model.shape[0], NONE, dtype=np.int64)
