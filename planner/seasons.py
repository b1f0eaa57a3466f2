"""The calendar of a ban set over the days that renewal and project share: which are open and can still be filed."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.calendars import closure_days, filing_before
from planner.days import NO_DAY, Days, as_day, calendar_years, uncovered_days
from planner.factors import Flags
from planner.policy import Policy

SEASON_COLUMNS: Final = ("open_days", "season", "closures", "file_by")
Numbers = NDArray[np.int64]


def shared_seasons(first: Days, last: Days, medium: pd.Series, policy: Policy, as_of: date) -> pd.DataFrame:
    """Tell of each window of shared days what the calendar of the ban set leaves of it; both ends are included.

    The season is `open` where a day is left that no closure names and whose dig plan can still be filed, `closed`
    where closures name all days, `unfiled` where the filing days of all open ones have passed. A ban set without a
    filing day lets everything be filed. Only the calendar counts: dig bans on the ground are told elsewhere.

    Misleads where the closed days of the ban set are usual practice only, and where the dig plan was filed in time.

    Parameters
    ----------
    first, last
        The days that both share; a missing one or a `last` before `first` says that they share none.
    medium
        Of the segments; closures for some media hold for these only.

    Returns
    -------
    Index as `medium`; `open_days`, and where days are shared `season`, `closures` (codes of those that close some of
    the days, joined by bars) and `file_by` (the last day on which a plan with open days can be filed).
    """
    shares: Flags = ~np.isnat(first) & ~np.isnat(last) & (first <= last)
    windows = pd.DataFrame({"first": first[shares], "last": last[shares], "medium": medium.array[shares]})
    window = windows.groupby(list(windows), sort=False, dropna=False).ngroup().to_numpy()
    found = _of_windows(windows.iloc[np.unique(window, return_index=True)[1]], policy, as_of)
    table = found.take(window).set_index(medium.index[shares]).reindex(medium.index)
    nowhere = pd.Series(np.where(np.isnat(first) | np.isnat(last), np.nan, 0.0), medium.index).astype("Int64")
    return table.assign(open_days=table["open_days"].fillna(nowhere))


def _of_windows(windows: pd.DataFrame, policy: Policy, as_of: date) -> pd.DataFrame:
    """Return the season of each window; each is looked at year by year, as dig plans are filed."""
    first, last = (windows[name].to_numpy(dtype="datetime64[D]") for name in ("first", "last"))
    row, years = _years(first, last)
    january = (years - 1970).astype("datetime64[Y]")
    start = np.maximum(first[row], january.astype("datetime64[D]"))
    end = np.minimum(last[row], (january + 1).astype("datetime64[D]") - 1)
    count = len(windows)
    closures, of_year, starts, ends = _closing(start, end, windows["medium"].array[row], policy)
    open_days = uncovered_days(of_year, starts, ends, start, end)
    files_by = _filing_days(years, policy)
    is_late: Flags = files_by < as_day(as_of)
    open_count, filed_count = (_sum(row, days, count) for days in (open_days, np.where(is_late, 0, open_days)))
    file_by = np.full(count, NO_DAY)
    can_be_filed = (open_days > 0) & ~is_late & ~np.isnat(files_by)
    # the years of a window come in order: the last one stands
    file_by[row[can_be_filed]] = files_by[can_be_filed]
    codes = pd.Series("", index=range(count), dtype="str")
    for number, closure in enumerate(policy.bans.closures):
        closes = np.bincount(row[of_year[closures == number]], minlength=count) > 0
        codes = codes.where(~closes, codes + "|" + closure.code)
    return pd.DataFrame(
        {
            "open_days": pd.Series(open_count, dtype="Int64"),
            "season": pd.Series(
                np.select([open_count == 0, filed_count == 0], ["closed", "unfiled"], default="open"), dtype="str"
            ),
            "closures": codes.str.removeprefix("|"),
            "file_by": pd.Series(file_by.astype("datetime64[s]")),
        }
    )


def _years(first: Days, last: Days) -> tuple[Numbers, Numbers]:
    """Return the row of each window once for every calendar year that it meets, and that year."""
    begin, until = calendar_years(first), calendar_years(last)
    count = until - begin + 1
    row = np.repeat(np.arange(len(first)), count)
    return row, begin[row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)


def _closing(
    start: Days, end: Days, medium: pd.api.extensions.ExtensionArray, policy: Policy
) -> tuple[Numbers, Numbers, Days, Days]:
    """Return the stretches that meet each window: number of the closure, row of the window, first and last day."""
    nothing = np.empty(0, dtype=np.int64)
    parts = [(nothing, nothing, nothing.astype("datetime64[D]"), nothing.astype("datetime64[D]"))]
    for number, closure in enumerate(policy.bans.closures):
        concerns = np.full(len(start), True) if closure.media is None else pd.Series(medium).isin(list(closure.media))
        for first, last in closure_days(closure, start, end):
            rows = np.flatnonzero(np.asarray(concerns, dtype=bool) & (start <= last) & (first <= end))
            parts.append((np.full(len(rows), number), rows, np.full(len(rows), first), np.full(len(rows), last)))
    closures, rows, firsts, lasts = (np.concatenate(column) for column in zip(*parts, strict=True))
    return closures, rows, firsts, lasts


def _filing_days(years: Numbers, policy: Policy) -> Days:
    """Return the filing day for works in each year; missing where the ban set has none."""
    known = np.unique(years)
    found = [filing_before(date(int(year), 1, 1), policy) for year in known]
    days = np.array([NO_DAY if filing is None else as_day(filing.files_by) for filing in found], "datetime64[D]")
    return days[np.searchsorted(known, years)]


def _sum(row: Numbers, values: Numbers, count: int) -> Numbers:
    return np.bincount(row, weights=values, minlength=count).astype(np.int64)
