"""Floors that no plan reaches: how far each can be reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.solve.elastic import Missed
from planner.solve.model import Model
from planner.solve.process import run_elastic
from planner.solve.search import Limits
from planner.solve.solve import NODE_LIMIT


@dataclass(frozen=True)
class Shortfall:
    """A floor that cannot be reached: its code and place, what was asked, and what can be reached."""

    code: str
    place: int
    asked: float
    reached: float


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
