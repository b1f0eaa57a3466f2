"""What an adopted plan promises: its parts by tier, medium and district, its yearly tasks; and what is locked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.factors import text_column
from registry.fields import check_frame, columns_of

_UNKNOWN: Final = "unknown"
_TASK: Final = ["year", "tier", "medium"]


@dataclass(frozen=True)
class LockedBatch:
    """A batch that planning anew must leave as it is: these segments together in this year; None: in no year."""

    batch_id: str
    segment_ids: tuple[str, ...]
    year: int | None


def locked_batches(plan_locks: pd.DataFrame) -> list[LockedBatch]:
    """Return the locked batches of a saved plan (its frame `plan_locks`), by id, their segments by id."""
    check_frame(plan_locks, "plan_locks")
    locks = plan_locks.sort_index()
    return [
        LockedBatch(
            str(name), tuple(map(str, rows.index)), None if rows["year"].isna().all() else int(rows["year"].iloc[0])
        )
        for name, rows in locks.groupby("batch_id")
    ]


def plan_parts(
    plan_name: str,
    batches: pd.DataFrame,
    batch_segments: pd.DataFrame,
    segments: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Return the segments that a plan renews, with what a task is counted by: the frame `plan_parts`.

    `segments` are those that the plan was made from: a later census must not change what was promised. A segment
    belongs to the district in which its middle lies.
    """
    check_frame(batches, "batches", ["label"])
    check_frame(batch_segments, "batch_segments", ["batch_id", "year"])
    check_frame(segments, "segments", ["medium", "length_m", "geometry"])
    placed = batch_segments[batch_segments["year"].notna()]
    pipes = segments.loc[placed.index]
    parts = pd.DataFrame(
        {
            "plan_name": pd.array([plan_name] * len(placed), dtype="str"),
            "segment_id": placed.index.astype("str"),
            "batch_id": placed["batch_id"].array,
            "place": batches["label"].reindex(placed["batch_id"]).array,
            "year": placed["year"].astype("Int64").array,
            "tier": text_column(pipes, "tier").fillna(_UNKNOWN).array,
            "medium": pipes["medium"].astype("str").array,
            "district": _districts_of(pipes, districts),
            "length_m": pipes["length_m"].array,
        }
    )
    return parts[columns_of("plan_parts")]


def _districts_of(pipes: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None) -> Any:  # noqa: ANN401 - a pandas array
    names = np.full(len(pipes), None, dtype=object)
    if districts is not None and len(districts):
        middles = shapely.line_interpolate_point(np.asarray(pipes.geometry.array), 0.5, normalized=True)
        row, area = districts.sindex.query(middles, predicate="intersects")
        # of two that touch, the first by id
        order = np.lexsort((districts.index.to_numpy(dtype=object)[area].astype(str), row))[::-1]
        names[row[order]] = districts["name"].to_numpy(dtype=object)[area[order]]
    return pd.array(names, dtype="str")


def yearly_tasks(parts: pd.DataFrame, batches: pd.DataFrame) -> pd.DataFrame:
    """Return what a plan asks of each year by tier and medium: the frame `tasks`.

    Kilometres are those of the segments. A batch and its households count once, with the tier and medium of the
    greatest part of its length.
    """
    check_frame(parts, "plan_parts")
    length = parts.groupby(["batch_id", *_TASK])[["length_m"]].sum().reset_index()
    order = length.sort_values(["batch_id", "length_m", "tier", "medium"], ascending=[True, False, True, True])
    main = order.drop_duplicates("batch_id")
    main = main.assign(household_count=batches["household_count"].reindex(main["batch_id"]).astype("Int64").array)
    counted = main.groupby(_TASK).agg(
        household_count=("household_count", lambda known: known.sum(min_count=1)), batch_count=("batch_id", "size")
    )
    tasks = length.groupby(_TASK)[["length_m"]].sum().join(counted).reset_index()
    name = "" if parts.empty else str(parts["plan_name"].iloc[0])
    keys = tasks["year"].astype("str") + ":" + tasks["tier"] + ":" + tasks["medium"]
    made = pd.DataFrame(index=pd.Index((name + ":") + keys, dtype="str", name="yearly_task_id"))
    for column in _TASK:
        made[column] = tasks[column].array
    made["district"] = pd.array([None] * len(tasks), dtype="str")
    made["km"] = tasks["length_m"].to_numpy(dtype="float64") / 1000.0
    made["household_count"] = tasks["household_count"].astype("Int64").array
    made["batch_count"] = tasks["batch_count"].fillna(0).astype("Int64").array
    made["plan_name"] = pd.array([name] * len(tasks), dtype="str")
    made["owner"] = pd.array([None] * len(tasks), dtype="str")
    made["remark"] = pd.array([None] * len(tasks), dtype="str")
    return made[columns_of("tasks")]


def task_differences(tasks: pd.DataFrame) -> pd.DataFrame:
    """Set what the bureau asks for beside what the plan in force makes, by year and tier: the frame `task_differences`.

    A task with the name of a plan is the plan's, any other the bureau's; rows of several media, districts or owners are
    added up within their tier.
    """
    check_frame(tasks, "tasks")
    keys = ["year", "tier"]
    is_planned = tasks["plan_name"].notna()
    sums = {
        side: rows.groupby(keys)[["km", "household_count", "batch_count"]].sum(min_count=1)
        for side, rows in (("plan", tasks[is_planned]), ("bureau", tasks[~is_planned]))
    }
    index = sums["plan"].index.union(sums["bureau"].index)
    plan, bureau = (sums[side].reindex(index) for side in ("plan", "bureau"))
    table = pd.DataFrame(index=index)
    table["plan_km"], table["bureau_km"] = plan["km"].astype("float64"), bureau["km"].astype("float64")
    table["difference_km"] = table["plan_km"] - table["bureau_km"]
    table["plan_household_count"] = plan["household_count"].astype("Int64")
    table["bureau_household_count"] = bureau["household_count"].astype("Int64")
    table["batch_count"] = plan["batch_count"].astype("Int64")
    return table.reset_index()[columns_of("task_differences")]
