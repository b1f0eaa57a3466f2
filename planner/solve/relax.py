"""Where no plan keeps every rule: what has to give way, why, and what would help. Codes and figures, no words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.solve.elastic import Missed, relaxed_model, without_duty
from planner.solve.keep import RULES
from planner.solve.ledger import Ledger
from planner.solve.model import NONE, Floats, Model, Rows
from planner.solve.process import run_elastic
from planner.solve.search import Limits
from planner.solve.solve import NODE_LIMIT, Solution, solve

_ORDER: Final = {rule: at for at, rule in enumerate(RULES)}


@dataclass(frozen=True)
class Late:
    """A due item that cannot be done by its deadline beside the other due work.

    `codes` are the rules in its way (see `keep.RULES`) in each year up to the deadline, of the batch that the fewest
    keep out. `year` is when the
    relaxed plan does it, -1 if never. `earliest_year` is the first year after the deadline in which it fits beside
    the other due work, -1 if none; `extra_cny` is the least money that would make it fit in `extra_year` by its
    deadline, infinite (and -1) where money alone does not help.
    """

    item: int
    deadline: int
    codes: tuple[tuple[str, ...], ...]
    year: int
    earliest_year: int
    extra_cny: float
    extra_year: int


@dataclass(frozen=True)
class Shortfall:
    """A floor that cannot be reached: its code and place, what was asked, and what can be reached."""

    code: str
    place: int
    asked: float
    reached: float


@dataclass(frozen=True)
class Relaxation:
    """The smallest relaxation of a model, what gives way, and the solution of the relaxed model."""

    model: Model
    late: tuple[Late, ...]
    shortfalls: tuple[Shortfall, ...]
    solution: Solution


def relax(
    model: Model,
    weight: Floats,
    *,
    seed: int = 0,
    gap_share: float = 1e-3,
    node_limit: int = NODE_LIMIT,
    time_limit_s: float | None = None,
) -> Relaxation:
    """Let the due items of least weight (metres) miss their deadline, then floors fall short by least, and solve that.

    Budgets, caps, bans, streets and order are kept. The time limit is for the solution of the relaxed model alone.

    Raises
    ------
    EngineFailedError
        The process of the solver broke down.
    """
    missed = run_elastic(model, weight, Limits(seed, gap_share, node_limit))
    relaxed = relaxed_model(model, missed.items, missed.floors)
    solution = solve(relaxed, seed=seed, gap_share=gap_share, node_limit=node_limit, time_limit_s=time_limit_s)
    ledger = Ledger(without_duty(model))
    in_order = np.argsort(missed.due_year, kind="stable")
    placed = in_order[missed.due_year[in_order] != NONE]
    # twice: what follows another of its year may stand before it
    ledger.fill(np.tile(placed, 2), np.tile(missed.due_year[placed], 2))
    late = tuple(_explain(model, ledger, item, solution.year) for item in missed.items.tolist())
    return Relaxation(relaxed, late, _short(model, missed), solution)


def find_shortfalls(
    model: Model, *, seed: int = 0, node_limit: int = NODE_LIMIT, is_common: bool = False
) -> tuple[Shortfall, ...] | None:
    """Return the floors that cannot be reached beside the due work and what can be, of the least shortfall by share.

    With `is_common` all floors fall short by the same share. None where the search ended before it found any plan.

    Raises
    ------
    EngineFailedError
        The process of the solver broke down.
    """
    weight = np.ones(len(model.packing.deadline))
    missed = run_elastic(model, weight, Limits(seed, 0.0, node_limit), is_common=is_common)
    return _short(model, missed) if missed.is_known else None


def _short(model: Model, missed: Missed) -> tuple[Shortfall, ...]:
    return tuple(
        Shortfall(floor.code, place, float(floor.floor[place]), float(reached[place]))
        for floor, reached in zip(model.floors, missed.floors, strict=True)
        for place in np.flatnonzero(reached < floor.floor).tolist()
    )


def _explain(model: Model, ledger: Ledger, item: int, plan: Rows) -> Late:
    """Look at every batch and year of an item beside the due work that is placed."""
    deadline = int(model.packing.deadline[item])
    holders = model.packing.batch[model.packing.item == item].tolist()
    in_way = {
        (batch, year): _obstacles(model, ledger, batch, year) for batch in holders for year in range(model.shape[1])
    }
    codes = tuple(
        min((found for (_, at), found in in_way.items() if at == year), key=_fewest) for year in range(deadline + 1)
    )
    later = [year for (_, year), found in in_way.items() if year > deadline and not found]
    by_money = [
        (ledger.missing_cny(batch, year), year)
        for (batch, year), found in in_way.items()
        if year <= deadline and found == ("budget",)
    ]
    extra_cny, extra_year = min(by_money, default=(np.inf, NONE))
    done = [int(plan[batch]) for batch in holders if plan[batch] != NONE]
    return Late(
        item, deadline, codes, done[0] if done else NONE, min(later, default=NONE), float(extra_cny), extra_year
    )


def _fewest(codes: tuple[str, ...]) -> tuple[int, list[int]]:
    return len(codes), [_ORDER[code] for code in codes]


def _obstacles(model: Model, ledger: Ledger, batch: int, year: int) -> tuple[str, ...]:
    """Return the rules in the way; a batch that costs more than all money is not closed by that."""
    found = ledger.obstacles(batch, year)
    is_open = bool(model.is_open[batch, year]) and bool(np.isfinite(model.value[batch, year]))
    return tuple(code for code in found if code != "closed" or not is_open)
