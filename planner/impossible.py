"""Where no plan keeps all limits: which floors cannot be reached, what stands in the way, the smallest change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.choice import Duties, Effort, Programme, choose_programme
from planner.conditions import NONE
from planner.limits import LEAST_OPTIONS, Limits
from planner.solve.elastic import without_duty
from planner.solve.model import Model, Streets
from planner.solve.shortfall import Shortfall, find_shortfalls
from registry.errors import Phrase, PlanningError

_INFEASIBLE: Final = "infeasible"
_DISTRICT: Final = "district_km"
# floors are told with four places or figures, rounded down so that they can be reached
_PLACES: Final = 1e4
_FIGURES: Final = 4
# what is looked for in vain is not looked for long
_NODE_LIMIT: Final = 50
_TRIALS: Final = 3


def check_possible(
    programme: Programme, raw: Model, duties: Duties, district_names: pd.Index, limits: Limits, effort: Effort
) -> None:
    """Raise where no plan keeps all limits.

    `raw` and `duties` are the model before any deadline of the law, and what the law asks for. Deadlines give way
    before a plan is impossible (`planner.late` tells of those); budgets, caps and closed streets are kept by leaving
    out. What is left are the floors: of districts, and of the parts of the objective.

    The floors that are advised were planned with, the law served first as in any plan, and a plan was found; they need
    not be the greatest such, since few are tried, all lowered by the same share.

    Raises
    ------
    PlanningError
        Where no plan was found: with the floors that cannot be reached, what can be, each limit without which they
        could be reached, and floors that leave a plan. Where the clock ended a search, nothing is known but that.
    """
    solution = programme.solution
    if np.isfinite(solution.objective):
        return
    if not (solution.is_reproducible and all(stage.is_reproducible for stage in programme.stages)):
        raise PlanningError("plan_no_time")
    if solution.status != _INFEASIBLE or not raw.floors:
        raise PlanningError("plan_not_found")
    found = _short(raw, effort)
    rules = [rule for rule, model in _without(raw).items() if found and _short(model, effort) == ()]
    # deadlines give way, so that what is within reach by itself is so beside the law
    first = _common(raw, effort) if found else 1.0
    advised = lowered(limits, first) if found else None
    if advised is None or not leaves_a_plan(raw, limits, advised, duties, effort):
        # in time no plan was found so near to what can be reached
        advised = _advised(raw, limits, first, duties, effort)
    if not found:
        raise PlanningError("plan_not_found")
    reason = "plan_floor_blocked" if rules else "plan_floor_blocked_unknown"
    raise PlanningError(
        "plan_floor_unreachable",
        floors=tuple(_told(one, limits, district_names) for one in found),
        reason=Phrase(reason, {"rules": tuple(Phrase(f"plan_floor_rule_{rule}") for rule in rules)}),
        options=_options(limits, advised),
    )


def lowered(limits: Limits, share: float) -> Limits:
    """Return the limits with all floors lowered to a share of what is asked, rounded down to what is told."""
    parts: dict[str, Any] = {f"least_{part}": _rounded_down(asked * share) for part, asked in limits.least().items()}
    floor = limits.district_floor_share
    district = None if floor is None else float(np.floor(floor * share * _PLACES) / _PLACES)
    return replace(limits, district_floor_share=district, **parts)


def _rounded_down(amount: float) -> float:
    """Round an amount down to four figures."""
    if not amount > 0:
        return 0.0
    unit = 10.0 ** (np.floor(np.log10(amount)) - _FIGURES + 1)
    return float(np.floor(amount / unit) * unit)


def _lower(model: Model, limits: Limits, lower: Limits) -> Model:
    """Return the model of other floors than those that it was made with."""
    shares = {part: lower.least()[part] / asked for part, asked in limits.least().items() if part in lower.least()}
    if limits.district_floor_share:
        shares[_DISTRICT] = (lower.district_floor_share or 0.0) / limits.district_floor_share
    floors = tuple(replace(floor, floor=floor.floor * shares.get(floor.code, 0.0)) for floor in model.floors)
    return replace(model, floors=floors)


def _short(model: Model, effort: Effort, *, is_common: bool = False) -> tuple[Shortfall, ...] | None:
    nodes = min(effort.node_limit, _NODE_LIMIT)
    return find_shortfalls(model, seed=effort.seed, node_limit=nodes, is_common=is_common)


def _common(model: Model, effort: Effort) -> float:
    """Return the greatest share of what is asked that all floors were found to reach at once; nought for none."""
    found = _short(model, effort, is_common=True)
    return min((one.reached / one.asked for one in found or ()), default=0.0)


def leaves_a_plan(raw: Model, limits: Limits, lower: Limits, duties: Duties, effort: Effort) -> bool:
    """Tell whether a plan was found that reaches lower floors, the law served first."""
    model = _lower(raw, limits, lower)
    if not any(floor.floor.any() for floor in model.floors):
        return False
    return bool(np.isfinite(choose_programme(model, duties, effort, is_trial=True).solution.objective))


def _advised(raw: Model, limits: Limits, refused: float, duties: Duties, effort: Effort) -> Limits | None:
    """Return the greatest floors of a few that leave a plan, None for none: halving below the share that is refused.

    Deadlines that the law was given under one floor are other ones under another floor, so that each is planned anew.
    """
    kept, found = 0.0, None
    for _ in range(_TRIALS):
        share = (kept + refused) / 2.0
        lower = lowered(limits, share)
        if leaves_a_plan(raw, limits, lower, duties, effort):
            kept, found = share, lower
        else:
            refused = share
    return found


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


def _told(short: Shortfall, limits: Limits, names: pd.Index) -> Phrase:
    facts: dict[str, object] = {"asked": short.asked, "reached": short.reached}
    if short.code != _DISTRICT:
        return Phrase(f"plan_least_short_{short.code}", facts)
    share = short.reached / short.asked * (limits.district_floor_share or 0.0)
    return Phrase("plan_floor_short", facts | {"district": str(names[short.place]), "share": share})


def _options(limits: Limits, advised: Limits | None) -> Phrase:
    """Say with which options a plan was found, or which to leave out."""
    if advised is None:
        asked = [LEAST_OPTIONS[part] for part in limits.least()]
        asked = (["--district-floor"] if limits.district_floor_share else []) + asked
        return Phrase("plan_floor_no_option", {"options": ", ".join(asked)})
    # what is lowered to nothing is named too: left out, it would be taken from the plan that this one is made of
    named = {LEAST_OPTIONS[part]: f"{getattr(advised, f'least_{part}'):.12g}" for part in limits.least()}
    if limits.district_floor_share:
        named = {"--district-floor": f"{advised.district_floor_share:.4f}"} | named
    return Phrase("plan_floor_options", {"options": " ".join(f"{option} {value}" for option, value in named.items())})
