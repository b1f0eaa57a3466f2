"""The smallest relaxation of a model that no plan can keep: which due work has to be missed, and which floors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack

from planner.solve.highs import solve_whole
from planner.solve.linear import make_linear, plan_of
from planner.solve.model import NONE, Flags, Floats, Model, Rows, by_year
from planner.solve.rows import Family, Linear, Program, part_of
from planner.solve.search import Limits

_GAP: Final = 1e-6


@dataclass(frozen=True)
class Missed:
    """Items that cannot be done by their deadline, the due work of a plan that misses only these, and reached floors.

    `floors` is by floor and place: the most that can be reached where not all can be, else the floor as it was;
    nothing where the search ended before any was found, which `is_known` tells.
    """

    items: Rows
    due_year: Rows
    floors: tuple[Floats, ...]
    is_known: bool = True


def without_duty(model: Model) -> Model:
    """Return the model without deadlines and floors; the empty plan keeps it."""
    free = replace(model.packing, deadline=np.full_like(model.packing.deadline, NONE))
    return replace(model, packing=free, floors=())


def towards_floors(model: Model) -> Model:
    """Value each choice by what it adds to floors, as a share of them, and ask for none."""
    value = np.zeros(model.shape)
    for floor in model.floors:
        asked = np.where(floor.place != NONE, floor.floor[floor.place], 0.0)[:, None]
        amount = by_year(floor.amount, model.shape[1])
        value += np.divide(amount, asked, out=np.zeros(model.shape), where=asked > 0)
    return replace(model, value=np.where(np.isfinite(model.value), value, model.value), floors=(), bonuses=None)


def find_missed(model: Model, weight: Floats, limits: Limits, is_common: bool = False) -> Missed:
    """Return the due items of least weight to be missed, and then the floors of least shortfall.

    Deadlines come first, since they are law where floors are an aim; budgets, caps, bans and streets are kept.
    With `is_common` all floors are lowered by the same share, and the least such is found.
    """
    linear = make_linear(without_duty(model))
    gain = _due_gain(model, linear, weight)
    keep = np.ones(len(linear.objective), dtype=bool)
    keep[: linear.choices] = _needed(model, linear, gain)
    part, columns, _ = part_of(linear, keep)
    wanted = np.zeros(len(part.objective))
    wanted[: part.choices] = gain[columns[: part.choices]]
    outcome = solve_whole(
        replace(part, objective=wanted), seed=limits.seed, gap_share=_GAP, node_limit=limits.node_limit
    )
    year = np.full(model.shape[0], NONE, dtype=np.int64)
    if outcome.column is not None:
        year = plan_of(part, outcome.column, model.shape[0])
    missed = _missed_items(model, year)
    floors = _reachable_floors(model, missed, limits, is_common=is_common)
    if floors is None:
        return Missed(missed, year, tuple(np.zeros_like(floor.floor) for floor in model.floors), is_known=False)
    return Missed(missed, year, floors)


def _due_gain(model: Model, linear: Linear, weight: Floats) -> Floats:
    """Return the weight of due items that each choice does in time."""
    packing = model.packing
    due = packing.deadline[packing.item]
    gain = np.zeros(model.shape)
    for year in range(model.shape[1]):
        in_time = (due != NONE) & (year <= due)
        np.add.at(gain[:, year], packing.batch[in_time], weight[packing.item[in_time]])
    return gain[linear.batch, linear.year]


def _needed(model: Model, linear: Linear, gain: Floats) -> Flags:
    """Return the choices that do due work in time, and all of the batches that such work follows, directly or not."""
    is_placed = np.zeros(model.shape[0], dtype=bool)
    is_placed[linear.batch[gain > 0]] = True
    return (gain > 0) | model.batches_before(is_placed)[linear.batch]


def _missed_items(model: Model, year: Rows) -> Rows:
    packing = model.packing
    done_in = packing.done(year)
    due = packing.deadline != NONE
    return np.flatnonzero(due & ((done_in == NONE) | (done_in > packing.deadline)))


def relaxed_model(model: Model, missed: Rows, floors: tuple[Floats, ...]) -> Model:
    """Return the model in which the missed items have no deadline and the floors are what can be reached."""
    deadline = model.packing.deadline.copy()
    deadline[missed] = NONE
    lower = tuple(replace(floor, floor=reached) for floor, reached in zip(model.floors, floors, strict=True))
    return replace(model, packing=replace(model.packing, deadline=deadline), floors=lower)


def _reachable_floors(model: Model, missed: Rows, limits: Limits, *, is_common: bool) -> tuple[Floats, ...] | None:
    """Return the floors as they are where a plan reaches them all, else those of the least shortfall by share.

    None where the search ended before any plan was found.
    """
    asked = tuple(floor.floor for floor in model.floors)
    if not any((floor > 0).any() for floor in asked):
        return asked
    linear = make_linear(relaxed_model(model, missed, asked))
    rows = np.flatnonzero(linear.family == int(Family.FLOOR))
    own = np.zeros(len(rows), dtype=np.int64) if is_common else np.arange(len(rows))
    shares = 1 if is_common else len(rows)
    lacking = coo_array((np.ones(len(rows)), (rows, own)), shape=(len(linear.family), shares))
    count = len(linear.objective)
    program = Program(
        objective=np.concatenate([np.zeros(count), -np.ones(shares)]),
        upper=np.concatenate([linear.upper, np.ones(shares)]),
        is_whole=np.concatenate([linear.is_whole, np.zeros(shares, dtype=bool)]),
        matrix=csr_array(hstack([linear.matrix, lacking])),
        row_lower=linear.row_lower,
        row_upper=linear.row_upper,
    )
    outcome = solve_whole(program, seed=limits.seed, gap_share=_GAP, node_limit=limits.node_limit)
    if outcome.column is None:
        return None
    reached = [floor.astype(np.float64).copy() for floor in asked]
    short = np.where(outcome.column[count:] > _GAP, outcome.column[count:] + _GAP, 0.0)
    for row, share in zip(rows.tolist(), short[own].tolist(), strict=True):
        reached[int(linear.part[row])][int(linear.key[row])] *= max(1.0 - share, 0.0)
    return tuple(reached)
