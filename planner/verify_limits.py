"""Checks of what a plan may use and must reach by year and place: money, kilometres, households, streets, dates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pandas as pd

from planner.verify_findings import Finding
from planner.verify_plan import Placed, PlanView

_ROUNDING: Final = 1e-6
_WHOLE_PLAN: Final = ""


def check_budget(
    plan: PlanView,
    years: range,
    budget_cny: Sequence[float],
    carried_share: float,
    cost_cny: Mapping[str, float],
    mobilisation_cny: float,
    sites: Mapping[str, str],
) -> Iterator[Finding]:
    """Find years that spend more than they have, and batches whose stated cost is another than the one computed.

    A site is paid once a year; a batch that names none is a site of its own, and only then its stated cost is compared.
    What a year leaves of its budget and of what it was given goes on by the carried share.
    """
    spent: defaultdict[int, float] = defaultdict(float)
    set_up: set[tuple[int, str]] = set()
    for placed in plan.placed:
        site = sites.get(placed.batch_id)
        own = cost_cny[placed.batch_id]
        if site is None:
            own += mobilisation_cny
            if abs(own - placed.stated_cost_cny) > _ROUNDING * max(own, 1.0):
                yield Finding(
                    "cost_differs", placed.batch_id, year=placed.year, value=placed.stated_cost_cny, limit=own
                )
        elif (placed.year, site) not in set_up:
            set_up.add((placed.year, site))
            own += mobilisation_cny
        spent[placed.year] += own
    left = 0.0
    for year, budget in zip(years, budget_cny, strict=True):
        available = budget + carried_share * left
        if spent[year] > available * (1 + _ROUNDING):
            yield Finding("budget", year=year, value=spent[year], limit=available)
        left = max(available - spent[year], 0.0)


def known(values: pd.Series | None) -> dict[str, str]:
    """Return what is known by id."""
    return {} if values is None else {str(name): str(value) for name, value in values.dropna().items()}


def district_of(plan: PlanView, placed: Placed, districts: Mapping[str, str]) -> str | None:
    """Return the district with most metres of a batch, the first by name where two are equal."""
    metres: defaultdict[str, float] = defaultdict(float)
    for segment in placed.segments:
        if segment in districts:
            metres[districts[segment]] += plan.length_m[segment]
    return min(metres, key=lambda name: (-metres[name], name)) if metres else None


def check_caps(
    plan: PlanView,
    km_per_year: float | None,
    km_per_district_year: Mapping[str, float],
    households_per_district_year: Mapping[str, float],
    districts: pd.Series | None,
) -> Iterator[Finding]:
    """Find years, and districts in a year, with more kilometres or more households without supply than allowed."""
    km: defaultdict[tuple[int, str | None], float] = defaultdict(float)
    households: defaultdict[tuple[int, str | None], float] = defaultdict(float)
    total: defaultdict[int, float] = defaultdict(float)
    district_by_id = known(districts)
    for placed in plan.placed:
        key = (placed.year, district_of(plan, placed, district_by_id))
        length_km = plan.length_of(placed) / 1000.0
        km[key] += length_km
        total[placed.year] += length_km
        households[key] += placed.household_count
    for year in sorted(total):
        if km_per_year is not None and total[year] > km_per_year * (1 + _ROUNDING):
            yield Finding("km", year=year, value=total[year], limit=km_per_year)
    for code, used, caps in (
        ("km_district", km, km_per_district_year),
        ("households", households, households_per_district_year),
    ):
        for (year, district), amount in sorted(used.items(), key=str):
            if district is not None and district in caps and amount > caps[district] * (1 + _ROUNDING):
                yield Finding(code, place=district, year=year, value=amount, limit=caps[district])


def check_second_cuts(
    plan: PlanView, streets: pd.Series | None, closed_years: int | Mapping[str, int]
) -> Iterator[Finding]:
    """Find streets that are cut in two years closer to each other than they stay closed."""
    if streets is None:
        return
    cut: defaultdict[str, set[int]] = defaultdict(set)
    street_of = known(streets)
    for placed in plan.placed:
        for segment in placed.segments:
            if segment in street_of:
                cut[street_of[segment]].add(placed.year)
    for street, years in sorted(cut.items()):
        closed = closed_years if isinstance(closed_years, int) else closed_years.get(street, 1)
        for first in sorted(years):
            for second in sorted(years):
                if first < second < first + closed:
                    yield Finding("second_cut", place=street, year=second, value=second - first, limit=closed)


def check_deadlines(plan: PlanView, deadlines: pd.Series | None) -> Iterator[Finding]:
    """Find segments that must be renewed by a year and are later, or not in the plan."""
    if deadlines is None:
        return
    year = plan.year_of()
    for segment, last in sorted((str(segment), int(last)) for segment, last in deadlines.dropna().items()):
        if segment not in year:
            yield Finding("due_missed", segment_id=segment, limit=last)
        elif year[segment] > last:
            yield Finding("due_late", segment_id=segment, year=year[segment], value=year[segment], limit=last)


def check_floors(plan: PlanView, floors: pd.DataFrame | None, districts: pd.Series | None) -> Iterator[Finding]:
    """Find districts, or the whole plan, that get less than their least share."""
    if floors is None:
        return
    district_by_id = known(districts)
    for floor in floors.to_dict("records"):
        district = _WHOLE_PLAN if pd.isna(floor["district"]) else str(floor["district"])
        reached = sum(
            _measure(plan, placed, str(floor["measure"]))
            for placed in plan.placed
            if district == _WHOLE_PLAN or district_of(plan, placed, district_by_id) == district
        )
        if reached < float(floor["floor"]) * (1 - _ROUNDING):
            yield Finding("floor", place=district or None, value=reached, limit=float(floor["floor"]))


def _measure(plan: PlanView, placed: Placed, measure: str) -> float:
    amounts = {
        "km": plan.length_of(placed) / 1000.0,
        "cost_cny": placed.stated_cost_cny,
        "risk_per_year": placed.risk_per_year,
        "household_count": placed.household_count,
    }
    return amounts[measure]
