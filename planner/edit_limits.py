"""The limits that a plan was made under, before and after edits by hand: money, kilometres, districts, floors, streets.

What a limit is and what counts for it is stated as for planning (`planner.choice`); nothing is chosen here.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from planner.choice import closed_years, district_m, limit_caps, limit_floors
from planner.conditions import NONE
from planner.factors import Flags, Floats, text_column
from planner.limits import Limits
from planner.members import Rows
from planner.plan_edit import Draft, Source
from planner.solve.model import by_year
from registry.errors import Phrase
from registry.fields import columns_of

# sums of shares of a budget differ in the last digits
_SLACK: Final = 1e-9
_DISTRICT: Final = "district_km"
_ALL_CREWS: Final = "km"
_SECOND_CUT: Final = "second_cut"


def funds_of(cost_cny: Floats, limits: Limits) -> Floats:
    """Return the money there is in each year: its budget, and what was carried of what the year before left."""
    fund, left = np.zeros(len(cost_cny)), 0.0
    for year, budget in enumerate(limits.budget_cny):
        fund[year] = budget + limits.carried_share * left
        left = max(fund[year] - cost_cny[year], 0.0)
    return fund


def over_year_limits(years: pd.DataFrame, limits: Limits) -> list[Phrase]:
    """Return the years that cost more than there is, or are longer than crews may dig, and by more than before.

    `years` is the frame `plan_edit_years`. A year whose cost stays can be broken too: by a year before it that leaves
    less to carry.
    """
    before, after = (years[f"cost_{name}_cny"].to_numpy(dtype="float64") for name in ("before", "after"))
    funds = funds_of(before, limits), funds_of(after, limits)
    found = [_over_budget(row, fund) for row, fund in _rows(years, funds[1], _worse(before, after, *funds))]
    if limits.km_per_year is None:
        return found
    most = np.full(len(years), limits.km_per_year)
    before, after = (years[f"km_{name}"].to_numpy(dtype="float64") for name in ("before", "after"))
    return found + [
        Phrase("plan_breach_km", {"year": int(row["year"]), "km": row["km_after"], "limit": limit})
        for row, limit in _rows(years, most, _worse(before, after, most, most))
    ]


def _rows(years: pd.DataFrame, limit: Floats, chosen: Flags) -> list[tuple[dict[Any, Any], float]]:
    return list(zip(years[chosen].to_dict("records"), limit[chosen].tolist(), strict=True))


def _over_budget(row: dict[Any, Any], fund: float) -> Phrase:
    facts: dict[str, object] = {"year": int(row["year"]), "cost": row["cost_after_cny"], "budget": row["budget_cny"]}
    if fund <= row["budget_cny"]:
        return Phrase("plan_breach_budget", facts)
    return Phrase("plan_breach_budget_carried", facts | {"carried": fund - row["budget_cny"], "fund": fund})


def _worse(before: Floats, after: Floats, most_before: Floats, most_after: Floats) -> Flags:
    """Tell what is over its limit, by more than it was."""
    over, was_over = after - most_after, np.maximum(before - most_before, 0.0)
    slack = _SLACK * np.maximum(np.abs(most_after), np.abs(after))
    return np.asarray((over > slack) & (over > was_over + slack), dtype=bool)


def limit_changes(before: Draft, after: Draft, source: Source) -> pd.DataFrame:
    """Return what edits change of the limits by district, of the least amounts, and of streets that are cut again.

    A district counts the batches with most of their metres in it, as in planning. Its floor is a share of the metres
    that the plan chose from: what an edit brings in besides makes it no higher. A second cut is a year in which a
    street is opened although a year before still closes it.

    Returns
    -------
    The frame `plan_edit_limits`: only what differs. It is broken where it is out of its limit and was less so.
    """
    sides = [_uses(draft, source) for draft in (before, after)]
    table = sides[0].rename(columns={"used": "before"}).assign(after=sides[1]["used"])
    was, now, asked = (table[name].to_numpy(dtype="float64") for name in ("before", "after", "asked"))
    sign = np.where(table["is_least"].to_numpy(dtype=bool), -1.0, 1.0)
    table["is_broken"] = pd.array(_worse(was * sign, now * sign, asked * sign, asked * sign), dtype="boolean")
    is_changed = np.abs(now - was) > _SLACK * np.maximum(np.abs(now), np.abs(was))
    changed = table[is_changed].reset_index(drop=True)
    changed["place"] = pd.array(_names(changed, source), dtype="str")
    told: pd.DataFrame = changed[columns_of("plan_edit_limits")]
    return told


def broken_limits(changes: pd.DataFrame, before: Draft, after: Draft, source: Source) -> list[Phrase]:
    """Say what the frame `plan_edit_limits` tells as broken."""
    broken = changes[changes["is_broken"].to_numpy(dtype=bool)]
    found = [
        Phrase(f"plan_breach_{row['limit']}", _told(row))
        for row in broken[broken["limit"] != _SECOND_CUT].to_dict("records")
    ]
    return found + (_second_cuts_told(before, after, source) if len(found) < len(broken) else [])


def _told(row: dict[Any, Any]) -> dict[str, object]:
    facts: dict[str, object] = {"used": row["after"], "limit": row["asked"]}
    facts |= {} if pd.isna(row["place"]) else {"place": row["place"]}
    return facts | ({} if pd.isna(row["year"]) else {"year": int(row["year"])})


def _uses(draft: Draft, source: Source) -> pd.DataFrame:
    """Return what a plan uses of each limit; the rows are the same for all plans of one source."""
    offered, conditions = draft.table.batches, draft.table.priced.conditions
    years, count = len(source.years), len(conditions.district_names)
    parts = []
    for cap in limit_caps(offered, source.limits, count):
        if cap.code != _ALL_CREWS:
            used = _summed(draft, by_year(cap.amount, years), cap.place, count)
            where = np.repeat(np.arange(count), years)
            parts.append(_part(cap.code, where, np.tile(source.years, count), cap.cap.ravel(), used.ravel()))
    for floor in limit_floors(offered, _candidate_m(draft, source), source.limits):
        used = _summed(draft, by_year(floor.amount, years), floor.place, len(floor.floor)).sum(axis=1)
        is_district = floor.code == _DISTRICT
        where = np.arange(len(used)) if is_district else np.full(len(used), NONE)
        name = "district_floor" if is_district else f"least_{floor.code}"
        parts.append(_part(name, where, None, floor.floor, used, is_least=True))
    if source.is_cut_once:
        again = _again(_cuts(draft, source), source).sum(axis=1).astype("float64")
        parts.append(_part(_SECOND_CUT, np.arange(len(again)), None, np.zeros(len(again)), again))
    none = np.zeros(0)
    return pd.concat([_part("", none.astype(np.int64), None, none, none), *parts], ignore_index=True)


def _part(
    limit: str, place: Rows, year: Rows | None, asked: Floats, used: Floats, *, is_least: bool = False
) -> pd.DataFrame:
    count = len(used)
    return pd.DataFrame(
        {
            "limit": pd.array([limit] * count, dtype="str"),
            "place": place,
            "year": pd.array([pd.NA] * count if year is None else year, dtype="Int64"),
            "is_least": pd.array([is_least] * count, dtype="boolean"),
            "asked": asked,
            "used": used,
        }
    )


def _summed(draft: Draft, amount: Floats, place: Rows, count: int) -> Floats:
    """Add up an amount over the batches of each place, by year."""
    some = np.flatnonzero((draft.year != NONE) & (place != NONE))
    used = np.zeros((count, amount.shape[1]))
    np.add.at(used, (place[some], draft.year[some]), amount[some, draft.year[some]])
    return used


def _candidate_m(draft: Draft, source: Source) -> Floats:
    """Return by district the metres that the plan chose from."""
    conditions = source.conditions
    if conditions is None:
        return np.zeros(0)
    chosen = draft.table.segments.index if source.candidate_ids is None else source.candidate_ids
    rows = source.segments.index.get_indexer(chosen)
    rows = rows[rows >= 0]
    metres = source.segments["length_m"].to_numpy(dtype="float64")[rows]
    return district_m(conditions.district[rows], metres, len(conditions.district_names))


def _cuts(draft: Draft, source: Source) -> Flags:
    """Tell in which years each stretch of street is opened."""
    conditions = draft.table.priced.conditions
    year = draft.year[draft.table.group]
    opens = np.flatnonzero((year != NONE) & (conditions.section != NONE))
    cuts = np.zeros((len(conditions.section_names), len(source.years)), dtype=bool)
    cuts[conditions.section[opens], year[opens]] = True
    return cuts


def _again(cuts: Flags, source: Source) -> Flags:
    """Tell which cuts come while their street is closed since a cut before."""
    is_closed = np.zeros_like(cuts)
    for later in range(1, min(closed_years(source.policy), cuts.shape[1])):
        is_closed[:, later:] |= cuts[:, :-later]
    return np.asarray(cuts & is_closed, dtype=bool)


def _second_cuts_told(before: Draft, after: Draft, source: Source) -> list[Phrase]:
    """Name each street that is cut again more often than before, with its first second cut that is new."""
    cuts = _cuts(after, source)
    was, now = _again(_cuts(before, source), source), _again(cuts, source)
    street = np.flatnonzero(now.sum(axis=1) > was.sum(axis=1))
    year = np.argmax(now[street] & ~was[street], axis=1)
    earlier = np.where(cuts[street] & (np.arange(cuts.shape[1]) < year[:, None]), np.arange(cuts.shape[1]), NONE)
    cut = earlier.max(axis=1, initial=NONE)
    first = source.years[0]
    facts = pd.DataFrame({"place": _street_names(street, source), "year": year + first, "cut": cut + first})
    return [
        Phrase(f"plan_breach_{_SECOND_CUT}", {str(name): value for name, value in row.items()})
        for row in facts.assign(limit=closed_years(source.policy)).to_dict("records")
    ]


def _names(changes: pd.DataFrame, source: Source) -> list[str | None]:
    """Return what the places of rows are called: districts, streets, or nothing where all count."""
    place = changes["place"].to_numpy(dtype=np.int64)
    names = np.full(len(place), None, dtype=object)
    if source.conditions is None:
        return names.tolist()
    is_street = (changes["limit"] == _SECOND_CUT).to_numpy(dtype=bool)
    is_district = ~is_street & (place != NONE)
    names[is_district] = source.conditions.district_names.to_numpy(dtype=object)[place[is_district]]
    names[is_street] = _street_names(place[is_street], source)
    return names.tolist()


def _street_names(street: Rows, source: Source) -> list[str]:
    """Return what stretches of street are called: the street of most of their metres and the id, or the compound."""
    conditions = source.conditions
    if conditions is None or not len(street):
        return []
    ids = pd.Series(conditions.section_names.to_numpy(dtype=object)[street], index=street).astype("str")
    inside = np.flatnonzero(np.isin(conditions.section, street))
    pipes, section = source.segments.iloc[inside], conditions.section[inside]
    called = text_column(pipes, "street_name").to_numpy(dtype=object)
    of_compound = text_column(pipes, "compound_name").to_numpy(dtype=object) == ids.reindex(section).to_numpy()
    told = pd.DataFrame(
        {
            "section": section,
            "street": pd.Series(called).mask(of_compound),
            "m": pipes["length_m"].to_numpy(dtype="float64"),
        }
    ).dropna(subset=["street"])
    metres = told.groupby(["section", "street"])["m"].sum().reset_index()
    longest = metres.sort_values(["m", "street"], ascending=[False, True]).drop_duplicates("section")
    named = longest.set_index("section")["street"].reindex(street).astype("str")
    return (named + " " + ids).fillna(ids).to_list()
