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
from planner.solve.shortfall import Shortfall, find_shortfalls
from registry.errors import Phrase, PlanningError

_INFEASIBLE: Final = "infeasible"
# shares are told with four places, rounded down so that they can be reached
_PLACES: Final = 1e4
# what is looked for in vain is not looked for long
_NODE_LIMIT: Final = 50
_TRIALS: Final = 3


def check_possible(
    programme: Programme, raw: Model, duties: Duties, district_names: pd.Index, limits: Limits, effort: Effort
) -> None:
    """Raise where no plan keeps all limits.

    `raw` and `duties` are the model before any deadline of the law, and what the law asks for. Deadlines give way
    before a plan is impossible (`planner.late` tells of those); budgets, caps and closed streets are kept by leaving
    out. What is left are the floors of districts.

    The floor that is advised was planned with, the law served first as in any plan, and a plan was found; it need not
    be the greatest such, since few are tried.

    Raises
    ------
    PlanningError
        Where no plan was found: with the floors that cannot be reached, what can be, each limit without which they
        could be reached, and a floor for all districts that leaves a plan. Where the clock ended a search, nothing is
        known but that.
    """
    solution, share = programme.solution, limits.district_floor_share
    if np.isfinite(solution.objective):
        return
    if not (solution.is_reproducible and all(stage.is_reproducible for stage in programme.stages)):
        raise PlanningError("plan_no_time")
    if solution.status != _INFEASIBLE or not programme.model.floors or not share:
        raise PlanningError("plan_not_found")
    kilometres = programme.model.floors[0].floor / share
    found = _short(raw, effort)
    rules = [rule for rule, model in _without(raw).items() if found and _short(model, effort) == ()]
    # one that is within reach by itself is so beside the law too, or it is not
    first = _common(raw, kilometres, effort) if found else share
    advised = first if found and _is_kept(raw, kilometres * first, duties, effort) else 0.0
    if not advised:
        rules.append("mandatory_first" if programme.is_only_mandatory else "duties")
        found = found or _short(programme.model, effort)
        advised = _advised(raw, kilometres, first, duties, effort)
    if not found:
        raise PlanningError("plan_not_found")
    reason = "plan_floor_blocked" if rules else "plan_floor_blocked_unknown"
    raise PlanningError(
        "plan_floor_unreachable",
        floors=tuple(_told(one, kilometres, district_names) for one in found),
        reason=Phrase(reason, {"rules": tuple(Phrase(f"plan_floor_rule_{rule}") for rule in rules)}),
        options=Phrase("plan_floor_options", {"share": advised}) if advised else Phrase("plan_floor_no_option"),
    )


def _lower(model: Model, floor: Floats) -> Model:
    return replace(model, floors=(replace(model.floors[0], floor=floor),))


def _short(model: Model, effort: Effort, *, is_common: bool = False) -> tuple[Shortfall, ...] | None:
    nodes = min(effort.node_limit, _NODE_LIMIT)
    return find_shortfalls(model, seed=effort.seed, node_limit=nodes, is_common=is_common)


def _common(model: Model, kilometres: Floats, effort: Effort) -> float:
    """Return the greatest share that all districts were found to reach at once, to four places; nought for none."""
    found = _short(model, effort, is_common=True)
    return _rounded(min((one.reached / float(kilometres[one.place]) for one in found or ()), default=0.0))


def _rounded(share: float) -> float:
    return float(np.floor(share * _PLACES) / _PLACES)


def _is_kept(raw: Model, floor: Floats, duties: Duties, effort: Effort) -> bool:
    """Tell whether a plan was found that reaches a floor, the law served first."""
    if not floor.any():
        return False
    return bool(np.isfinite(choose_programme(_lower(raw, floor), duties, effort, is_trial=True).solution.objective))


def _advised(raw: Model, kilometres: Floats, refused: float, duties: Duties, effort: Effort) -> float:
    """Return the greatest share of a few that leaves a plan, nought for none: halving below the one that is refused.

    Deadlines that the law was given under one floor are other ones under another floor, so that each is planned anew.
    """
    kept = 0.0
    for _ in range(_TRIALS):
        share = _rounded((kept + refused) / 2.0)
        if share <= kept:
            break
        if _is_kept(raw, kilometres * share, duties, effort):
            kept = share
        else:
            refused = share
    return kept


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
