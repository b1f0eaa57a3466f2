"""What a plan is worth and which rules of the model it breaks: the check of every plan before it is handed on."""

from __future__ import annotations

from typing import Final

import numpy as np

from planner.solve.model import NONE, SLACK_SHARE, Floats, Model, Rows, by_year

# the codes of the rules, in the order in which they are looked at
RULES: Final = ("closed", "packing", "deadline", "budget", "street", "cap", "floor", "follows")


def plan_value(model: Model, year: Rows) -> float:
    """Return the value of a plan: what its batches are worth in their years, and the bonuses of its pairs."""
    placed = np.flatnonzero(year != NONE)
    worth = float(model.value[placed, year[placed]].sum())
    if model.bonuses is None:
        return worth
    first, second = year[model.bonuses.first], year[model.bonuses.second]
    together = np.flatnonzero((first == second) & (first != NONE))
    return worth + float(model.bonuses.value[together, first[together]].sum())


def spending(model: Model, year: Rows) -> Floats:
    """Return what a plan costs in each year, the sites set up included."""
    placed = np.flatnonzero(year != NONE)
    years = model.shape[1]
    spent = np.zeros(years)
    np.add.at(spent, year[placed], model.cost_cny[placed, year[placed]])
    if model.sites is None:
        return spent
    at_site = placed[model.sites.site[placed] != NONE]
    set_up = np.unique(model.sites.site[at_site] * years + year[at_site])
    np.add.at(spent, set_up % years, model.sites.cost_cny[set_up // years])
    return spent


def left_over(model: Model, year: Rows) -> Floats:
    """Return the money left at the end of each year; below zero where a budget does not suffice."""
    left = np.zeros(model.shape[1])
    kept = 0.0
    for at, (budget, spent) in enumerate(zip(model.budget_cny, spending(model, year), strict=True)):
        kept = float(budget) + model.carried_share * kept - float(spent)
        left[at] = kept
    return left


def broken_rules(model: Model, year: Rows) -> tuple[str, ...]:
    """Return the codes of the rules that a plan breaks, in the order of `RULES`; none for a plan that keeps all."""
    placed = np.flatnonzero(year != NONE)
    if len(placed) and not bool(((year[placed] >= 0) & (year[placed] < model.shape[1])).all()):
        return ("closed",)
    checks = (
        bool((model.is_open & np.isfinite(model.value))[placed, year[placed]].all()),
        _keeps_packing(model, year),
        _keeps_deadlines(model, year),
        bool((left_over(model, year) >= -SLACK_SHARE * np.maximum(model.fund_cny(), 1.0)).all()),
        _keeps_streets(model, year),
        _keeps_caps(model, year),
        _keeps_floors(model, year),
        _keeps_order(model, year),
    )
    return tuple(rule for rule, kept in zip(RULES, checks, strict=True) if not kept)


def keeps(model: Model, year: Rows) -> bool:
    """Tell whether a plan keeps every rule of the model."""
    return not broken_rules(model, year)


def _keeps_packing(model: Model, year: Rows) -> bool:
    taken = model.packing.item[year[model.packing.batch] != NONE]
    return bool((np.bincount(taken, minlength=1) <= 1).all())


def _keeps_deadlines(model: Model, year: Rows) -> bool:
    done_in = model.packing.done(year)
    due = model.packing.deadline != NONE
    return bool(((done_in[due] != NONE) & (done_in[due] <= model.packing.deadline[due])).all())


def _keeps_streets(model: Model, year: Rows) -> bool:
    years = model.shape[1]
    opens = year[model.streets.batch] != NONE
    cuts = np.unique(model.streets.street[opens] * years + year[model.streets.batch[opens]])
    street, at = cuts // years, cuts % years
    same = street[1:] == street[:-1]
    return bool((np.diff(at) >= model.streets.closed_years[street[1:]])[same].all())


def amounts_by_place(amount: Floats, place: Rows, year: Rows, shape: tuple[int, int]) -> Floats:
    """Return the sum of an amount over the batches of each place in each year: (places, years)."""
    years = shape[1]
    placed = np.flatnonzero((year != NONE) & (place != NONE))
    sums = np.zeros(shape)
    np.add.at(sums, (place[placed], year[placed]), by_year(amount, years)[placed, year[placed]])
    return sums


def _keeps_caps(model: Model, year: Rows) -> bool:
    return all(
        bool((amounts_by_place(cap.amount, cap.place, year, _two(cap.cap)) <= _raised(cap.cap)).all())
        for cap in model.caps
    )


def _keeps_floors(model: Model, year: Rows) -> bool:
    years = model.shape[1]
    return all(
        bool(
            (
                amounts_by_place(floor.amount, floor.place, year, (len(floor.floor), years)).sum(axis=1)
                >= floor.floor - SLACK_SHARE * np.maximum(np.abs(floor.floor), 1.0)
            ).all()
        )
        for floor in model.floors
    )


def _two(array: Floats) -> tuple[int, int]:
    return array.shape[0], array.shape[1]


def _raised(limit: Floats) -> Floats:
    return limit + SLACK_SHARE * np.maximum(np.abs(limit), 1.0)


def _keeps_order(model: Model, year: Rows) -> bool:
    done = model.packing.done(year)
    late, early = (done[items] for items in model.precedence)
    return bool(((late == NONE) | ((early != NONE) & (early <= late))).all())
