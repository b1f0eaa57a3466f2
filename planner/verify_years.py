"""Checks of when batches are done: bans and closed windows, decisions of meetings, locks, precedence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import shapely

from planner.verify_findings import Finding
from planner.verify_plan import PlanView

_JOINING: Final = ("together", "ours_moves")


def check_bans(
    plan: PlanView,
    bans: gpd.GeoDataFrame | None,
    closed: pd.DataFrame | None,
    least_closed_m: float,
    least_open_days: int,
) -> Iterator[Finding]:
    """Find segments whose year has too few days on which no ban and no closed window forbids to dig."""
    windows = _windows(plan, bans, closed, least_closed_m)
    for placed in plan.placed:
        for segment in placed.segments:
            open_days = _open_days(placed.year, windows.get(segment, []))
            if open_days < least_open_days:
                yield Finding("ban", placed.batch_id, segment, year=placed.year, value=open_days, limit=least_open_days)


def _windows(
    plan: PlanView, bans: gpd.GeoDataFrame | None, closed: pd.DataFrame | None, least_closed_m: float
) -> dict[str, list[tuple[date, date]]]:
    """Return the forbidden days of each placed segment, first and last, an open end as the last day there is."""
    windows: defaultdict[str, list[tuple[date, date]]] = defaultdict(list)
    for row in [] if closed is None else closed.to_dict("records"):
        windows[str(row["segment_id"])].append(_span(row))
    if bans is None:
        return windows
    there = bans[~(bans.geometry.isna() | bans.geometry.is_empty)]
    tree, rows = shapely.STRtree(list(there.geometry)), there.to_dict("records")
    for segment in plan.batches_of():
        shape = plan.segments.geometry[segment]
        for place in tree.query(shape, predicate="intersects").tolist():
            ban = rows[place]
            if shape.intersection(ban["geometry"]).length >= least_closed_m:
                windows[segment].append(_span(ban))
    return windows


def _span(row: Mapping[Hashable, Any]) -> tuple[date, date]:
    first, last = row["starts_on"], row["ends_on"]
    return pd.Timestamp(first).date(), date.max if pd.isna(last) else pd.Timestamp(last).date()


def _open_days(year: int, windows: list[tuple[date, date]]) -> int:
    if not windows:
        return (date(year + 1, 1, 1) - date(year, 1, 1)).days
    day, count = date(year, 1, 1), 0
    while day.year == year:
        count += not any(first <= day <= last for first, last in windows)
        day += timedelta(days=1)
    return count


def check_decisions(
    plan: PlanView, decisions: pd.DataFrame | None, pairs: pd.DataFrame | None, years: range
) -> Iterator[Finding]:
    """Find batches in a year that suits fewer decisions to join a project than another year would."""
    if decisions is None or pairs is None:
        return
    joining = {
        (str(row["segment_id"]), str(row["project_id"]))
        for row in decisions.to_dict("records")
        if row["verdict"] in _JOINING
    }
    for placed in plan.placed:
        votes = dict.fromkeys(years, 0)
        for segment in placed.segments:
            for pair in plan.pairs_of(pairs).get(segment, []):
                if (segment, str(pair["project_id"])) in joining and bool(pair["meets_years"]):
                    for year in range(int(pair["first_year"]), int(pair["last_year"]) + 1):
                        votes[year] += 1
        if votes[placed.year] < max(votes.values()):
            yield Finding(
                "decided", placed.batch_id, year=placed.year, value=votes[placed.year], limit=max(votes.values())
            )


def check_locks(plan: PlanView, locks: pd.Series | None) -> Iterator[Finding]:
    """Find locked segments that are not in their year."""
    if locks is None:
        return
    year = plan.year_of()
    for segment, locked in sorted((str(segment), int(locked)) for segment, locked in locks.dropna().items()):
        if year.get(segment) != locked:
            yield Finding("lock", segment_id=segment, year=year.get(segment), value=year.get(segment), limit=locked)


def check_precedence(plan: PlanView, precedence: pd.DataFrame | None) -> Iterator[Finding]:
    """Find segments that are renewed before the one that they follow, or without it."""
    if precedence is None:
        return
    year = plan.year_of()
    for row in precedence.to_dict("records"):
        first, then = str(row["first_id"]), str(row["then_id"])
        if then in year and (first not in year or year[first] > year[then]):
            yield Finding(
                "precedence", segment_id=then, place=first, year=year[then], value=year.get(first), limit=year[then]
            )
