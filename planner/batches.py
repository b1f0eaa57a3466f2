"""Batches with their costs, savings and values by year, and the frames that a plan hands on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.classes import CLASS_ORDER
from planner.costs import Savings, find_savings, unit_costs
from planner.factors import Flags, Floats
from planner.households import Supplied
from planner.optimise import NOT_PLACED, Years
from planner.policy import Policy
from registry.fields import columns_of

Rows = NDArray[np.int64]
_ID_LENGTH = 10
_NO_NAME = "—"


@dataclass(frozen=True)
class BatchTable:
    """Candidate segments in the order of ids, and what each batch is worth and costs in each year."""

    segments: gpd.GeoDataFrame
    groups: pd.DataFrame
    savings: Savings
    severity: Rows
    segment_alone_cny: Floats
    risk_per_year: Floats
    length_m: Floats
    mandatory_m: Floats
    alone_cny: Floats
    saving_cny: Floats
    value: Floats

    @property
    def cost_cny(self) -> Floats:
        """Cost of each batch in each year: alone, less what a project in that year saves."""
        cost: Floats = self.alone_cny[:, None] - self.saving_cny
        return cost

    @property
    def is_mandatory(self) -> Flags:
        """Whether any segment of the batch must be renewed."""
        mandatory: Flags = self.severity == 0
        return mandatory


def make_batch_table(
    segments: gpd.GeoDataFrame,
    scores: pd.DataFrame,
    groups: pd.DataFrame,
    pairs: pd.DataFrame,
    projects: pd.DataFrame,
    years: range,
    policy: Policy,
) -> BatchTable:
    """Price and value every batch in every year; `scores` and `groups` are in the order of `segments`."""
    group = groups["group"].to_numpy(dtype=np.int64)
    count = int(group.max()) + 1
    length_m = segments["length_m"].to_numpy(dtype="float64")
    costs = unit_costs(segments, policy.prices)
    alone = costs.total_cny_per_m * length_m
    mobilisation = policy.prices.mobilisation_cny_per_batch.value
    savings = find_savings(segments, pairs, projects, years, costs, policy)
    cell = group[savings.row] * len(years) + savings.year
    saving = _sums(cell, savings.saving_cny, count * len(years))
    severity = pd.Categorical(scores["policy_class"], categories=list(CLASS_ORDER)).codes.astype(np.int64)
    strictest = np.full(count, len(CLASS_ORDER) - 1, dtype=np.int64)
    np.minimum.at(strictest, group, severity)
    removed = scores["risk_per_year"].to_numpy(dtype="float64") * policy.planning.removed_share.value
    risk = _sums(group, removed, count)
    return BatchTable(
        segments=segments,
        groups=groups,
        savings=savings,
        severity=strictest,
        segment_alone_cny=alone + mobilisation * _share_of_batch(length_m, group, count),
        risk_per_year=risk,
        length_m=_sums(group, length_m, count),
        mandatory_m=_sums(group, length_m * (severity == 0), count),
        alone_cny=_sums(group, alone, count) + mobilisation,
        saving_cny=saving.reshape(count, len(years)),
        value=risk[:, None] * years_of_relief(years, policy)[None, :],
    )


def _sums(group: Rows, weights: Floats, count: int) -> Floats:
    return np.bincount(group, weights=weights, minlength=count).astype("float64")


def years_of_relief(years: range, policy: Policy) -> Floats:
    """Return for each planning year the discounted years of removed risk, from it to the end of the horizon.

    The horizon starts with the first planning year; so does the discounting.
    """
    horizon = max(round(policy.planning.horizon_years.value), len(years))
    weight = (1.0 + policy.planning.discount_share_per_year.value) ** -np.arange(horizon, dtype="float64")
    relief: Floats = np.cumsum(weight[::-1])[::-1][: len(years)]
    return relief


def _share_of_batch(length_m: Floats, group: Rows, count: int) -> Floats:
    """Return the share of each segment in the length of its batch; equal shares where all have no length."""
    total = np.bincount(group, weights=length_m, minlength=count)[group]
    members = np.bincount(group, minlength=count)[group]
    return np.where(total > 0, length_m / np.where(total > 0, total, 1.0), 1.0 / members)


def batch_frames(table: BatchTable, year: Years, years: range, supplied: Supplied) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the frames `batches` and `batch_segments` of a choice of years."""
    ids = _batch_ids(table)
    batches = _batches(table, year, years, supplied, ids)
    group = table.groups["group"].to_numpy(dtype=np.int64)
    at = year[group]
    savings = table.savings
    is_taken = savings.year == at[savings.row]
    saved = np.zeros(len(group))
    saved[savings.row[is_taken]] = savings.saving_cny[is_taken]
    project = np.full(len(group), np.nan, dtype=object)
    project[savings.row[is_taken]] = savings.project[is_taken]
    index = table.segments.index.rename("segment_id")
    batch_segments = pd.DataFrame(index=index)
    batch_segments["batch_id"] = pd.Series(ids[group], index, dtype="str")
    batch_segments["year"] = _calendar_years(at, years, index)
    batch_segments["cost_cny"] = table.segment_alone_cny - saved
    batch_segments["project_id"] = pd.Series(project, index, dtype="str")
    return batches, batch_segments[columns_of("batch_segments")]


