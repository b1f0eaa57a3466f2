"""Planned against done: by tier and by district, month by month and cumulative."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.programme import task_differences
from registry.fields import check_frame, columns_of


def progress_by_tier(tasks: pd.DataFrame, shares: pd.DataFrame, year: int, last_month: int) -> pd.DataFrame:
    """Set the tasks of a year beside what was done of it, for each month up to `last_month`: `progress_tiers`.

    What was done in the year counts, in whichever year it was promised. Tiers are rows and never added up.
    """
    check_frame(shares, "done_shares")
    asked = task_differences(tasks)
    asked = asked[asked["year"] == year].set_index("tier")
    done = shares[shares["month"].dt.year == year].assign(number=shares["month"].dt.month)
    done = done[done["number"] <= last_month]
    tiers = asked.index.union(pd.Index(done["tier"].unique()))
    grid = pd.MultiIndex.from_product([range(1, last_month + 1), tiers], names=["number", "tier"])
    monthly = _summed(done, grid)
    table = monthly.reset_index()
    table["year"] = pd.array([year] * len(table), dtype="Int64")
    table["month"] = pd.to_datetime({"year": year, "month": table["number"], "day": 1}).astype("datetime64[s]")
    for column in ("plan_km", "bureau_km", "plan_household_count", "bureau_household_count"):
        table[column] = asked[column].reindex(table["tier"]).array
    so_far = table.groupby("tier")[["done_km", "outside_km", "homes"]].cumsum()
    table["cumulative_km"], table["outside_km"] = so_far["done_km"], so_far["outside_km"]
    table["household_count"] = so_far["homes"].astype("Int64")
    # the bureau counts every kilometre, the plan those that it asked for
    table["plan_share"] = _share(table["cumulative_km"] - table["outside_km"], table["plan_km"])
    table["bureau_share"] = _share(table["cumulative_km"], table["bureau_km"])
    return table[columns_of("progress_tiers")]


def progress_by_district(parts: pd.DataFrame, shares: pd.DataFrame, year: int, month: int) -> pd.DataFrame:
    """Set what the plan in force asks of a year beside what was done up to a month: the frame `progress_districts`."""
    check_frame(parts, "plan_parts")
    keys = ["district", "tier"]
    asked = parts[parts["year"] == year].groupby(keys, dropna=False)["length_m"].sum() / 1000.0
    done = shares[(shares["month"].dt.year == year) & (shares["month"].dt.month <= month)]
    in_month = done[done["month"].dt.month == month].groupby(keys, dropna=False)["km"].sum()
    so_far = done.groupby(keys, dropna=False)["km"].sum()
    sums = [part.rename(name) for part, name in ((asked, "plan_km"), (in_month, "done_km"), (so_far, "cumulative_km"))]
    table: pd.DataFrame = pd.concat([part.reset_index() for part in sums], ignore_index=True)
    table = table.groupby(keys, dropna=False)[["plan_km", "done_km", "cumulative_km"]].sum().reset_index()
    table["plan_share"] = _share(table["cumulative_km"], table["plan_km"])
    table["district"] = pd.array(table["district"].to_numpy(dtype=object), dtype="str")
    return table[columns_of("progress_districts")]


def _summed(done: pd.DataFrame, grid: pd.MultiIndex) -> pd.DataFrame:
    keys = ["number", "tier"]
    own = done.assign(outside=done["km"].where(done["segment_id"].isna(), 0.0))
    sums = own.groupby(keys).agg(done_km=("km", "sum"), outside_km=("outside", "sum"), homes=("household_count", "sum"))
    filled: pd.DataFrame = sums.reindex(grid).fillna(0).astype("float64")
    return filled


def _share(done: pd.Series, asked: pd.Series) -> pd.Series:
    whole = asked.astype("float64")
    return done / whole.where(whole > 0, np.nan)
