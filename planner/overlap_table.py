"""The table that a coordination meeting reads: all that is known of each pair of segment and project, dearest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from planner.factors import text_column
from planner.seasons import SEASON_COLUMNS
from registry.fields import check_frame, columns_of, fields

KEY: Final = ["segment_id", "project_id"]
_RELATIONS: Final = ("together", "near_miss", "race", "conflict", "too_late")
_OF_TIMES: Final = (
    "relation",
    "due_from",
    "due_until",
    "project_from",
    "project_until",
    "project_earliest",
    "project_latest",
    "overlap_days",
    *SEASON_COLUMNS,
    "gap_days",
    "mover",
    "move_days",
    "locked_from",
    "locked_until",
    "rule_code",
    "exceptions",
)
_OF_VALUES: Final = (
    "joining_from_year",
    "joining_until_year",
    "best_year",
    "break_even_year",
    "cost_alone_cny",
    "cost_together_cny",
    "saving_cny",
    "saving_low_cny",
    "saving_high_cny",
    "at_stake_cny",
)
_DTYPES: Final = {"text": "str", "double": "float64", "integer": "Int64", "date": "datetime64[s]", "boolean": "boolean"}


@dataclass(frozen=True)
class Meeting:
    """What the table is joined from, by the contracts of the same names.

    `planned` is the frame `batch_segments` of the latest plan, or None where there is none.
    """

    pairs: pd.DataFrame
    times: pd.DataFrame
    amounts: pd.DataFrame
    decisions: pd.DataFrame
    neighbours: pd.DataFrame
    segments: pd.DataFrame
    scores: pd.DataFrame
    projects: pd.DataFrame
    planned: pd.DataFrame | None = None


def overlap_table(meeting: Meeting) -> pd.DataFrame:
    """Join what is known of each pair, and sort by what is at stake, the dearest first.

    Each row of `pairs` gives one row. What is not known stays empty; rows without an amount at stake come last, by
    their overlap.

    Returns
    -------
    The frame `overlap_table`.
    """
    check_frame(meeting.pairs, "pairs", [*KEY, "project_kind", "overlap_m", "overlap_share"])
    table = meeting.pairs.merge(meeting.times[[*KEY, *_OF_TIMES]], on=KEY, how="left", validate="1:1")
    table = table.merge(meeting.amounts[[*KEY, *_OF_VALUES]], on=KEY, how="left", validate="1:1")
    standing = meeting.decisions[[*KEY, "verdict", "decided_on", "decided_by", "due_on"]]
    table = table.merge(standing, on=KEY, how="left", validate="1:1")
    table["pair_id"] = table["segment_id"] + "@" + table["project_id"]
    for name in ("street_name", "compound_name"):
        table[name] = table["segment_id"].map(text_column(meeting.segments, name))
    for name in ("policy_class", "grade", "risk_per_year", "gap_count"):
        table[name] = table["segment_id"].map(meeting.scores[name])
    table["household_count"] = table["segment_id"].map(meeting.scores["expected_household_count"])
    table["project_name"] = table["project_id"].map(meeting.projects["name"])
    for name in ("owner", "contact", "date_certainty"):
        table[name] = table["project_id"].map(text_column(meeting.projects, name))
    table["neighbour_count"] = _counted(table["segment_id"], meeting.neighbours, "segment_id")
    _add_batches(table, meeting)
    ordered = table.sort_values(
        ["at_stake_cny", "overlap_m", *KEY], ascending=[False, False, True, True], na_position="last", kind="stable"
    )
    return _typed(ordered.reset_index(drop=True), "overlap_table")


def _add_batches(table: pd.DataFrame, meeting: Meeting) -> None:
    """Add the batch of each segment, its year, and the share of its metres that lie inside the project."""
    if meeting.planned is None:
        table["batch_id"], table["batch_share"], table["plan_year"] = None, np.nan, pd.NA
        return
    batch = table["segment_id"].map(meeting.planned["batch_id"])
    lengths = meeting.segments["length_m"].reindex(meeting.planned.index)
    of_batch = lengths.groupby(meeting.planned["batch_id"]).sum()
    table["batch_id"] = batch
    table["plan_year"] = table["segment_id"].map(meeting.planned["year"])
    # of a plan without batches nothing tells that the lengths are numbers
    batch_m = batch.map(of_batch.to_dict()).astype("object").astype("float64")
    table["batch_share"] = (table["overlap_m"] / batch_m).clip(upper=1.0)


def by_project(table: pd.DataFrame, neighbours: pd.DataFrame) -> pd.DataFrame:
    """Sum up the table by project, the dearest first: the frame `overlap_projects`."""
    keys = ["project_id", "project_name", "project_kind", "owner", "contact", "project_from", "project_until"]
    summed = _summed(table, "project_id")
    told = table.drop_duplicates("project_id").set_index("project_id")[keys[1:]]
    summed = summed.join(told).reset_index()
    summed["neighbour_count"] = _counted(summed["project_id"], neighbours, "project_id")
    return _ranked(summed, "overlap_projects", "project_id")


def by_street(table: pd.DataFrame) -> pd.DataFrame:
    """Sum up the table by street, the dearest first: the frame `overlap_streets`."""
    summed = _summed(table, "street_name").reset_index()
    return _ranked(summed, "overlap_streets", "street_name")


def by_year(table: pd.DataFrame) -> pd.DataFrame:
    """Sum up the table by the best year of joining, in order: the frame `overlap_years`."""
    summed = _summed(table.assign(year=table["best_year"]), "year").reset_index()
    return _typed(summed.sort_values("year", kind="stable").reset_index(drop=True), "overlap_years")


def _summed(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """Count and sum by a key; rows without the key are one group of their own."""
    metres = {f"{name}_m": table["overlap_m"].where(table["relation"] == name, 0.0) for name in _RELATIONS}
    rows = table.assign(**metres, is_decided=table["verdict"].notna())
    sums = ["overlap_m", *metres]
    grouped = rows.groupby(key, dropna=False)
    summed = grouped[sums].sum()
    # an amount that is nowhere known is not nothing
    summed[["saving_cny", "at_stake_cny"]] = grouped[["saving_cny", "at_stake_cny"]].sum(min_count=1)
    summed["pair_count"] = grouped.size()
    summed["segment_count"] = grouped["segment_id"].nunique()
    summed["project_count"] = grouped["project_id"].nunique()
    summed["decided_count"] = grouped["is_decided"].sum()
    return summed


def _ranked(summed: pd.DataFrame, contract: str, key: str) -> pd.DataFrame:
    order = ["at_stake_cny", "overlap_m", key]
    ranked = summed.sort_values(order, ascending=[False, False, True], na_position="last", kind="stable")
    return _typed(ranked.reset_index(drop=True), contract)


def _counted(ids: pd.Series, neighbours: pd.DataFrame, key: str) -> pd.Series:
    return ids.map(neighbours[key].value_counts()).fillna(0)


def _typed(table: pd.DataFrame, contract: str) -> pd.DataFrame:
    """Bring a table to the columns and types of its contract."""
    declared = fields()[contract]
    return table[columns_of(contract)].astype({name: _DTYPES[declared[name].dtype] for name in columns_of(contract)})
