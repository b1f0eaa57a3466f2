"""Where no plan keeps all limits: which floors cannot be reached, what stands in the way, the smallest change."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from planner.choice import Duties, Effort, Programme, choose_programme
from planner.conditions import NONE
from planner.factors import Floats
from planner.limits import Limits
from planner.solve.elastic import without_duty
from planner.solve.model import Model, Streets
from planner.solve.relax import Shortfall, find_shortfalls
from registry.errors import Phrase, PlanningError

_INFEASIBLE: Final = "infeasible"
# shares are told with four places, rounded down so that they can be reached
_PLACES: Final = 1e4
_HALVINGS: Final = 7


def check_possible(
    programme: Programme, raw: Model, duties: Duties, district_names: pd.Index, limits: Limits, effort: Effort
) -> None:
    """Raise where no plan keeps all limits.

    `raw` and `duties` are the model before any deadline of the law, and what the law asks for. Deadlines give way
    before a plan is impossible (`planner.late` tells of those); budgets, caps and closed streets are kept by leaving
    out. What is left are the floors of districts.

    Raises
    ------
    PlanningError
        Where no plan was found: with the floors that cannot be reached, what can be, each limit without which they
        could be reached, and the greatest floor for all districts that was found to leave a plan.
    """
    solution, share = programme.solution, limits.district_floor_share
    if np.isfinite(solution.objective):
        return
    if solution.status != _INFEASIBLE or not programme.model.floors or not share:
        raise PlanningError("plan_not_found")
    kilometres = programme.model.floors[0].floor / share
    found = _short(raw, effort)
    rules = [rule for rule, model in _without(raw).items() if found and not _short(model, effort)]
    reachable = _greatest(raw, found, kilometres, share, effort)
    again = choose_programme(_lower(raw, kilometres * reachable), duties, effort)
    if not np.isfinite(again.solution.objective):
        # within reach by itself, yet not past the law
        rules.append("mandatory_first")
        narrow = _short(programme.model, effort)
        found = found or narrow
        reachable = _greatest(programme.model, narrow, kilometres, reachable, effort)
    reason = "plan_floor_blocked" if rules else "plan_floor_blocked_unknown"
    raise PlanningError(
        "plan_floor_unreachable",
        floors=tuple(_told(one, kilometres, district_names) for one in found),
        reason=Phrase(reason, {"rules": tuple(Phrase(f"plan_floor_rule_{rule}") for rule in rules)}),
        options=Phrase("plan_floor_options", {"share": float(np.floor(reachable * _PLACES) / _PLACES)}),
    )


def _lower(model: Model, floor: Floats) -> Model:
    return replace(model, floors=(replace(model.floors[0], floor=floor),))


def _short(model: Model, effort: Effort) -> tuple[Shortfall, ...]:
    return find_shortfalls(model, seed=effort.seed, node_limit=effort.node_limit)


def _greatest(model: Model, found: tuple[Shortfall, ...], kilometres: Floats, asked: float, effort: Effort) -> float:
    """Return about the greatest share that all districts can reach at once: halving between what is and is not."""
    if not found:
        return asked
    low = min(one.reached / max(float(kilometres[one.place]), 1e-9) for one in found)
    high = asked
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if _short(_lower(model, kilometres * middle), effort):
            high = middle
        else:
            low = middle
    return low


def _without(model: Model) -> dict[str, Model]:
    """Return the model without each of its limits in turn."""
    none = np.zeros(0, dtype=np.int64)
    enough = np.full(model.shape[1], float(model.cost_cny.sum()) + 1.0)
    found = {
        "money": replace(model, budget_cny=enough),
        "bans": replace(model, is_open=np.ones_like(model.is_open)),
        "streets": replace(model, streets=Streets(none, none, model.streets.closed_years)),
    }
    if model.caps:
        found["caps"] = replace(model, caps=())
    if (model.packing.deadline != NONE).any():
        found["locks"] = replace(without_duty(model), floors=model.floors)
    return found


def _told(short: Shortfall, kilometres: Floats, names: pd.Index) -> Phrase:
    facts: dict[str, object] = {"district": str(names[short.place]), "asked": short.asked, "reached": short.reached}
    return Phrase("plan_floor_short", facts | {"share": short.reached / max(float(kilometres[short.place]), 1e-9)})
