"""Scenarios: what a plan is to be made under instead of what the registry says, read from a file of TOML.

A scenario never changes the registry. It changes the money and the limits of a plan, what counts in it, the days of
projects, and the dig bans; the run keeps its content and what it changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Self

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from planner.ban_changes import BanChanges, named_bans
from planner.factors import text_column
from planner.meeting import City
from planner.order import find_order, segments_named
from planner.policy import Policy
from planner.policy_parts import NotNegative, Part, Positive, Share, Text
from planner.scenario_faults import scenario_faults
from registry.errors import PlanningError, PolicyError
from registry.toml_files import TomlError, read_toml

_DONE: Final = "done"
_CANCELLED: Final = "cancelled"
# ids of bans that only the scenario knows
_ADDED: Final = "scenario-{number}"


class LimitChanges(Part):
    """Limits of the plan; what is not stated stays as it was. `budget_cny` is of each year, or a table by year."""

    budget_cny: Positive | dict[int, Positive] | None = None
    budget_total_cny: Positive | None = None
    km: Positive | None = None
    carry_over: Share | None = None
    district_km: Positive | None = None
    district_households: Positive | None = None
    district_floor: Share | None = None
    least_risk: NotNegative | None = None
    least_repair_cny: NotNegative | None = None
    least_methane_t: NotNegative | None = None

    @model_validator(mode="after")
    def _has_one_budget(self) -> Self:
        if self.budget_cny is not None and self.budget_total_cny is not None:
            raise PydanticCustomError("scenario_fault_two_budgets", "give budget_cny or budget_total_cny, not both")
        return self


# beyond this a weight says nothing but that one thing counts, and numbers run over
MOST_WEIGHT: Final = 1e6
Weight = Annotated[float, Field(ge=0, le=MOST_WEIGHT)]


class WeightChanges(Part):
    """What counts: worth of 10,000 yuan of repairs, and of a tonne of methane, in risk removed."""

    repair: Weight | None = None
    methane: Weight | None = None


class ProjectChange(Part):
    """Other days of a project, or that it does not come."""

    starts_on: date | None = None
    ends_on: date | None = None
    cancelled: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.cancelled and self.starts_on is None and self.ends_on is None:
            raise PydanticCustomError("scenario_fault_project_silent", "give starts_on, ends_on or cancelled = true")
        if self.cancelled and (self.starts_on or self.ends_on):
            raise PydanticCustomError("scenario_fault_cancelled_days", "a cancelled project has no days")
        return self


class BanChange(Part):
    """A street that is closed from the first to the last day, by name or road id; or other days of a ban, by its id."""

    first: date
    last: date
    street: Text | None = None
    road: Text | None = None
    ban: Text | None = None

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        if sum(name is not None for name in (self.street, self.road, self.ban)) != 1:
            raise PydanticCustomError("scenario_fault_ban_place", "give one of street, road or ban")
        if self.last < self.first:
            raise PydanticCustomError("scenario_fault_ban_turned", "the last day lies before the first")
        return self


class OrderRule(Part):
    """Segments, streets or compounds that are renewed first, and those that are renewed with them or after."""

    first: Annotated[tuple[Text, ...], Field(min_length=1)]
    then: Annotated[tuple[Text, ...], Field(min_length=1)]


class Scenario(Part):
    """One scenario; an empty one changes nothing. `lift` names streets, roads, projects or bans that close no more."""

    name: Text
    note: str = ""
    lift: tuple[Text, ...] = ()
    limits: LimitChanges = Field(default_factory=LimitChanges)
    weights: WeightChanges = Field(default_factory=WeightChanges)
    projects: dict[str, ProjectChange] = Field(default_factory=dict)
    bans: tuple[BanChange, ...] = ()
    order: tuple[OrderRule, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what it states as plain values that JSON can hold."""
        return self.model_dump(mode="json", exclude_defaults=True) | {"name": self.name}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], file: str = "scenario") -> Self:
        """Check a scenario that was read, or that a run has stored.

        Raises
        ------
        PolicyError
            With every key that is missing, unknown or out of range.
        """
        try:
            return cls.model_validate_json(_json(content))
        except ValidationError as fault:
            raise PolicyError("scenario_faults", file=file, faults=scenario_faults(fault)) from fault


