"""Time windows: whether and when a project is on site within the planning years."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.days import calendar_years
from planner.factors import day_column, text_column
from planner.policy import Policy


def project_windows(projects: pd.DataFrame, years: range, policy: Policy) -> pd.DataFrame:
    """Return for each project whether it meets the years, and the first and last year in common.

    A missing start or end is open: nothing says that the project is not on site then. Projects in a state that the
    policy calls inactive (cancelled, done) meet no year, nor do projects that end before they start.

    Returns
    -------
    Index as `projects`; `meets_years`, `first_year`, `last_year` (missing where the years are not met).
    """
    start = _filled(day_column(projects, "starts_on"), date(years[0], 1, 1))
    end = _filled(day_column(projects, "ends_on"), date(years[-1], 12, 31))
    is_active = ~text_column(projects, "state").isin(list(policy.overlap.inactive_states)).to_numpy(dtype=bool)
    meets = (
        is_active
        & (start <= end)
        & (start <= np.datetime64(date(years[-1], 12, 31)))
        & (end >= np.datetime64(date(years[0], 1, 1)))
    )
    first = np.maximum(calendar_years(start), years[0])
    last = np.minimum(calendar_years(end), years[-1])
    windows = pd.DataFrame(index=projects.index)
    windows["meets_years"] = pd.array(meets, dtype="boolean")
    windows["first_year"] = pd.Series(first, projects.index, dtype="Int64").where(meets)
    windows["last_year"] = pd.Series(last, projects.index, dtype="Int64").where(meets)
    return windows


def _filled(day: NDArray[np.datetime64], default: date) -> NDArray[np.datetime64]:
    return np.where(np.isnat(day), np.datetime64(default), day)
