"""Batches of a plan with their costs, savings and values, and the frames that a plan hands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.candidates import Candidates, Priced, make_candidates
from planner.classes import CLASS_ORDER
from planner.conditions import NONE
from planner.factors import Flags, Floats
from planner.households import Supplied
from planner.members import Members, Rows
from planner.pool import batch_ids
from registry.fields import columns_of

_NO_NAME = "—"


@dataclass(frozen=True)
class Grouping:
    """The batches of a plan: which segment lies in which, and the kind and the place of each batch."""

    members: Members
    kind: NDArray[np.object_]
    place: NDArray[np.object_]

    @classmethod
    def of_frame(cls, groups: pd.DataFrame) -> Self:
        """Take the groups of `group_segments`."""
        group = groups["group"].to_numpy(dtype=np.int64)
        first = np.unique(group, return_index=True)[1]
        place = groups["place"].to_numpy(dtype=object)[first]
        return cls(Members.of_groups(group), groups["kind"].to_numpy(dtype=object)[first], place)


@dataclass(frozen=True)
class BatchTable:
    """Candidate segments in the order of ids, and what each batch of a plan is worth and costs in each year."""

    priced: Priced
    grouping: Grouping
    group: Rows
    risk_per_year: Floats
    batches: Candidates

    @property
    def segments(self) -> gpd.GeoDataFrame:
        """The segments, in the order of ids."""
        return self.priced.segments

    @property
    def is_mandatory(self) -> Flags:
        """Whether any segment of a batch must be renewed."""
        mandatory: Flags = self.batches.severity == 0
        return mandatory

    @property
    def segment_alone_cny(self) -> Floats:
        """Cost of each segment with its share, by length, of what it costs to set up the site."""
        length_m, members = self.priced.length_m, self.grouping.members
        total = members.sums(length_m)[self.group]
        count = members.sums(np.ones(len(length_m)))[self.group]
        share = np.where(total > 0, length_m / np.where(total > 0, total, 1.0), 1.0 / count)
        return self.priced.alone_cny + self.priced.mobilisation_cny * share


def make_batch_table(priced: Priced, risk_per_year: Floats, grouping: Grouping, supplied: Supplied) -> BatchTable:
    """Add up what the batches of a plan are worth and cost; every segment lies in one of them."""
    members = grouping.members
    group = np.empty(members.segment_count, dtype=np.int64)
    group[members.row] = members.batch
    households = supplied.of_batches(priced.segments, members, grouping.kind, grouping.place)
    free = np.ones((members.batch_count, priced.conditions.is_open.shape[1]), dtype=bool)
    return BatchTable(
        priced, grouping, group, members.sums(risk_per_year), make_candidates(priced, members, households, free)
    )


def batch_frames(table: BatchTable, year: Rows, years: range) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the frames `batches` and `batch_segments` of a choice of years."""
    members, names = table.grouping.members, table.priced.segments.index.to_numpy(dtype=object)
    pieces = np.split(names[members.row], np.flatnonzero(np.diff(members.batch)) + 1)
    ids = batch_ids([piece.tolist() for piece in pieces])
    at = year[table.group]
    savings = table.priced.savings
    is_taken = savings.year == at[savings.row]
    saved = np.zeros(len(at))
    saved[savings.row[is_taken]] = savings.saving_cny[is_taken]
    project = np.full(len(at), np.nan, dtype=object)
    project[savings.row[is_taken]] = savings.project[is_taken]
    index = table.priced.segments.index.rename("segment_id")
    batch_segments = pd.DataFrame(index=index)
    batch_segments["batch_id"] = pd.Series(ids[table.group], index, dtype="str")
    batch_segments["year"] = _calendar_years(at, years, index)
    batch_segments["cost_cny"] = table.segment_alone_cny - saved
    batch_segments["project_id"] = pd.Series(project, index, dtype="str")
    return _batches(table, year, years, ids), batch_segments[columns_of("batch_segments")]


def _batches(table: BatchTable, year: Rows, years: range, ids: NDArray[np.object_]) -> pd.DataFrame:
    offered, grouping = table.batches, table.grouping
    is_placed = year != NONE
    at = np.where(is_placed, year, 0)
    every = np.arange(len(year))
    saving = np.where(is_placed, offered.saving_cny[every, at], 0.0)
    index = pd.Index(ids, dtype="str", name="batch_id")
    batches = pd.DataFrame(index=index)
    batches["kind"] = pd.Series(grouping.kind, index, dtype="str")
    batches["label"] = pd.Series(grouping.place, index, dtype="str").fillna(_NO_NAME)
    batches["year"] = _calendar_years(year, years, index)
    batches["due_year"] = _calendar_years(_due(table), years, index)
    batches["policy_class"] = pd.Series(np.array(CLASS_ORDER, dtype=object)[offered.severity], index, dtype="str")
    count = np.bincount(table.group, minlength=len(year))
    batches["segment_count"] = pd.array(count, dtype="Int64")
    batches["length_m"] = offered.length_m
    batches["mandatory_m"] = offered.mandatory_m
    batches["household_count"] = pd.Series(np.round(offered.household_count), index).astype("Int64")
    batches["risk_per_year"] = table.risk_per_year
    batches["value"] = np.where(is_placed, offered.value[every, at], 0.0)
    batches["cost_alone_cny"] = offered.alone_cny
    batches["saving_cny"] = saving
    batches["cost_cny"] = offered.alone_cny - saving
    batches["project_id"] = pd.Series(_main_projects(table, year), index, dtype="str")
    batches["stable_share"], batches["kept_share"] = np.nan, np.nan
    return batches[columns_of("batches")]


def _due(table: BatchTable) -> Rows:
    """Return the earliest deadline among the segments of each batch, -1 where none has one."""
    deadline = table.priced.conditions.deadline
    never = table.batches.value.shape[1]
    first = table.grouping.members.least(np.where(deadline == NONE, never, deadline), never)
    return np.where(first < never, first, NONE)


def _calendar_years(year: Rows, years: range, index: pd.Index) -> pd.Series:
    is_placed = year != NONE
    return pd.Series(year + years[0], index, dtype="Int64").where(pd.Series(is_placed, index))


def _main_projects(table: BatchTable, year: Rows) -> NDArray[np.object_]:
    """Return the project that opens most of the ground of each batch in its year; missing where none does."""
    savings = table.priced.savings
    group = table.group[savings.row]
    taken = savings.year == year[group]
    opened = pd.DataFrame({"group": group[taken], "project": savings.project[taken], "m": savings.overlap_m[taken]})
    main = np.full(len(year), np.nan, dtype=object)
    if not opened.empty:
        sums = opened.groupby(["group", "project"])["m"].sum().reset_index()
        best = sums.sort_values(["group", "m", "project"], ascending=[True, False, True]).drop_duplicates("group")
        main[best["group"].to_numpy()] = best["project"].to_numpy(dtype=object)
    return main