def _json(content: Mapping[str, Any]) -> str:
    import json

    return json.dumps(dict(content), default=str)


def written_scenario(path: Path) -> dict[str, Any]:
    """Return what a scenario file states, unchecked.

    Raises
    ------
    PolicyError
        If there is no such file, or it is no text of TOML.
    """
    try:
        return read_toml(path)
    except TomlError as fault:
        if fault.is_absent:
            raise PolicyError("scenario_absent", file=str(path)) from fault
        raise PolicyError("scenario_unreadable", file=str(path), detail=fault.phrase) from fault


def scenario_of_run(summary: Mapping[str, Any]) -> Scenario | None:
    """Return the scenario that a saved run was made under, or None."""
    stored = summary.get("scenario")
    return None if stored is None else Scenario.from_dict(stored["content"])


def apply_scenario(city: City, scenario: Scenario, policy: Policy, as_of: date) -> tuple[City, list[dict[str, Any]]]:
    """Return the city as the scenario has it, and what was changed: plain values for the summary of a run.

    Days of a project replace those of the registry; one that is cancelled meets no year and brings no ban. A street
    that is closed is closed over its width, from crossing to crossing as the roads are drawn. Bans that are lifted are
    all that the name stands for, those that projects will bring too.

    Raises
    ------
    PlanningError
        With all projects, streets, roads, bans and segments that nobody knows, or where a project is done already or
        would end before it starts.
    """
    _refuse_unknown(city, scenario, policy, as_of)
    projects, of_projects = _with_projects(city.projects, scenario.projects)
    moratoria, of_bans = _with_bans(city.moratoria, city.roads, scenario.bans)
    changed = replace(city, projects=projects, moratoria=moratoria)
    moved = {ban.ban: (ban.first, ban.last) for ban in scenario.bans if ban.ban is not None}
    before = changed.bans(policy, as_of)
    lifted = [
        {"what": "lifted", "name": name, "count": int(named_bans(before, (name,)).sum())} for name in scenario.lift
    ]
    told_moves = [_moved(before.loc[[name]].iloc[0], name, days) for name, days in moved.items()]
    order = find_order(city.segments, [(rule.first, rule.then) for rule in scenario.order])
    seen = replace(changed, ban_changes=BanChanges(scenario.lift, moved), order=order)
    return seen, [*of_projects, *of_bans, *told_moves, *lifted, *map(_ordered, scenario.order)]


def _ordered(rule: OrderRule) -> dict[str, Any]:
    return {"what": "order", "first": ", ".join(rule.first), "then": ", ".join(rule.then)}


def _refuse_unknown(city: City, scenario: Scenario, policy: Policy, as_of: date) -> None:
    bans = city.bans(policy, as_of)
    streets = set(text_column(city.roads, "name").dropna())
    unknown = [name for name in scenario.projects if name not in city.projects.index]
    unknown += [ban.street for ban in scenario.bans if ban.street is not None and ban.street not in streets]
    unknown += [ban.road for ban in scenario.bans if ban.road is not None and ban.road not in city.roads.index]
    unknown += [ban.ban for ban in scenario.bans if ban.ban is not None and ban.ban not in bans.index]
    unknown += [name for name in scenario.lift if not named_bans(bans, (name,)).any()]
    ordered = dict.fromkeys(name for rule in scenario.order for name in (*rule.first, *rule.then))
    unknown += [name for name in ordered if segments_named(city.segments, name).empty]
    if unknown:
        raise PlanningError("scenario_unknown", scenario=scenario.name, names=", ".join(dict.fromkeys(unknown)))
    state = text_column(city.projects, "state")
    done = [name for name in scenario.projects if state.get(name) == _DONE]
    if done:
        raise PlanningError("scenario_project_done", scenario=scenario.name, names=", ".join(done))


