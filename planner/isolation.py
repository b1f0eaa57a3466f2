"""The isolation sections of a network: what the recorded valves cut apart from the rest."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from planner.factors import Floats, text_column
from planner.policy import Policy
from planner.pool_graph import Rows, end_nodes, numbered
from registry.fields import check_frame

# stations and regulator boxes part pressures, drips and posts part nothing
_CLOSING_KINDS: Final = ("valve", "valve_well")
# a valve that names no pipe is on the nearest one within this: two surveys of one place differ by less
_REACH_M: Final = 1.5
_MIDDLE: Final = 0.5
_NAME: Final = "isolation_section"


def isolation_sections(segments: gpd.GeoDataFrame, valves: gpd.GeoDataFrame, policy: Policy) -> pd.Series:
    """Name the isolation section of each segment: the part of the network of one medium that closing valves cuts off.

    Pipes are linked at their ends, as in `group_segments`. A valve cuts the pipe that it names at the place nearest to
    it; one that names none, or one that is not given, cuts the nearest pipe within 1.5 m, and where that place is an
    end, all pipes of its medium that meet there. A pipe with a valve along it belongs to the section of its middle:
    with one valve that of its longer part. More valves therefore never join sections.

    Misleads where valves are missing from the record, since sections are then too large, and where recorded ones do
    not close, since the registry keeps no state of valves: then more valves have to be closed than those around the
    section. Regulators and stations do not count as valves. Pipes out of service link nothing.

    Parameters
    ----------
    segments
        All segments of the network, not the candidates of a plan only.

    Returns
    -------
    Index as `segments`. A section has the id of its first segment by id. Missing where the segment is out of service,
    or where no valve cuts the network that it belongs to.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    """
    check_frame(segments, "segments", ["medium", "geometry"])
    check_frame(valves, "valves", ["kind", "geometry"])
    result = pd.Series(np.nan, segments.index, dtype="str", name=_NAME)
    is_out = text_column(segments, "status").isin(list(policy.candidates.excluded_statuses))
    ordered = segments[~is_out].sort_index()
    closing = valves[valves["kind"].isin(list(_CLOSING_KINDS))]
    named = text_column(closing, "segment_id")
    # a valve on a pipe out of service cuts nothing else
    closing = closing[~named.isin(segments.index[is_out])]
    if ordered.empty or closing.empty:
        return result
    medium = numbered(ordered["medium"].astype("str"))
    ends = numbered(np.tile(medium, 2), end_nodes(ordered, policy).ravel()).reshape(2, -1)
    row, share = _cuts(ordered, closing, ends, policy.groups.snap_m.value)
    whole, section = _labels(ends, row[:0], share[:0]), _labels(ends, row, share)
    has_valve = np.isin(whole, whole[row])
    _, first, number = np.unique(section, return_index=True, return_inverse=True)
    names = ordered.index.to_numpy(dtype=object)[first[number]]
    result.loc[ordered.index[has_valve]] = names[has_valve]
    return result


def _cuts(segments: gpd.GeoDataFrame, valves: gpd.GeoDataFrame, ends: Rows, snap_m: float) -> tuple[Rows, Floats]:
    """Return which segments are cut, and where along them, as shares of their length."""
    lines: NDArray[Any] = np.asarray(segments.geometry.array)
    points: NDArray[Any] = np.asarray(valves.geometry.array)
    row = segments.index.get_indexer(pd.Index(text_column(valves, "segment_id"))).astype(np.int64)
    unnamed = np.flatnonzero(row < 0)
    place, near = shapely.STRtree(lines).query_nearest(points[unnamed], max_distance=_REACH_M)
    # of pipes equally near the first by id
    order = np.lexsort((near, place))
    place, first = np.unique(place[order], return_index=True)
    row[unnamed[place]] = near[order][first]
    is_unnamed = np.isin(np.arange(len(row)), unnamed)[row >= 0]
    points, row = points[row >= 0], row[row >= 0]
    share: Floats = shapely.line_locate_point(lines[row], points, normalized=True)
    from_end_m = np.array([share, 1.0 - share]) * shapely.length(lines[row])
    at_end = is_unnamed & (from_end_m <= snap_m)
    parted = [np.flatnonzero(np.isin(side, ends[:, row][at_end])) for side in ends]
    along = ~at_end.any(axis=0)
    rows = np.concatenate([row[along], *parted]).astype(np.int64)
    return rows, np.concatenate([share[along], np.zeros(len(parted[0])), np.ones(len(parted[1]))])


def _labels(ends: Rows, row: Rows, share: Floats) -> Rows:
    """Label each segment with what its middle hangs together with, where segments are cut at shares of their length."""
    count = ends.shape[1]
    part_count = np.bincount(row, minlength=count) + 1
    last = np.cumsum(part_count) - 1
    first = last - part_count + 1
    middle = first + np.bincount(row[share < _MIDDLE], minlength=count)
    parts = int(part_count.sum())
    total = parts + int(ends.max()) + 1
    links = coo_array((np.ones(2 * count), (np.concatenate([first, last]), ends.ravel() + parts)), shape=(total, total))
    return np.asarray(connected_components(links, directed=False)[1][middle], dtype=np.int64)
