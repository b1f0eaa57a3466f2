"""Length of each line inside each area: compiled where numba is installed, else by shapely, with equal results."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

Engine = Literal["auto", "kernel", "shapely"]
Geometries = NDArray[Any]
Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

# shorter overlaps are touches: two engines may differ on whether they exist at all
LEAST_OVERLAP_M: Final = 1e-6
# loading or compiling the kernel takes longer than shapely needs for fewer lines
_WORTH_COMPILING: Final = 50_000
_EDGES_PER_BAND: Final = 8
_AREAS_PER_CELL: Final = 1.0


@dataclass(frozen=True)
class Insides:
    """Pairs of a line and an area that share length, by row of the line, then of the area."""

    line: Rows
    area: Rows
    length_m: Floats


def has_kernel() -> bool:
    """Tell whether numba, and with it the compiled kernel, is installed."""
    return find_spec("numba") is not None


def inside_lengths(lines: Geometries, areas: Geometries, engine: Engine = "auto") -> Insides:
    """Return the length of every line inside every area, for pairs that share more than a micrometre.

    Areas must be valid polygons or multipolygons. A line on a boundary counts as inside: line and area are closed
    sets. `auto` takes the compiled kernel for many lines where numba is installed; lines in several parts always
    go to shapely.
    """
    if not len(lines) or not len(areas):
        return Insides(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    is_single = bool(np.isin(shapely.get_type_id(lines), [-1, shapely.GeometryType.LINESTRING]).all())
    is_worth_it = engine == "kernel" or (engine == "auto" and len(lines) >= _WORTH_COMPILING and has_kernel())
    if is_worth_it and is_single:
        line, area, length = _by_kernel(lines, areas)
    else:
        line, area, length = _by_shapely(lines, areas)
    shared = length > LEAST_OVERLAP_M
    order = np.lexsort((area[shared], line[shared]))
    return Insides(line[shared][order], area[shared][order], length[shared][order])


def _by_shapely(lines: Geometries, areas: Geometries) -> tuple[Rows, Rows, Floats]:
    """Take whole lines that lie within an area by their length, and clip only the rest."""
    shapely.prepare(areas)
    area, line = shapely.STRtree(lines).query(areas, predicate="intersects")
    length = shapely.length(lines[line])
    crosses = ~shapely.covers(areas[area], lines[line])
    length[crosses] = _clipped(lines[line[crosses]], areas[area[crosses]])
    return line.astype(np.int64), area.astype(np.int64), length


def _clipped(lines: Geometries, areas: Geometries) -> Floats:
    return np.asarray(shapely.length(shapely.intersection(lines, areas)), dtype="float64")


def _by_kernel(lines: Geometries, areas: Geometries) -> tuple[Rows, Rows, Floats]:
    from planner import kernel

    origin = _origin(areas)
    points, point_start = line_vertices(lines, origin)
    edges, edge_start = _edges(areas, origin)
    area_boxes = shapely.bounds(areas) - np.tile(origin, 2)
    line_boxes = shapely.bounds(lines) - np.tile(origin, 2)
    grid = box_grid(area_boxes)
    if grid is None:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    cell_start, cell_area = kernel.fill_cells(area_boxes, grid)
    pairs = kernel.candidate_pairs(line_boxes, area_boxes, cell_start, cell_area, grid)
    band_count = np.ceil(np.diff(edge_start) / _EDGES_PER_BAND).astype(np.int64)
    band_start = np.concatenate([[0], np.cumsum(band_count)]).astype(np.int64)
    bands = (band_start, *kernel.fill_bands(edges, edge_start, area_boxes, band_start))
    length = kernel.inside_lengths(pairs, points, point_start, area_boxes, bands)
    line, area = pairs[:, 0].copy(), pairs[:, 1].copy()
    unclear = length < 0
    length[unclear] = _clipped(lines[line[unclear]], areas[area[unclear]])
    return line, area, length


def _origin(areas: Geometries) -> Floats:
    """A whole-metre point near all areas: small coordinates keep the digits, and whole metres subtract exactly."""
    bounds = shapely.total_bounds(areas)
    return np.zeros(2) if np.isnan(bounds).any() else np.floor(bounds[:2])


def line_vertices(lines: Geometries, origin: Floats) -> tuple[Floats, Rows]:
    """Return the vertices of all lines, seen from the origin, and where each line starts among them."""
    coordinates = shapely.get_coordinates(lines)
    count = shapely.get_num_coordinates(lines)
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return coordinates - origin, start


def _edges(areas: Geometries, origin: Floats) -> tuple[Floats, Rows]:
    """All edges of all rings of all parts, area by area."""
    # rings of a multipolygon are reached through its parts only
    parts, part_area = shapely.get_parts(areas, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    coordinates = coordinates - origin
    joins = ring[1:] == ring[:-1]
    edges = np.hstack([coordinates[:-1], coordinates[1:]])[joins]
    area = part_area[ring_part[ring[1:][joins]]]
    start = np.concatenate([[0], np.cumsum(np.bincount(area, minlength=len(areas)))]).astype(np.int64)
    return np.ascontiguousarray(edges), start


def box_grid(area_boxes: Floats) -> Floats | None:
    """Origin, cell size, number of columns and rows and upper corner of a grid with about one area per cell."""
    boxes = area_boxes[~np.isnan(area_boxes[:, 0])]
    if not len(boxes):
        return None
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    span = np.maximum(high - low, 1.0)
    size = np.sqrt(span[0] * span[1] / (len(boxes) * _AREAS_PER_CELL))
    # cells smaller than a usual area would list it many times
    size = max(size, float(np.median(boxes[:, 2:] - boxes[:, :2])), 1.0)
    columns, rows = (int(np.ceil(extent / size)) for extent in span)
    return np.array([low[0], low[1], size, size, columns, rows, high[0], high[1]])