def _with_projects(
    projects: gpd.GeoDataFrame, changes: Mapping[str, ProjectChange]
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    changed, told = projects.copy(), []
    if changes:
        changed["state"] = text_column(projects, "state")
    for name, change in changes.items():
        row = {"what": "project", "id": name, "name": str(projects.loc[name, "name"]) if "name" in projects else name}
        if change.cancelled:
            changed.loc[name, "state"] = _CANCELLED
            told.append(row | {"cancelled": True})
            continue
        days: dict[str, Any] = {}
        for column in ("starts_on", "ends_on"):
            day = getattr(change, column)
            before = projects.loc[name, column]
            if day is not None:
                changed.loc[name, column] = pd.Timestamp(day)
            days |= {f"{column}_before": _day(before), column: _day(before) if day is None else day.isoformat()}
        if days["starts_on"] and days["ends_on"] and days["ends_on"] < days["starts_on"]:
            raise PlanningError(
                "scenario_project_turned", project=name, starts_on=days["starts_on"], ends_on=days["ends_on"]
            )
        told.append(row | days)
    return changed, told


def _day(value: Any) -> str | None:  # noqa: ANN401 - a cell of a frame
    return None if pd.isna(value) else f"{pd.Timestamp(value):%Y-%m-%d}"


def _with_bans(
    moratoria: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, bans: tuple[BanChange, ...]
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Add a published ban for each road that the scenario closes."""
    closed = [(ban, road) for ban, road_ids in _closed_roads(roads, bans) for road in road_ids]
    told = [
        {"what": "closed", "name": ban.street or ban.road, "first": str(ban.first), "last": str(ban.last)}
        for ban in bans
        if ban.ban is None
    ]
    if not closed:
        return moratoria, told
    names = [_ADDED.format(number=number) for number in range(1, len(closed) + 1)]
    index = pd.Index(names, dtype="str", name=moratoria.index.name)
    streets = text_column(roads, "name")
    values = {
        "street_name": [streets[road] for _, road in closed],
        "road_id": [road for _, road in closed],
        "starts_on": [pd.Timestamp(ban.first) for ban, _ in closed],
        "ends_on": [pd.Timestamp(ban.last) for ban, _ in closed],
    }
    nothing = [None] * len(closed)
    columns = [name for name in {**dict.fromkeys(moratoria.columns), **values} if name != "geometry"]
    added = gpd.GeoDataFrame(
        {name: pd.Series(values.get(name, nothing), index, dtype=_kind_of(moratoria, name)) for name in columns},
        geometry=gpd.GeoSeries(pd.Series(nothing, index, dtype=object), crs=roads.crs),
        crs=roads.crs,
        index=index,
    )
    return (added if moratoria.empty else gpd.GeoDataFrame(pd.concat([moratoria, added]), crs=roads.crs)), told


def _kind_of(moratoria: pd.DataFrame, name: str) -> Any:  # noqa: ANN401 - a dtype of pandas
    usual = "datetime64[s]" if name in {"starts_on", "ends_on"} else "str"
    return moratoria[name].dtype if name in moratoria else usual


def _closed_roads(roads: gpd.GeoDataFrame, bans: tuple[BanChange, ...]) -> Iterator[tuple[BanChange, list[str]]]:
    names = text_column(roads, "name")
    for ban in bans:
        if ban.road is not None:
            yield ban, [ban.road]
        elif ban.street is not None:
            yield ban, sorted(map(str, roads.index[np.asarray(names == ban.street, dtype=bool)]))


def _moved(ban: pd.Series, name: str, days: tuple[date, date]) -> dict[str, Any]:
    return {
        "what": "moved",
        "name": name,
        "street": None if pd.isna(ban["street_name"]) else str(ban["street_name"]),
        "first_before": _day(ban["starts_on"]),
        "last_before": _day(ban["ends_on"]),
        "first": str(days[0]),
        "last": str(days[1]),
    }
