"""The window of a project as it is stated, and the days between which its owner could move it."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from planner.days import NO_DAY, ONE_DAY, as_day
from planner.factors import day_column, number_column, text_column

WINDOW_COLUMNS: Final = ("project_from", "project_until", "project_earliest", "project_latest")


def project_freedom(projects: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the stated window of each project and the days between which it may be moved, both ends included.

    A missing start is the end and a missing end the start; without both `earliest_on` and `latest_on` together stand
    in, else the year of the batch. A window that ends before it starts is none. Without a stated freedom a project
    does not move; one under way does not start earlier, and nothing starts before `as_of`.

    Returns
    -------
    Index as `projects`; `project_from`, `project_until`, `project_earliest`, `project_latest`.
    """
    earliest, latest = day_column(projects, "earliest_on"), day_column(projects, "latest_on")
    year = number_column(projects, "batch_year")
    has_year = ~np.isnan(year)
    january = np.where(
        has_year, (np.where(has_year, year, 1970).astype(np.int64) - 1970).astype("datetime64[Y]"), NO_DAY
    )
    january = january.astype("datetime64[D]")
    december = (january.astype("datetime64[Y]") + np.timedelta64(1, "Y")).astype("datetime64[D]") - ONE_DAY
    start, end = day_column(projects, "starts_on"), day_column(projects, "ends_on")
    start, end = np.where(np.isnat(start), end, start), np.where(np.isnat(end), start, end)
    for other_start, other_end in ((earliest, latest), (january, december)):
        is_free = np.isnat(start) & ~np.isnat(other_start) & ~np.isnat(other_end)
        start, end = np.where(is_free, other_start, start), np.where(is_free, other_end, end)
    is_none = np.isnat(start) | (end < start)
    is_on_site = (text_column(projects, "state") == "under_way").to_numpy(dtype=bool, na_value=False)
    soonest = np.where(is_on_site | np.isnat(earliest), start, np.maximum(earliest, as_day(as_of)))
    days = {
        "project_from": start,
        "project_until": end,
        "project_earliest": np.minimum(soonest, start),
        "project_latest": np.where(np.isnat(latest), end, np.maximum(latest, end)),
    }
    table = {name: np.where(is_none, NO_DAY, day).astype("datetime64[s]") for name, day in days.items()}
    return pd.DataFrame(table, index=projects.index)