def _batches(
    table: BatchTable, year: Years, years: range, supplied: Supplied, ids: NDArray[np.object_]
) -> pd.DataFrame:
    group = table.groups["group"].to_numpy(dtype=np.int64)
    count = len(table.length_m)
    first = np.unique(group, return_index=True)[1]
    is_placed = year != NOT_PLACED
    at = np.where(is_placed, year, 0)
    every = np.arange(count)
    saving = np.where(is_placed, table.saving_cny[every, at], 0.0)
    index = pd.Index(ids, dtype="str", name="batch_id")
    batches = pd.DataFrame(index=index)
    batches["kind"] = table.groups["kind"].iloc[first].array
    batches["label"] = table.groups["place"].iloc[first].fillna(_NO_NAME).array
    batches["year"] = _calendar_years(year, years, index)
    batches["policy_class"] = pd.Series(np.array(CLASS_ORDER, dtype=object)[table.severity], index, dtype="str")
    batches["segment_count"] = pd.array(np.bincount(group, minlength=count), dtype="Int64")
    batches["length_m"] = table.length_m
    batches["mandatory_m"] = table.mandatory_m
    households = supplied.of_batches(table.segments, table.groups, count)
    batches["household_count"] = pd.Series(np.round(households), index).astype("Int64")
    batches["risk_per_year"] = table.risk_per_year
    batches["value"] = np.where(is_placed, table.value[every, at], 0.0)
    batches["cost_alone_cny"] = table.alone_cny
    batches["saving_cny"] = saving
    batches["cost_cny"] = table.alone_cny - saving
    batches["project_id"] = pd.Series(_main_projects(table, year), index, dtype="str")
    return batches[columns_of("batches")]


def _calendar_years(year: Years, years: range, index: pd.Index) -> pd.Series:
    is_placed = year != NOT_PLACED
    return pd.Series(year + years[0], index, dtype="Int64").where(pd.Series(is_placed, index))


def _main_projects(table: BatchTable, year: Years) -> NDArray[np.object_]:
    """Return the project that opens most of the ground of each batch in its year; missing where none does."""
    savings = table.savings
    group = table.groups["group"].to_numpy(dtype=np.int64)[savings.row]
    taken = savings.year == year[group]
    opened = pd.DataFrame({"group": group[taken], "project": savings.project[taken], "m": savings.overlap_m[taken]})
    main = np.full(len(year), np.nan, dtype=object)
    if not opened.empty:
        sums = opened.groupby(["group", "project"])["m"].sum().reset_index()
        best = sums.sort_values(["group", "m", "project"], ascending=[True, False, True]).drop_duplicates("group")
        main[best["group"].to_numpy()] = best["project"].to_numpy(dtype=object)
    return main


def _batch_ids(table: BatchTable) -> NDArray[np.object_]:
    """Name each batch by a digest of its segment ids, so that equal content keeps its id from plan to plan."""
    group = table.groups["group"].to_numpy(dtype=np.int64)
    names = table.segments.index.to_numpy(dtype=object)
    order = np.argsort(group, kind="stable")
    pieces = np.split(names[order], np.flatnonzero(np.diff(group[order])) + 1)
    return np.array([batch_id(piece) for piece in pieces], dtype=object)


def batch_id(segment_ids: Iterable[str]) -> str:
    """Return the id of the batch of these segments, which are in the order of their ids."""
    digest = hashlib.sha256("\n".join(segment_ids).encode()).hexdigest()
    return f"B-{digest[:_ID_LENGTH]}"
