"""Which bans leave a segment no day of a planning year, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.days import FOREVER, as_day
from planner.locks import Locks
from planner.members import Rows
from planner.policy import Policy


@dataclass(frozen=True)
class Ground:
    """The ground of a plan: its bans, those that projects will bring included, and the day from which it can be dug."""

    bans: gpd.GeoDataFrame
    as_of: date


def closing_bans(
    segments: gpd.GeoDataFrame, rows: Rows, ground: Ground | None, years: range, policy: Policy
) -> pd.DataFrame:
    """Return the bans that together leave no open day of a year to some of the segments: one row for each ban.

    A year counts from the as-of day on. Where all of them were lifted, the year would be open.

    Returns
    -------
    Columns `row` (place in `segments`), `year` (place in `years`), `ban_id`, `until` (last forbidden day; missing
    where none is said).
    """
    columns = {"row": "int64", "year": "int64", "ban_id": "object", "until": "datetime64[s]"}
    if ground is None or not len(rows) or ground.bans.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    chosen = segments.iloc[rows]
    locks = Locks.of_ground(chosen, ground.bans, policy, with_planned=True)
    starts, ends = locks.starts[locks.ban], locks.ends[locks.ban]
    names = ground.bans.index.to_numpy(dtype=object)
    parts = []
    for place, year in enumerate(years):
        first = max(as_day(date(year, 1, 1)), as_day(ground.as_of))
        last = as_day(date(year, 12, 31))
        spans = locks.within(np.full(len(chosen), first), np.full(len(chosen), last))
        closes = spans.closes_all[locks.row] & (starts <= last) & (ends >= first)
        until = np.where(ends[closes] == FOREVER, np.datetime64("NaT"), ends[closes])
        parts.append(
            pd.DataFrame(
                {
                    "row": rows[locks.row[closes]],
                    "year": place,
                    "ban_id": names[locks.ban[closes]],
                    "until": until.astype("datetime64[s]"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True).astype(columns)
