"""The last chance before a road closes: pipes under committed works that the plan leaves there, and what that costs.

The relation `race` of a pair says that a renewal falls due in the ban that the project brings; this list asks of every
pair, whenever it is due, what the pipe is expected to do in that ban if it stays. With the ban from day a to day b
(both forbidden), the expected leaks of year y without third-party damage and the days d(y) of the ban in it:

    leaks in the ban     = sum over y of leaks(y) x d(y) / days of y
    at least one         = 1 - (shape / (shape + leaks in the ban)) ^ shape         gamma rate, Poisson leaks
    price of missing it  = leaks in the ban x (repair + harm x consequence + cut) + saving lost
    cut                  = surcharge factor x area of a pit x price of its surface

Years before and after those of the outlook have the rate of its first and last year.
"""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.costs import rows_of
from planner.days import FOREVER, ONE_DAY, Days
from planner.factors import Floats, text_column
from planner.forecast.outlook import Outlook
from planner.locks import Locks
from planner.members import Rows
from planner.policy import Policy
from planner.value_terms import PairFrames, value_prices
from registry.errors import PlanningError
from registry.fields import columns_of

_TYPES: Final = {"rank": "Int64", "segment_id": "str", "project_id": "str", "relation": "str", "plan_year": "Int64"}


def find_last_chances(
    frames: PairFrames,
    amounts: pd.DataFrame,
    bans: gpd.GeoDataFrame,
    outlook: Outlook,
    planned: pd.DataFrame,
    policy: Policy,
) -> pd.DataFrame:
    """List segments under committed works that the plan leaves there when the road closes: dearest first.

    Counted are pairs that share at least `timing.least_closed_m` with a project in a committed state of the policy that
    will bring a ban, where the plan renews the segment in no year up to that in which the ban begins, and at least
    `last_chance.least_leaks` are expected in the ban. A ban without a known end counts to the end of the outlook.

    Misleads where the dates of a project are only a year; and a segment under two projects has a row for each.

    Parameters
    ----------
    amounts
        The frame `pair_values` of the pairs; its saving is what is lost.
    planned
        The frame `batch_segments` of the plan.

    Returns
    -------
    The frame `last_chances`; empty where the policy has no part `last_chance`.

    Raises
    ------
    PlanningError
        If pairs name segments that the outlook does not have.
    """
    rule, pairs = policy.last_chance, frames.pairs
    project = frames.projects.index.get_indexer(pd.Index(pairs["project_id"])).astype(np.int64)
    brought = Locks.of_projects(frames.projects, bans).spans().take(project)
    states = text_column(frames.projects, "state").isin(list(rule.committed_states) if rule else [])
    years = planned["year"].reindex(pairs["segment_id"]).to_numpy(dtype="float64", na_value=np.nan)
    is_left = ~(years <= _years(brought.start))
    overlaps = pairs["overlap_m"].to_numpy(dtype="float64") >= policy.timing.least_closed_m.value
    kept = np.flatnonzero(states.to_numpy(dtype=bool)[project] & ~np.isnat(brought.start) & is_left & overlaps)
    row = outlook.segment_ids.get_indexer(pd.Index(pairs["segment_id"].iloc[kept])).astype(np.int64)
    if (row < 0).any():
        raise PlanningError("plan_outlook_unfit", first=outlook.years.start, outlook=outlook.years.start)
    until = brought.end[kept]
    last = np.where(until == FOREVER, np.datetime64(f"{outlook.years.stop - 1}-12-31", "D"), until)
    leaks = leaks_between(outlook, row, brought.start[kept], last)
    shape = outlook.shape[row]
    table = pairs[["segment_id", "project_id", "overlap_m"]].iloc[kept].reset_index(drop=True)
    table["relation"] = _of_pairs(table, frames.pair_times, "relation").array
    table["plan_year"] = pd.array(years[kept], dtype="Float64").astype("Int64")
    table["banned_from"] = brought.start[kept].astype("datetime64[s]")
    table["banned_until"] = np.where(until == FOREVER, np.datetime64("NaT"), until).astype("datetime64[s]")
    table["leaks_in_ban"] = leaks
    table["leak_probability"] = -np.expm1(shape * np.log(shape / (shape + leaks)))
    table["leak_cost_cny"] = leaks * _leak_cny(frames, table["segment_id"], policy)
    table["lost_saving_cny"] = _of_pairs(table, amounts, "saving_cny").to_numpy(dtype="float64", na_value=0.0)
    table["price_cny"] = table["leak_cost_cny"] + table["lost_saving_cny"]
    return _ranked(table[leaks >= (rule.least_leaks.value if rule else np.inf)])


def leaks_between(outlook: Outlook, row: Rows, first: Days, last: Days) -> Floats:
    """Return the leaks expected from a first to a last day, both included, of rows of the outlook."""
    total = np.zeros(len(row))
    if not len(row):
        return total
    span = range(int(_years(first).min()), int(_years(last).max()) + 1)
    for year in span:
        starts, ends = np.datetime64(f"{year}-01-01", "D"), np.datetime64(f"{year}-12-31", "D")
        days = (np.minimum(last, ends) - np.maximum(first, starts) + ONE_DAY).astype(np.int64)
        place = min(max(year - outlook.years.start, 0), len(outlook.years) - 1)
        share = np.maximum(days, 0) / float((ends - starts + ONE_DAY).astype(np.int64))
        total += outlook.leaks[row, place] * share
    return total


def _leak_cny(frames: PairFrames, segment_ids: pd.Series, policy: Policy) -> Floats:
    """Return what a leak in the ban costs: repair, harm, and the surface of a pit at the price of a closed road."""
    value, rule = value_prices(policy), policy.last_chance
    found = frames.segments.loc[segment_ids]
    repair, harm = (
        np.array([entry.value for entry in table])[rows_of(found["medium"], [entry.code for entry in table])]
        for table in (value.repair_cny_per_leak, value.harm_cny_per_leak)
    )
    surfaces = policy.prices.surface
    surface = rows_of(text_column(found, "surface"), [price.code for price in surfaces])
    per_m2 = np.array([price.price_cny_per_m2 for price in surfaces])[surface]
    pit = rule.pit_m2.value * rule.surcharge_factor.value if rule else 0.0
    consequence = frames.scores["consequence_index"].reindex(found.index).to_numpy(dtype="float64")
    cost: Floats = repair + harm * consequence + per_m2 * pit
    return cost


def _of_pairs(table: pd.DataFrame, source: pd.DataFrame, column: str) -> pd.Series:
    keys = ["segment_id", "project_id"]
    return table[keys].merge(source[[*keys, column]], on=keys, how="left")[column]


def _years(days: Days) -> Any:  # noqa: ANN401 - years of days, NaN where there is none
    return np.where(np.isnat(days), np.nan, days.astype("datetime64[Y]").astype(np.int64) + 1970.0)


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    keys = ["price_cny", "segment_id", "project_id"]
    order = table.sort_values(keys, ascending=[False, True, True], kind="stable", ignore_index=True)
    order.insert(0, "rank", np.arange(1, len(order) + 1))
    return order.astype(_TYPES)[columns_of("last_chances")]


def summarise_last_chances(table: pd.DataFrame, length_m: pd.Series) -> dict[str, Any]:
    """Return counts and sums; a segment under two projects counts once, with its dearer row."""
    once = table.drop_duplicates("segment_id")
    return {
        "segment_count": len(once),
        "km": float(length_m.reindex(once["segment_id"]).sum() / 1000.0),
        "leaks_in_ban": float(once["leaks_in_ban"].sum()),
        "price_cny": float(once["price_cny"].sum()),
    }
