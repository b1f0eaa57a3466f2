"""Arithmetic on days: terms of whole years, as laws and ban sets count them. No clock, no time zone."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]
NO_DAY: Final = np.datetime64("NaT", "D")
ONE_DAY: Final = np.timedelta64(1, "D")
# stands for an end that is not said, wherever days are compared
FOREVER: Final = np.datetime64("9999-12-31", "D")


def as_day(day: date) -> np.datetime64:
    """Return a date as a day of numpy."""
    return np.datetime64(day, "D")


def calendar_years(days: Days) -> NDArray[np.int64]:
    """Return the calendar year of each day; of a missing day a number that means nothing."""
    # numpy counts years from 1970
    years: NDArray[np.int64] = days.astype("datetime64[Y]").astype(np.int64) + 1970
    return years


def anniversary(days: Days, years: int) -> Days:
    """Return the same date so many years later; 29 February becomes the last day of February where there is none.

    This is how 民法典 article 202 counts: the term ends on the day of the same date, or on the last day of the month
    that has none. A missing day stays missing.
    """
    later = days.astype("datetime64[M]") + np.timedelta64(12 * years, "M")
    length = (later + np.timedelta64(1, "M")).astype("datetime64[D]") - later.astype("datetime64[D]")
    day: Days = later.astype("datetime64[D]") + np.minimum(_day_of_month(days), length - ONE_DAY)
    return day


def first_day_of_term(clock: Days, *, counts_first_day: bool) -> Days:
    """Return the first day of a term: the day of the clock where that counts, else the one after."""
    return clock if counts_first_day else clock + ONE_DAY


def last_day_of_term(clock: Days, years: int, *, counts_first_day: bool) -> Days:
    """Return the last day of a term of whole years, included in it.

    Where the day of the clock does not count, the term ends on its anniversary; where it counts, on the day before. A
    term from 29 February ends on 28 February of a common year either way.
    """
    end = anniversary(clock, years)
    if not counts_first_day:
        return end
    is_clipped = _day_of_month(end) < _day_of_month(clock)
    return np.where(is_clipped, end, end - ONE_DAY)


def _day_of_month(days: Days) -> NDArray[np.timedelta64]:
    since: NDArray[np.timedelta64] = np.subtract(days, days.astype("datetime64[M]").astype("datetime64[D]"))
    return since


def uncovered_days(group: NDArray[np.int64], starts: Days, ends: Days, first: Days, last: Days) -> NDArray[np.int64]:
    """Return for each window `first`-`last` on how many of its days no span lies, all ends included.

    Parameters
    ----------
    group
        For each span the row of the window that it belongs to.
    starts, ends
        The spans; those that end before they start cover nothing, a missing end is open.
    """
    total = (last - first + ONE_DAY).astype(np.int64)
    open_end = np.where(np.isnat(ends), FOREVER, ends)
    start = np.maximum(starts, first[group])
    end = np.minimum(open_end, last[group])
    covers = (start <= end) & (starts <= open_end)
    group, start, end = group[covers], start[covers].astype(np.int64), end[covers].astype(np.int64)
    order = np.lexsort((start, group))
    group, start, end = group[order], start[order], end[order]
    # ends so far within each window: offsets keep the running maximum of one window from reaching the next
    reach = np.int64(2 * abs(int(FOREVER.astype(np.int64))))
    so_far = np.maximum.accumulate(end + group * reach) - group * reach if len(end) else end
    is_first = np.concatenate([[True], group[1:] != group[:-1]])[: len(group)]
    before = np.where(is_first, start - 1, np.concatenate([[0], so_far[:-1]])[: len(group)])
    new = np.maximum(end - np.maximum(start - 1, before), 0)
    covered = np.bincount(group, weights=new, minlength=len(first)).astype(np.int64)
    return np.where(np.isnat(first) | np.isnat(last), 0, total - covered)
