"""Due windows: from which day to which a segment's renewal is asked for, by its policy class."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from planner.classes import threshold_years
from planner.days import NO_DAY, Days, anniversary, as_day
from planner.factors import day_column, number_column, text_column
from planner.policy import Policy
from planner.policy_timing import DueWindow
from planner.record import DAYS_PER_YEAR

_FAVOURABLE = ("safe", "controlled")
_CLASSES = ("mandatory", "due", "assess", "keep")


@dataclass(frozen=True)
class DueWindows:
    """Days by segment, both ends included: when it is due, and between which days its renewal could be done at all."""

    due_from: Days
    due_until: Days
    reach_from: Days
    reach_until: Days


def due_windows(segments: pd.DataFrame, policy_class: pd.Series, policy: Policy, as_of: date) -> DueWindows:
    """Return when each segment is due, and how far its renewal may be moved.

    A window runs in whole years from the clock of its class (`timing.due`). One whose end has passed is overdue: it is
    due as a mandatory one is. A segment to keep falls due when it may reach the service time of its medium, or when
    its favourable assessment expires, whichever is later; one that is not in service, or of which neither is known,
    never does. Nothing can be done before the as-of day.

    Misleads where an authority has set another term than the policy: the registry does not keep terms.

    Parameters
    ----------
    policy_class
        The class of each segment, index as `segments`; missing gives no window.
    """
    today = np.full(len(segments), as_day(as_of))
    clocks = {
        "as_of": today,
        "assessed_on": _assessed(segments, today),
        "falls_due": np.maximum(_falls_due(segments, policy), today),
    }
    found = [np.full(len(segments), NO_DAY) for _ in range(4)]
    at_once = anniversary(today, policy.timing.window("mandatory").until_years)
    for code in _CLASSES:
        rows = (policy_class == code).to_numpy(dtype=bool, na_value=False)
        window = policy.timing.window(code)
        for days, made in zip(
            found, _window(window, clocks[window.clock][rows], today[rows], at_once[rows]), strict=True
        ):
            days[rows] = made
    return DueWindows(*found)


def _window(window: DueWindow, clock: Days, today: Days, at_once: Days) -> tuple[Days, Days, Days, Days]:
    start = np.maximum(anniversary(clock, window.from_years), today)
    end = anniversary(clock, window.until_years)
    end = np.where(end < today, at_once, end)
    return (
        start,
        end,
        np.maximum(anniversary(start, -window.pull_forward_years), today),
        anniversary(end, window.wait_years),
    )


def _assessed(segments: pd.DataFrame, today: Days) -> Days:
    """Return the day of an assessment that asks for renewal, else the as-of day."""
    day = day_column(segments, "assessed_on")
    asks = text_column(segments, "assessment").isin(["renew_by", "renew_now"]).to_numpy(dtype=bool)
    return np.where(asks & ~np.isnat(day) & (day <= today), day, today)


def _falls_due(segments: pd.DataFrame, policy: Policy) -> Days:
    """Return the first day on which a segment that is kept will have to be assessed; missing where nobody can say."""
    earliest = number_column(segments, "installed_year_min")
    year = earliest + threshold_years(segments["medium"], policy.rules)
    is_known = np.isfinite(year)
    reached = np.where(is_known, year, 1970).astype(np.int64) - 1970
    by_age = np.where(is_known, reached.astype("datetime64[Y]").astype("datetime64[D]"), NO_DAY)
    valid_days = round(policy.rules.assessment_valid_years.value * DAYS_PER_YEAR)
    is_favourable = text_column(segments, "assessment").isin(list(_FAVOURABLE)).to_numpy(dtype=bool)
    expires = day_column(segments, "assessed_on") + np.timedelta64(valid_days + 1, "D")
    by_assessment = np.where(is_favourable, expires, NO_DAY)
    # a maximum that a missing day does not spoil
    day = np.fmax(by_age, by_assessment)
    is_out = text_column(segments, "status").isin(list(policy.candidates.excluded_statuses)).to_numpy(dtype=bool)
    return np.where(is_out, NO_DAY, day)
