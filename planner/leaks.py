"""Which segment a leak belongs to: candidates with their probability, never one guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.factors import Flags, Floats, day_column, number_column, text_column
from planner.policy import Policy
from registry.fields import check_frame

Rows = NDArray[np.int64]
Geometries = NDArray[Any]


@dataclass(frozen=True)
class _Candidates:
    """Pairs of a leak row and a segment row that may belong together."""

    leak: Rows
    segment: Rows
    weight: Floats

    def keep(self, chosen: Flags) -> _Candidates:
        return _Candidates(self.leak[chosen], self.segment[chosen], self.weight[chosen])


def link_leaks(
    leaks: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, policy: Policy, *, radius_m: float | None = None
) -> pd.DataFrame:
    """Link every leak to the segments it may belong to, with a probability each.

    Candidates lie within the radius of the policy for the way the position is known (or `radius_m` for all). Their
    weight falls with the distance like a normal error of the report; a weight for a pipe that the registry does not
    hold keeps the sum of one leak below 1. Of another medium, installed after the leak or retired before it: no
    candidate. A segment named by the crew wins with probability 1; where the named segment is younger than the leak
    or is not in the frame, the leak belonged to a pipe that is gone and is linked to nothing.

    Misleads where survey and leak positions are off by more than the radius, or where two pipes share a trench.

    Returns
    -------
    The frame `leak_links`, in the order of leaks, then of segments.
    """
    check_frame(leaks, "leaks", ["leaked_on", "geometry"])
    check_frame(segments, "segments", ["medium", "geometry"])
    named = _named(leaks, segments)
    is_named = text_column(leaks, "segment_id").notna().to_numpy(dtype=bool)
    near = _near(leaks, segments, ~is_named, policy, radius_m)
    near = near.keep(_can_belong(near, leaks, segments))
    near = _Candidates(near.leak, near.segment, _probabilities(near, len(leaks), policy))
    named = named.keep(_can_belong(named, leaks, segments))
    return _links(named, near, leaks, segments)


def _named(leaks: gpd.GeoDataFrame, segments: gpd.GeoDataFrame) -> _Candidates:
    segment = segments.index.get_indexer(pd.Index(text_column(leaks, "segment_id")))
    leak = np.flatnonzero(segment >= 0)
    return _Candidates(leak, segment[leak].astype(np.int64), np.ones(len(leak)))


def _near(
    leaks: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, wanted: Flags, policy: Policy, radius_m: float | None
) -> _Candidates:
    points: Geometries = np.asarray(leaks.geometry.array)
    row = np.flatnonzero(wanted & ~shapely.is_missing(points) & ~shapely.is_empty(points))
    lines: Geometries = np.asarray(segments.geometry.array)
    reach = {entry.code: entry for entry in policy.links.reach}
    quality = text_column(leaks, "position_quality").fillna("unknown").iloc[row]
    radius = quality.map({code: entry.radius_m for code, entry in reach.items()}).fillna(reach["unknown"].radius_m)
    scatter = quality.map({code: entry.scatter_m for code, entry in reach.items()}).fillna(reach["unknown"].scatter_m)
    limit = np.full(len(row), radius_m) if radius_m is not None else radius.to_numpy(dtype="float64")
    place, segment = shapely.STRtree(lines).query(points[row], predicate="dwithin", distance=limit)
    leak = row[place]
    distance = shapely.distance(points[leak], lines[segment])
    # a normal error of the report in two dimensions; the constant is the same for all candidates of a leak
    weight = np.exp(-0.5 * (distance / scatter.to_numpy(dtype="float64")[place]) ** 2)
    order = np.lexsort((segment, leak))
    return _Candidates(leak[order], segment[order].astype(np.int64), weight[order])


def _can_belong(pairs: _Candidates, leaks: gpd.GeoDataFrame, segments: gpd.GeoDataFrame) -> Flags:
    """Tell which pairs are possible in time and of one medium."""
    day = day_column(leaks, "leaked_on")[pairs.leak]
    year = day.astype("datetime64[Y]").astype(np.int64) + 1970
    earliest = number_column(segments, "installed_year_min")[pairs.segment]
    retired = day_column(segments, "retired_on")[pairs.segment]
    possible: Flags = ~(earliest > year) & ~(retired < day)
    leak_medium = text_column(leaks, "medium").to_numpy(dtype=object)[pairs.leak]
    segment_medium = segments["medium"].to_numpy(dtype=object)[pairs.segment]
    says_nothing = text_column(leaks, "medium").isna().to_numpy(dtype=bool)[pairs.leak]
    is_same: Flags = leak_medium == segment_medium
    return possible & (says_nothing | is_same)


def _probabilities(near: _Candidates, leak_count: int, policy: Policy) -> Floats:
    total = np.bincount(near.leak, weights=near.weight, minlength=leak_count)
    return near.weight / (total + policy.links.elsewhere_weight.value)[near.leak]


def _links(named: _Candidates, near: _Candidates, leaks: gpd.GeoDataFrame, segments: gpd.GeoDataFrame) -> pd.DataFrame:
    leak = np.concatenate([named.leak, near.leak])
    segment = np.concatenate([named.segment, near.segment])
    order = np.lexsort((segment, leak))
    leak, segment = leak[order], segment[order]
    points: Geometries = np.asarray(leaks.geometry.array)[leak]
    lines: Geometries = np.asarray(segments.geometry.array)[segment]
    return pd.DataFrame(
        {
            "leak_id": leaks.index[leak].astype("str"),
            "segment_id": segments.index[segment].astype("str"),
            "probability": np.concatenate([named.weight, near.weight])[order],
            # empty where the crew named the segment and no position was reported
            "distance_m": shapely.distance(points, lines),
            "measure_m": shapely.line_locate_point(lines, points),
        }
    )
