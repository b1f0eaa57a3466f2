"""Closed days of the year and the yearly filing date of dig plans, as a ban set has them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from planner.days import Days, as_day, uncovered_days
from planner.policy import Policy
from planner.policy_bans import Closure
from registry.errors import PlanningError
from registry.fields import columns_of

_UNVERIFIED: Final = ("memory", "derived")


class FilingDay(NamedTuple):
    """The last day on which the dig plan of a year can be filed."""

    files_by: date
    works_year: int


def closed_days(first: date, last: date, policy: Policy, medium: str | None = None) -> pd.DataFrame:
    """Return the stretches of a window in which the calendar of the ban set closes the ground, and why.

    A closure for some media holds where `medium` is one of them; without a medium only closures for everybody hold.
    Stretches of several closures may overlap. Both ends of the window and of each stretch are included. A closure of
    29 February is the last day of February in a common year.

    Returns
    -------
    The frame `closures`, by first day, then by code.

    Raises
    ------
    PlanningError
        If the window ends before it starts.
    """
    if last < first:
        raise PlanningError("plan_window_reversed", first=first, last=last)
    rows = [
        {
            "closure_code": closure.code,
            "starts_on": max(start, first),
            "ends_on": min(end, last),
            "day_count": (min(end, last) - max(start, first)).days + 1,
            "is_verified": closure.confidence not in _UNVERIFIED,
        }
        for closure in policy.bans.closures
        if closure.media is None or medium in closure.media
        for start, end in _stretches(closure, first.year, last.year)
        if start <= last and end >= first
    ]
    rows.sort(key=lambda row: (row["starts_on"], row["closure_code"]))
    table = pd.DataFrame(rows, columns=columns_of("closures"))
    days = {name: table[name].astype("datetime64[s]") for name in ("starts_on", "ends_on")}
    return table.assign(**days).astype({"closure_code": "str", "day_count": "int64", "is_verified": "boolean"})


def open_day_count(first: date, last: date, policy: Policy, medium: str | None = None) -> int:
    """Return on how many days of a window, both ends included, the calendar closes nothing."""
    closed = closed_days(first, last, policy, medium)
    starts, ends = (closed[name].to_numpy(dtype="datetime64[D]") for name in ("starts_on", "ends_on"))
    window = (np.array([as_day(first)]), np.array([as_day(last)]))
    return int(uncovered_days(np.zeros(len(closed), dtype=np.int64), starts, ends, *window)[0])


def closure_days(closure: Closure, first: Days, last: Days) -> Iterator[tuple[np.datetime64, np.datetime64]]:
    """Yield first and last day of the closure in every year that could meet one of some windows, both ends included."""
    if not len(first):
        return
    years = (int(np.datetime64(day, "Y").astype(np.int64)) + 1970 for day in (first.min(), last.max()))
    for start, end in _stretches(closure, *years):
        yield as_day(start), as_day(end)


def filing_before(works_on: date, policy: Policy) -> FilingDay | None:
    """Return the filing day for works on a day: in the year before; None where the ban set has no filing date."""
    if policy.bans.filing is None:
        return None
    return FilingDay(_in_year(policy.bans.filing.last_day, works_on.year - 1), works_on.year)


def next_filing(as_of: date, policy: Policy) -> FilingDay | None:
    """Return the next filing day, the as-of day included, and the year whose plan is filed by it."""
    filing = filing_before(date(as_of.year + 1, 1, 1), policy)
    if filing is not None and filing.files_by < as_of:
        return filing_before(date(as_of.year + 2, 1, 1), policy)
    return filing


def _stretches(closure: Closure, first_year: int, last_year: int) -> Iterator[tuple[date, date]]:
    """Yield first and last day of the closure wherever it could meet the years, also from the year before."""
    runs_over = closure.last_day < closure.first_day
    for year in range(first_year - runs_over, last_year + 1):
        yield _in_year(closure.first_day, year), _in_year(closure.last_day, year + runs_over)


def _in_year(month_day: str, year: int) -> date:
    month, day = (int(part) for part in month_day.split("-"))
    return date(year, month, 1) + timedelta(days=min(day, monthrange(year, month)[1]) - 1)
