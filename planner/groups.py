"""Batches to choose from: courtyard pipes by compound, other pipes by contiguous runs of their street."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from planner.factors import Flags, Floats, text_column
from planner.policy import Policy
from planner.runs import cut_runs

Rows = NDArray[np.int64]

GRADE_ORDER: Final = ("low", "moderate", "high", "severe")
_SEPARATOR: Final = "\x1f"


def candidate_segments(segments: pd.DataFrame, scores: pd.DataFrame, policy: Policy) -> Flags:
    """Tell which segments a plan may renew: by policy class, or by grade from the threshold of the policy.

    Segments out of service are never candidates. `scores` must be in the order of `segments`.
    """
    wanted = policy.candidates
    chosen = scores["policy_class"].isin(list(wanted.classes)).to_numpy(dtype=bool)
    if wanted.minimum_grade is not None:
        grades = GRADE_ORDER[GRADE_ORDER.index(wanted.minimum_grade) :]
        chosen = chosen | scores["grade"].isin(list(grades)).to_numpy(dtype=bool)
    is_out = text_column(segments, "status").isin(list(wanted.excluded_statuses)).to_numpy(dtype=bool)
    result: Flags = chosen & ~is_out
    return result


def group_segments(segments: gpd.GeoDataFrame, policy: Policy, isolation: pd.Series | None = None) -> pd.DataFrame:
    """Group candidate segments into batches.

    Courtyard pipes of one medium and one compound are one group. All others form runs: connected pieces of one
    medium and one street, not longer than the policy allows; segments without a street form runs among themselves.
    Where isolation sections are given (by segment id), a run lies in one, and segments of none form runs among
    themselves; compounds stay whole. A single segment longer than the limit is a run of its own. Runs are connected at
    their ends: ends nearer than the snapping distance are one node; a pipe that ends along another without a node is
    not connected to it.

    The result does not depend on the order of rows.

    Returns
    -------
    Index as `segments`; `group` (integer from 0), `kind` (`compound` or `street`) and `place` (name, may be missing).
    """
    order = np.argsort(segments.index.to_numpy(dtype=object), kind="stable")
    ordered = segments.iloc[order]
    is_compound = is_of_compound(ordered)
    street = text_column(ordered, "street_name")
    place = street.where(~is_compound, text_column(ordered, "compound_name"))
    key = ordered["medium"].astype("str") + _SEPARATOR + place.fillna("").astype("str")
    codes, _ = pd.factorize(key)
    kind_code = codes.astype(np.int64) * 2 + is_compound
    group = np.empty(len(ordered), dtype=np.int64)
    group[is_compound] = kind_code[is_compound]
    runs = np.flatnonzero(~is_compound)
    offset = int(kind_code.max(initial=0)) + 1
    section = np.zeros(len(ordered), dtype=np.int64)
    if isolation is not None:
        section = pd.factorize(isolation.reindex(ordered.index), use_na_sentinel=False)[0].astype(np.int64)
    street_code = kind_code * (section.max(initial=0) + 1) + section
    group[runs] = offset + _runs(ordered.iloc[runs], street_code[runs], policy)
    # numbered by first appearance in the order of ids
    numbered, _ = pd.factorize(group)
    result = pd.DataFrame(index=ordered.index)
    result["group"] = numbered.astype(np.int64)
    result["kind"] = pd.Series(np.where(is_compound, "compound", "street"), ordered.index, dtype="str")
    result["place"] = place
    return result.loc[segments.index]


def is_of_compound(segments: pd.DataFrame) -> Flags:
    """Courtyard pipes with a compound; a pipe of unstated tier goes with its compound if it has no street."""
    tier = text_column(segments, "tier")
    has_compound = text_column(segments, "compound_name").notna()
    has_street = text_column(segments, "street_name").notna()
    inside = tier.isin(["courtyard", "riser"]) | (~(tier == "municipal") & ~has_street)
    return (has_compound & inside).to_numpy(dtype=bool)


def _runs(segments: gpd.GeoDataFrame, street: Rows, policy: Policy) -> Rows:
    """Label connected runs within each street, cut to the longest run of the policy."""
    if segments.empty:
        return np.empty(0, dtype=np.int64)
    lines: NDArray[Any] = np.asarray(segments.geometry.array)
    ends = np.vstack([_end(lines, 0), _end(lines, -1)])
    node = snapped_nodes(ends, policy.groups.snap_m.value)
    # a node counts once per street, so that runs of different streets do not grow together at a crossing
    pairs = np.column_stack([np.tile(street, 2), node])
    _, street_node = np.unique(pairs, axis=0, return_inverse=True)
    street_node = street_node.astype(np.int64)
    count = len(segments)
    length_m = segments["length_m"].to_numpy(dtype="float64")
    return cut_runs(street_node[:count], street_node[count:], length_m, policy.groups.maximum_run_m.value)


def _end(lines: NDArray[Any], place: int) -> Floats:
    return shapely.get_coordinates(shapely.get_point(lines, place))


def snapped_nodes(points: Floats, tolerance_m: float) -> Rows:
    """Number the nodes that points form: points nearer than the tolerance are one, also through a chain of points.

    Distances are exact; rounding coordinates to a grid would cut junctions apart that straddle a grid line.
    """
    pairs = cKDTree(points).query_pairs(tolerance_m, output_type="ndarray")
    linked = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    _, labels = connected_components(linked, directed=False)
    return np.asarray(labels, dtype=np.int64)
