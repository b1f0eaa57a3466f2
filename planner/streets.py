"""Which street does a pipe lie in: the road nearest to most of its metres, with a calibrated confidence."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.course import straight_pieces
from planner.factors import Floats, text_column
from planner.policy import Policy
from planner.policy_models import Streets
from planner.polylines import Geometries, Rows
from registry.errors import PlanningError
from registry.fields import check_frame, columns_of

_SAMPLE_M: Final = 5.0
_SEGMENTS_AT_ONCE: Final = 50_000
# a share of nought or one says nothing about how much surer it could be
_LEAST_SHARE: Final = 1e-3


def link_streets(segments: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, policy: Policy) -> pd.DataFrame:
    """Name for every segment the road that it most likely lies in.

    Every few metres of the segment speak for the roads within `streets.reach_m`, the more the nearer, weight
    1 / (1 + (distance / `streets.scale_m`)^2); a road with the street name that was delivered with the segment weighs
    `streets.named_weight` times as much. The road with the greatest sum is taken, the first of equal ones. The
    confidence is a logistic function of its share in all sums, fitted on true lines with published roads.

    The angle between pipe and road is left out: on those lines it made the choice worse, because stubs at crossings
    are published with the road that they cross. Misleads at crossings, and where service roads are not drawn; the
    confidence is low there. Segments farther than the reach from every road have no row.

    Returns
    -------
    The frame `street_links`, in the order of segments; `share` is the part of the segment that lies nearer to the road
    than to any other, `distance_m` the mean distance from its centreline.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    PlanningError
        If the frames have different coordinate systems.
    """
    check_frame(segments, "segments", ["geometry"])
    check_frame(roads, "roads", ["geometry"])
    if segments.crs is not None and roads.crs is not None and segments.crs != roads.crs:
        raise PlanningError("plan_crs_differ", segments=str(segments.crs), projects=str(roads.crs))
    # a road without length is no street
    streets = roads[roads.geometry.length > 0]
    parts = [
        _link_some(segments.iloc[first : first + _SEGMENTS_AT_ONCE], streets, policy.streets)
        for first in range(0, max(len(segments), 1), _SEGMENTS_AT_ONCE)
    ]
    return pd.concat(parts, ignore_index=True)[columns_of("street_links")]


def _link_some(segments: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, figures: Streets) -> pd.DataFrame:
    lines: Geometries = np.asarray(segments.geometry.array)
    axes: Geometries = np.asarray(roads.geometry.array)
    line, road = shapely.STRtree(axes).query(lines, predicate="dwithin", distance=figures.reach_m.value)
    order = np.lexsort((road, line))
    line, road = line[order], road[order]
    points, metres, of_line = _samples(lines)
    pair, sample = _spread(line, of_line, len(lines))
    distance = shapely.distance(points[sample], axes[road[pair]])
    nearness = metres[sample] / (1.0 + (distance / figures.scale_m.value) ** 2)
    # without rows the sum would be of whole numbers
    score = np.bincount(pair, weights=nearness, minlength=len(line)).astype("float64")
    ours = text_column(segments, "street_name").iloc[line].reset_index(drop=True)
    theirs = text_column(roads, "name").iloc[road].reset_index(drop=True)
    score[(ours == theirs).to_numpy(dtype=bool, na_value=False)] *= figures.named_weight.value
    sums = np.bincount(line, weights=score, minlength=len(lines))
    # the first row of each segment in this order is its road
    ranked = np.lexsort((road, -score, line))
    chosen = ranked[np.unique(line[ranked], return_index=True)[1]]
    length_m = np.bincount(of_line, weights=metres, minlength=len(lines))
    is_nearest = distance <= _least(distance, sample, len(points))[sample]
    nearest_m = np.bincount(pair, weights=metres[sample] * is_nearest, minlength=len(line))
    apart = np.bincount(pair, weights=metres[sample] * distance, minlength=len(line))
    at = line[chosen]
    return pd.DataFrame(
        {
            "segment_id": segments.index[at].astype("str"),
            "road_id": roads.index[road[chosen]].astype("str"),
            "street_name": text_column(roads, "name").array[road[chosen]],
            "confidence": _confidence(score[chosen] / sums[at], figures),
            "share": np.minimum(nearest_m[chosen] / length_m[at], 1.0),
            "distance_m": apart[chosen] / length_m[at],
        }
    )


def _samples(lines: Geometries) -> tuple[Geometries, Floats, Rows]:
    """Return points along the lines, the metres that each stands for, and the row of its line."""
    pieces, row = straight_pieces(lines)
    along = pieces[:, 2:] - pieces[:, :2]
    length = np.hypot(along[:, 0], along[:, 1])
    is_long = length > 0
    pieces, row, along, length = pieces[is_long], row[is_long], along[is_long], length[is_long]
    count = np.ceil(length / _SAMPLE_M).astype(np.int64)
    piece = np.repeat(np.arange(len(pieces)), count)
    number = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    share = (number + 0.5) / count[piece]
    points: Geometries = np.asarray(shapely.points(pieces[piece, :2] + share[:, None] * along[piece]))
    return points, (length / count)[piece], row[piece]


def _spread(line: Rows, of_line: Rows, line_count: int) -> tuple[Rows, Rows]:
    """Join every pair of line and road with the samples of the line; both are in the order of lines."""
    sample_count = np.bincount(of_line, minlength=line_count)
    first = np.cumsum(sample_count) - sample_count
    count = sample_count[line]
    pair = np.repeat(np.arange(len(line)), count)
    return pair, np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count) + first[line[pair]]


def _least(distance: Floats, sample: Rows, sample_count: int) -> Floats:
    least = np.full(sample_count, np.inf)
    np.minimum.at(least, sample, distance)
    return least


def _confidence(share: Floats, figures: Streets) -> Floats:
    """Return how often a road with such a share in the sums turns out right."""
    clipped = np.clip(share, _LEAST_SHARE, 1.0 - _LEAST_SHARE)
    odds = figures.intercept.value + figures.slope.value * np.log(clipped / (1.0 - clipped))
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))
