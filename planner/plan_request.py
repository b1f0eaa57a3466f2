"""What a plan is to be made with: options of the command line, else the scenario, else the saved plan it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from planner.benefits import PARTS, Worth
from planner.choice import Effort
from planner.limits import Limits
from planner.scenario import MOST_WEIGHT, LimitChanges, Scenario
from registry.errors import PlanningError, UsageError

# weights are asked for in units that people have a feeling for
CNY_PER_WEIGHT: Final = 10_000.0
_LEAST: Final = tuple(f"least_{part}" for part in PARTS)


@dataclass(frozen=True)
class Asked:
    """What options say; None where they say nothing."""

    years: range | None = None
    budget_cny: float | None = None
    budget_total_cny: float | None = None
    km: float | None = None
    carry_over: float | None = None
    district_km: float | None = None
    district_households: float | None = None
    district_floor: float | None = None
    least_risk: float | None = None
    least_repair_cny: float | None = None
    least_methane_t: float | None = None
    weight_repair: float | None = None
    weight_methane: float | None = None
    gap: float | None = None
    seed: int | None = None
    time_limit: float | None = None
    one_isolation: bool | None = None


@dataclass(frozen=True)
class Settled:
    """What the plan is made with."""

    limits: Limits
    worth: Worth
    effort: Effort
    keeps_isolation: bool = False


def settle(asked: Asked, scenario: Scenario | None = None, parent: Mapping[str, Any] | None = None) -> Settled:
    """Return limits, weights, effort and isolation: each as asked, else as the scenario or the parent has it.

    `parent` is the summary of the saved plan that the new one is made out of. A year that it did not have gets the
    budget of its last one.

    Raises
    ------
    UsageError
        Where years or money are stated nowhere or twice, or they or a weight make no sense.
    """
    stated = scenario.limits if scenario is not None else LimitChanges()
    parent = parent or {}
    years = asked.years or (range(parent["years"][0], parent["years"][-1] + 1) if parent else None)
    if years is None:
        raise UsageError("plan_years_absent")
    limits = Limits(
        years,
        _budgets(asked, stated, parent, years),
        _first(asked.km, stated.km, parent.get("km_per_year")),
        carried_share=_first(asked.carry_over, stated.carry_over, parent.get("carried_share")) or 0.0,
        district_km_per_year=_first(asked.district_km, stated.district_km, parent.get("district_km_per_year")),
        district_households_per_year=_first(
            asked.district_households, stated.district_households, parent.get("district_households_per_year")
        ),
        district_floor_share=_first(asked.district_floor, stated.district_floor, parent.get("district_floor_share")),
        **{name: _first(getattr(asked, name), getattr(stated, name), parent.get(name)) for name in _LEAST},
    )
    try:
        # before anything is read: a long run must not end in a bad budget
        limits.check()
    except PlanningError as fault:
        raise UsageError(fault.code, **fault.parameters) from fault
    keeps_isolation = asked.one_isolation
    if keeps_isolation is None:
        keeps_isolation = bool(parent.get("pool", {}).get("keeps_isolation"))
    return Settled(limits, _worth(asked, scenario, parent), _effort(asked, parent), keeps_isolation)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _budgets(asked: Asked, stated: LimitChanges, parent: Mapping[str, Any], years: range) -> tuple[float, ...]:
    if asked.budget_cny is not None or asked.budget_total_cny is not None:
        if asked.budget_cny is not None and asked.budget_total_cny is not None:
            raise UsageError("plan_budget_twice")
        return _even(asked.budget_cny, asked.budget_total_cny, years)
    known = dict(zip(parent.get("years", ()), parent.get("budget_cny", ()), strict=True))
    if isinstance(stated.budget_cny, float | int):
        return _even(stated.budget_cny, None, years)
    if stated.budget_total_cny is not None:
        return _even(None, stated.budget_total_cny, years)
    by_year = {year: float(known[min(max(year, min(known)), max(known))]) for year in years} if known else {}
    if stated.budget_cny is not None:
        outside = sorted(set(stated.budget_cny) - set(years))
        if outside:
            raise UsageError("scenario_budget_outside", years=", ".join(map(str, outside)))
        by_year |= stated.budget_cny
    absent = [year for year in years if year not in by_year]
    if absent:
        code = "plan_budget_twice" if stated.budget_cny is None else "scenario_budget_absent"
        raise UsageError(code, years=", ".join(map(str, absent)))
    return tuple(float(by_year[year]) for year in years)


def _even(each: float | None, total: float | None, years: range) -> tuple[float, ...]:
    limits = Limits.per_year(years, each) if each is not None else Limits.total(years, float(total or 0.0))
    return limits.budget_cny


def _worth(asked: Asked, scenario: Scenario | None, parent: Mapping[str, Any]) -> Worth:
    known = Worth(**parent.get("worth", {}))
    stated = scenario.weights if scenario is not None else None
    repair = _first(asked.weight_repair, stated.repair if stated else None)
    methane = _first(asked.weight_methane, stated.methane if stated else None)
    for option, weight in (("--weight-repair", repair), ("--weight-methane", methane)):
        # what is no number is in no range
        if weight is not None and not 0 <= weight <= MOST_WEIGHT:
            raise UsageError("plan_weight_unusable", option=option, weight=weight, most=MOST_WEIGHT)
    return Worth(
        risk=known.risk,
        repair_cny=known.repair_cny if repair is None else repair / CNY_PER_WEIGHT,
        methane_t=known.methane_t if methane is None else methane,
    )


def _effort(asked: Asked, parent: Mapping[str, Any]) -> Effort:
    known = Effort(**parent.get("effort", {}))
    return Effort(
        gap_share=known.gap_share if asked.gap is None else asked.gap,
        node_limit=known.node_limit,
        seed=known.seed if asked.seed is None else asked.seed,
        # the clock of another day binds nobody
        time_limit_s=asked.time_limit,
    )
