"""How much of the network was looked at in each year: no survey must not read like no leak."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.factors import Floats
from registry.errors import PlanningError


def surveyed_share(effort: pd.DataFrame, segments: pd.DataFrame, years: range) -> Floats:
    """Return the share of each segment's district (rows) that was looked at in each year (columns).

    A segment without a district, or of one that `effort` does not name, takes the mean of the districts of the year,
    weighted by nothing. Assumes that within a district the survey chose its streets without regard to leaks; misleads
    where only suspected pipes were surveyed.

    Parameters
    ----------
    effort
        Columns `year`, `surveyed_share` from 0 to 1 and, where districts differ, `district`.
    segments
        With the column `district` where `effort` has it.
    years
        The years of the panel; each must be told.

    Returns
    -------
    An array of segments by years; a single row where there are no districts.

    Raises
    ------
    PlanningError
        If a year is missing or a share is not from 0 to 1.
    """
    share = effort["surveyed_share"].to_numpy(dtype="float64")
    faulty = ~((share >= 0.0) & (share <= 1.0))
    if faulty.any():
        raise PlanningError("forecast_effort_share", share=float(share[faulty][0]))
    absent = [year for year in years if year not in set(effort["year"])]
    if absent:
        raise PlanningError("forecast_effort_years", years=", ".join(map(str, absent)))
    of_year = effort.groupby("year")["surveyed_share"].mean().reindex(list(years)).to_numpy(dtype="float64")
    if "district" not in effort.columns:
        return of_year[None, :]
    table = effort.pivot_table("surveyed_share", "district", "year", aggfunc="mean").reindex(columns=list(years))
    known = np.where(np.isnan(table), of_year[None, :], table)
    # the last row is for segments without a district of the table
    row = table.index.get_indexer(pd.Index(segments["district"]))
    chosen: Floats = np.vstack([known, of_year])[row]
    return chosen
