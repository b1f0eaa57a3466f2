"""How a pipe runs against a centreline, and on which side: measured on the stretches that lie inside the corridor.

A stretch is a straight piece of pipe inside the corridor. It runs with the road where it makes an angle of at most
`PARALLEL_DEG` with the piece of centreline nearest to its middle. The offset of a point is its distance from the line
through the nearest piece of centreline, positive on the left in drawing direction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.polylines import Floats, Geometries, Rows

PARALLEL_DEG: Final = 30.0
# a pipe that keeps this near to the centreline lies under it, on neither side
CENTRE_M: Final = 1.0
LEAST_COSINE: Final = math.cos(math.radians(PARALLEL_DEG))
# two pieces of a centreline this equally near: the one that the point lies more clearly beside says the side
TIE_M: Final = 1e-9
_ROWS_AT_ONCE: Final = 2_000_000
_LINES: Final = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)


@dataclass(frozen=True)
class Axes:
    """Straight pieces (x, y, to x, to y) of the centrelines of projects; project i has `start[i]` to `start[i + 1]`."""

    pieces: Floats
    start: Rows

    @property
    def has(self) -> NDArray[np.bool_]:
        """Tell which projects have a centreline."""
        return np.asarray(np.diff(self.start) > 0)


def no_axes(count: int) -> Axes:
    """Return that none of so many projects has a centreline."""
    return Axes(np.empty((0, 4)), np.zeros(count + 1, dtype=np.int64))


def project_axes(projects: gpd.GeoDataFrame) -> Axes:
    """Return the centrelines of projects that are drawn as lines; one drawn as an area has none."""
    shapes: Geometries = np.asarray(projects.geometry.array)
    rows = np.flatnonzero(np.isin(shapely.get_type_id(shapes), _LINES))
    pieces, of_row = straight_pieces(shapes[rows])
    is_long = np.hypot(pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1]) > 0
    count = np.bincount(rows[of_row[is_long]], minlength=len(shapes))
    return Axes(pieces[is_long], np.concatenate([[0], np.cumsum(count)]).astype(np.int64))


def straight_pieces(lines: Geometries) -> tuple[Floats, Rows]:
    """Return the straight pieces of lines, also of those in several parts, and the row of each; points have none."""
    parts, row = shapely.get_parts(lines, return_index=True)
    # a collection may hold collections
    parts, part = shapely.get_parts(parts, return_index=True)
    is_line = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    parts, row = parts[is_line], row[part[is_line]]
    vertices, of_part = shapely.get_coordinates(parts, return_index=True)
    joins = of_part[1:] == of_part[:-1]
    pieces = np.hstack([vertices[:-1], vertices[1:]])[joins]
    return np.ascontiguousarray(pieces), row[of_part[1:][joins]].astype(np.int64)


def measure_courses(stretches: Floats, pair: Rows, area: Rows, axes: Axes) -> Floats:
    """Return for each pair the metres that run with the centreline, and the lowest and highest offset.

    `stretches` are straight pieces, `pair` numbers the pair of each, `area` names the project of each pair. Pairs of
    projects without centreline have 0 and NaN. This is the slow twin of `planner.kernel`.
    """
    courses = np.full((len(area), 3), np.nan)
    courses[:, 0] = 0.0
    piece_count = np.diff(axes.start)[area[pair]]
    wanted = np.flatnonzero(piece_count > 0)
    courses[pair[wanted], 1], courses[pair[wanted], 2] = np.inf, -np.inf
    for some in np.array_split(wanted, 1 + int(piece_count.sum()) // _ROWS_AT_ONCE):
        begin, along = stretches[some, :2], stretches[some, 2:] - stretches[some, :2]
        _, nearest = _beside(begin + along / 2.0, area[pair[some]], axes)
        axis = axes.pieces[nearest, 2:] - axes.pieces[nearest, :2]
        length = np.hypot(along[:, 0], along[:, 1])
        turn = np.abs((along * axis).sum(axis=1)) >= LEAST_COSINE * length * np.hypot(axis[:, 0], axis[:, 1])
        np.add.at(courses[:, 0], pair[some], length * turn)
        for ends in (begin, begin + along):
            offset, _ = _beside(ends, area[pair[some]], axes)
            np.minimum.at(courses[:, 1], pair[some], offset)
            np.maximum.at(courses[:, 2], pair[some], offset)
    return courses


def _beside(points: Floats, area: Rows, axes: Axes) -> tuple[Floats, Rows]:
    """Return the offset of points from the centreline of their project, and the row of its nearest piece."""
    count = axes.start[area + 1] - axes.start[area]
    first = np.concatenate([[0], np.cumsum(count)])[:-1]
    point = np.repeat(np.arange(len(points)), count)
    piece = np.arange(len(point)) - np.repeat(first, count) + axes.start[area[point]]
    begin = axes.pieces[piece, :2]
    axis = axes.pieces[piece, 2:] - begin
    to = points[point] - begin
    length = np.hypot(axis[:, 0], axis[:, 1])
    share = np.clip((to * axis).sum(axis=1) / (length * length), 0.0, 1.0)
    distance = np.hypot(to[:, 0] - share * axis[:, 0], to[:, 1] - share * axis[:, 1])
    offset = (axis[:, 0] * to[:, 1] - axis[:, 1] * to[:, 0]) / length
    is_near = distance <= np.repeat(np.minimum.reduceat(distance, first), count) + TIE_M if len(first) else distance < 0
    # the last of each point in this order is its nearest piece, the one it lies most clearly beside
    order = np.lexsort((np.where(is_near, np.abs(offset), -1.0), point))
    chosen = order[first + count - 1]
    return offset[chosen], piece[chosen]


def course_names(length_m: Floats, courses: Floats) -> tuple[pd.Series, pd.Series]:
    """Return course and side of each pair as codes of the lists `pair_course` and `pair_side`.

    A pair is `parallel` where at least half of its metres run with the centreline, else `crossing`; without centreline
    it is `inside` and has no side. It is `left` or `right` where it nowhere lies farther than `CENTRE_M` on the other
    side, `centre` where it keeps that near throughout, else `both`.
    """
    has_axis = np.isfinite(courses[:, 1])
    course = np.where(has_axis, np.where(courses[:, 0] * 2.0 >= length_m, 0, 1), 2)
    is_left, is_right = courses[:, 2] > CENTRE_M, courses[:, 1] < -CENTRE_M
    side = np.where(has_axis, 2 * is_left + is_right, -1)
    return _named(course, ["parallel", "crossing", "inside"]), _named(side, ["centre", "right", "left", "both"])


def _named(code: Rows, names: list[str]) -> pd.Series:
    """Return the name of each code, missing for -1."""
    return pd.Series(pd.array(names, dtype="str").take(code, allow_fill=True))
