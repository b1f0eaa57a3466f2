"""Which lines lie within reach of which places: compiled where numba is installed, else by shapely, equally."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from planner.clip import Engine, box_grid, has_kernel, line_vertices
from planner.factors import Flags, Floats
from planner.polylines import Geometries, Rows
from planner.scatter import piece_nearness

# loading the kernel takes longer than shapely needs for fewer lines
_WORTH_COMPILING: Final = 50_000


@dataclass(frozen=True)
class Near:
    """Pairs of a place and a line within its radius, by row of the place, then of the line."""

    place: Rows
    line: Rows
    distance_m: Floats
    measure_m: Floats
    nearness_per_m: Floats

    def keep(self, chosen: Flags | Rows) -> Near:
        """Return the chosen pairs."""
        return Near(
            self.place[chosen],
            self.line[chosen],
            self.distance_m[chosen],
            self.measure_m[chosen],
            self.nearness_per_m[chosen],
        )

    def of_rows(self, row: Rows) -> Near:
        """Return the pairs with their places numbered by the rows of a longer list that the places were taken from."""
        return Near(row[self.place], self.line, self.distance_m, self.measure_m, self.nearness_per_m)


def find_near(
    places: Geometries, lines: Geometries, radius_m: Floats, scatter_m: Floats, engine: Engine = "auto"
) -> Near:
    """Find for every place the lines within its own radius, with distance, measure and nearness.

    The nearness is the density that the scatter of a report lets expect at the place if any metre of the line may
    have leaked: it falls with the distance and rises with the length of line close by. A line exactly at the radius
    counts. Missing and empty places and lines have no pair. `auto` takes the compiled kernel for many lines where
    numba is installed; lines in several parts always go to shapely.
    """
    is_single = bool(np.isin(shapely.get_type_id(lines), [-1, shapely.GeometryType.LINESTRING]).all())
    is_worth_it = engine == "kernel" or (engine == "auto" and len(lines) >= _WORTH_COMPILING and has_kernel())
    row = np.flatnonzero(~shapely.is_missing(places) & ~shapely.is_empty(places))
    find = _by_kernel if is_worth_it and is_single else _by_shapely
    near = find(places[row], lines, radius_m[row], scatter_m[row]).of_rows(row)
    return near.keep(np.lexsort((near.line, near.place)))


def _by_shapely(places: Geometries, lines: Geometries, radius_m: Floats, scatter_m: Floats) -> Near:
    """Ask the tree of the places, which are fewer, with the lines; one tree for each radius."""
    found: list[NDArray[np.int64]] = [np.empty((2, 0), dtype=np.int64)]
    for radius in np.unique(radius_m):
        row = np.flatnonzero(radius_m == radius)
        line, at = shapely.STRtree(places[row]).query(lines, predicate="dwithin", distance=radius)
        found.append(np.stack([line, row[at]]).astype(np.int64))
    line, place = np.concatenate(found, axis=1)
    distance = shapely.distance(places[place], lines[line])
    measure = shapely.line_locate_point(lines[line], places[place])
    return Near(place, line, distance, measure, _nearness(places[place], lines[line], scatter_m[place]))


def _nearness(places: Geometries, lines: Geometries, scatter_m: Floats) -> Floats:
    """Add up the nearness of the straight pieces of each line."""
    # the gap between two parts of a line is no piece of it
    parts, part_pair = shapely.get_parts(lines, return_index=True)
    vertex, part = shapely.get_coordinates(parts, return_index=True)
    vertex = vertex - shapely.get_coordinates(places)[part_pair[part]]
    joins = part[1:] == part[:-1]
    begin, pair = vertex[:-1][joins], part_pair[part[1:][joins]]
    along = vertex[1:][joins] - begin
    length = np.hypot(*along.T)
    is_piece = length > 0
    begin, along, length, pair = begin[is_piece], along[is_piece], length[is_piece], pair[is_piece]
    first = (begin * along).sum(axis=1) / length
    aside = np.abs(begin[:, 0] * along[:, 1] - begin[:, 1] * along[:, 0]) / length
    nearness = piece_nearness(aside, first, first + length, scatter_m[pair])
    return np.bincount(pair, weights=nearness, minlength=len(lines)).astype("float64")


def _by_kernel(places: Geometries, lines: Geometries, radius_m: Floats, scatter_m: Floats) -> Near:
    from planner import kernel, near_kernel

    at = shapely.get_coordinates(places)
    origin = np.floor(at.min(axis=0)) if len(at) else np.zeros(2)
    at = at - origin
    # a little more than the radius: the kernel's own tolerance must not fall outside
    reach = radius_m[:, None] + 2 * near_kernel.TOLERANCE_M
    boxes = np.hstack([at - reach, at + reach])
    grid = box_grid(boxes)
    if grid is None:
        none = np.empty(0, np.int64)
        return Near(none, none, np.empty(0), np.empty(0), np.empty(0))
    line_boxes = shapely.bounds(lines) - np.tile(origin, 2)
    pairs = kernel.candidate_pairs(line_boxes, boxes, *kernel.fill_cells(boxes, grid), grid)
    vertices, line_start = line_vertices(lines, origin)
    sizes = np.column_stack([radius_m, scatter_m])
    measured = near_kernel.measure_pairs(pairs, vertices, line_start, at, sizes)
    is_near = ~np.isnan(measured[:, 0])
    pairs, measured = pairs[is_near], measured[is_near]
    near = Near(pairs[:, 1].copy(), pairs[:, 0].copy(), *np.ascontiguousarray(measured.T))
    return near.keep(_is_within(near, places, lines, radius_m[near.place], near_kernel.TOLERANCE_M))


def _is_within(near: Near, places: Geometries, lines: Geometries, radius_m: Floats, tolerance_m: float) -> Flags:
    """Tell which pairs lie within the radius; at the very limit shapely decides, as it does without the kernel."""
    within: Flags = near.distance_m <= radius_m
    unclear = np.flatnonzero(np.abs(near.distance_m - radius_m) <= tolerance_m)
    within[unclear] = shapely.distance(places[near.place[unclear]], lines[near.line[unclear]]) <= radius_m[unclear]
    return within
