"""Length of each line inside each area: compiled where numba is installed, else by shapely, with equal results."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final, Literal

import numpy as np
import shapely

from planner.course import Axes, measure_courses, no_axes, straight_pieces
from planner.polylines import Floats, Geometries, Polylines, Rows
from planner.threads import row_slices, side_by_side

Engine = Literal["auto", "kernel", "shapely"]

# shorter overlaps are touches: two engines may differ on whether they exist at all
LEAST_OVERLAP_M: Final = 1e-6
# loading or compiling the kernel takes longer than shapely needs for fewer lines
_WORTH_COMPILING: Final = 50_000
_EDGES_PER_BAND: Final = 8
_AREAS_PER_CELL: Final = 1.0
# cells of the grid over the ground: smaller ones list a corridor more often than lines ask for it
_LEAST_CELL_M: Final = 16.0
_MOST_CELLS: Final = 1_000_000
_LINES_AT_ONCE: Final = 8_192
_PAIRS_AT_ONCE: Final = 16_384


@dataclass(frozen=True)
class Insides:
    """Pairs of a line and an area that share length, by row of the line, then of the area.

    `course` has for each pair the metres that run with the centreline of the area, and the lowest and highest offset
    from it (NaN without centreline); see `planner.course`. `line_m` is the whole length of the line.
    """

    line: Rows
    area: Rows
    length_m: Floats
    course: Floats
    line_m: Floats


def has_kernel() -> bool:
    """Tell whether numba, and with it the compiled kernel, is installed."""
    return find_spec("numba") is not None


def inside_lengths(
    lines: Geometries | Polylines, areas: Geometries, engine: Engine = "auto", axes: Axes | None = None
) -> Insides:
    """Return the length of every line inside every area, for pairs that share more than a micrometre.

    Areas must be valid polygons or multipolygons. A line on a boundary counts as inside: line and area are closed
    sets. `auto` takes the compiled kernel for many lines where numba is installed; lines in several parts always
    go to shapely. `axes` are the centrelines of the areas, where they have any.
    """
    axes = axes if axes is not None else no_axes(len(areas))
    if not len(lines) or not len(areas):
        return Insides(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty((0, 3)), np.empty(0))
    is_worth_it = engine == "kernel" or (engine == "auto" and len(lines) >= _WORTH_COMPILING and has_kernel())
    by_kernel = _by_kernel(lines, areas, axes) if is_worth_it else None
    line, area, found = by_kernel if by_kernel is not None else _by_shapely(lines, areas, axes)
    shared = np.flatnonzero(found[:, 0] > LEAST_OVERLAP_M)
    # nearly in order already, of which a stable sort makes use
    order = shared[np.argsort(line[shared] * len(areas) + area[shared], kind="stable")]
    return Insides(line[order], area[order], found[order, 0], found[order, 1:4], found[order, 4])


def _by_shapely(lines: Geometries | Polylines, areas: Geometries, axes: Axes) -> tuple[Rows, Rows, Floats]:
    """Take whole lines that lie within an area by their length, and clip only the rest."""
    shapes = lines.shapes() if isinstance(lines, Polylines) else lines
    shapely.prepare(areas)
    area, line = shapely.STRtree(shapes).query(areas, predicate="intersects").astype(np.int64)
    inner = shapes[line]
    line_m = shapely.length(inner)
    crosses = ~shapely.covers(areas[area], inner)
    inner[crosses] = shapely.intersection(inner[crosses], areas[area[crosses]])
    return line, area, np.column_stack([_measured(inner, area, axes), line_m])


def _measured(inner: Geometries, area: Rows, axes: Axes) -> Floats:
    """Return length and course of the inner parts of lines."""
    courses = measure_courses(*straight_pieces(inner), area, axes)
    return np.column_stack([shapely.length(inner), courses])


def _by_kernel(lines: Geometries | Polylines, areas: Geometries, axes: Axes) -> tuple[Rows, Rows, Floats] | None:
    """Clip by the compiled kernel, and by shapely what it leaves open; None where a line has several parts."""
    from planner import cell_kernel

    origin = _origin(areas)
    edges, edge_start = _edges(areas, origin)
    area_boxes = shapely.bounds(areas) - np.tile(origin, 2)
    grid = _cell_grid(area_boxes, len(lines))
    if grid is None:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 5))
    cells = cell_kernel.enter_areas(edges, edge_start, area_boxes, grid)
    paired = _candidates(lines, origin, cells, grid, len(areas))
    if paired is None:
        return None
    line, area, candidates = paired
    local_axes = (axes.pieces - np.tile(origin, 2), axes.start)
    found = _measure_candidates(area, candidates, (edges, edge_start), area_boxes, local_axes)
    unclear = np.flatnonzero(found[:, 0] < 0)
    shapes = lines.shapes(line[unclear]) if isinstance(lines, Polylines) else lines[line[unclear]]
    inner = shapely.intersection(shapes, areas[area[unclear]])
    measured = _measured(np.asarray(inner), area[unclear], axes)
    found[unclear] = np.column_stack([measured, shapely.length(shapes)])
    return line, area, found


def _measure_candidates(
    area: Rows, lines: Polylines, edges: tuple[Floats, Rows], area_boxes: Floats, axes: tuple[Floats, Rows]
) -> Floats:
    """Return what `kernel.inside_lengths` finds for each area and line; all is seen from one origin."""
    from planner import kernel

    # bands lie across the longer side of an area: one that is wider than high is looked at with its axes changed
    is_wide = area_boxes[:, 2] - area_boxes[:, 0] > area_boxes[:, 3] - area_boxes[:, 1]
    swap = np.array([1, 0, 3, 2])
    turned = [kernel.turn_rows(rows, start, is_wide) for rows, start in (edges, axes)]
    boxes = np.where(is_wide[:, None], area_boxes[:, swap], area_boxes)
    band_count = np.ceil(np.diff(edges[1]) / _EDGES_PER_BAND).astype(np.int64)
    band_start = np.concatenate([[0], np.cumsum(band_count)]).astype(np.int64)
    bands = (band_start, *kernel.fill_bands(turned[0], edges[1], boxes, band_start))
    ahead = turned[1][:, 2:] - turned[1][:, :2]
    length = np.hypot(ahead[:, :1], ahead[:, 1:])
    local_axes = (np.hstack([turned[1][:, :2], ahead / length, length]), axes[1])
    # area by area, its edges stay in the cache of the processor; numbers of two bytes are sorted in linear time
    order = np.argsort(area.astype(np.min_scalar_type(len(area_boxes))), kind="stable")
    found = np.empty((len(area), 5))

    def measure(rows: slice) -> None:
        pairs = order[rows]
        ordered = area[pairs]
        # changing the axes makes a mirror image, where left is right
        is_mirrored = is_wide[ordered]
        points = kernel.gather_lines(pairs, lines.vertices, lines.start, np.zeros(2), is_mirrored)
        measured = kernel.inside_lengths(ordered, *points, boxes, bands, local_axes)
        measured[is_mirrored, 2:4] = -measured[is_mirrored, 3:1:-1]
        found[pairs] = measured

    side_by_side(measure, row_slices(len(area), _PAIRS_AT_ONCE))
    return found


def _candidates(
    lines: Geometries | Polylines, origin: Floats, cells: tuple[Rows, Rows, Rows], grid: Floats, area_count: int
) -> tuple[Rows, Rows, Polylines] | None:
    """Return line and area of pairs that may meet, with the vertices of each pair's line, seen from the origin.

    None where a line has several parts. Lines are taken some at a time, so that their vertices stay in the cache and
    never need memory all at once.
    """
    from planner import cell_kernel, kernel

    def search(rows: slice) -> tuple[Rows, Rows, Floats, Rows] | None:
        some = lines[rows]
        run = some if isinstance(some, Polylines) else Polylines.of(some)
        if run is None:
            return None
        pairs = cell_kernel.pairs_in_cells(run.vertices, run.start, origin, cells, grid, area_count)
        points, start = kernel.gather_lines(
            pairs[:, 0], run.vertices, run.start, origin, np.zeros(len(pairs), np.bool_)
        )
        return pairs[:, 0] + rows.start, pairs[:, 1], points, np.diff(start)

    found = side_by_side(search, row_slices(len(lines), _LINES_AT_ONCE))
    whole = [some for some in found if some is not None]
    if len(whole) < len(found):
        return None
    line, area, points, count = (np.concatenate(column) for column in zip(*whole, strict=True))
    return line, area, Polylines(points, np.concatenate([[0], np.cumsum(count)]).astype(np.int64))


def _origin(areas: Geometries) -> Floats:
    """A whole-metre point near all areas: small coordinates keep the digits, and whole metres subtract exactly."""
    bounds = shapely.total_bounds(areas)
    return np.zeros(2) if np.isnan(bounds).any() else np.floor(bounds[:2])


def line_vertices(lines: Geometries, origin: Floats) -> tuple[Floats, Rows]:
    """Return the vertices of all lines, seen from the origin, and where each line starts among them."""
    start = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(lines))]).astype(np.int64)
    return shapely.get_coordinates(lines) - origin, start


def _edges(areas: Geometries, origin: Floats) -> tuple[Floats, Rows]:
    """All edges of all rings of all parts, area by area, and where each area's start."""
    vertices = shapely.get_coordinates(areas) - origin
    start = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(areas))]).astype(np.int64)
    # one vertex less begins an edge than there are, and none does that closes a ring
    is_begin = np.ones(len(vertices), dtype=bool)
    is_begin[start[1:][np.diff(start) > 0] - 1] = False
    is_begin[_inner_ends(areas, start)] = False
    begin = np.flatnonzero(is_begin)
    edges = np.hstack([vertices[begin], vertices[begin + 1]])
    return edges, np.searchsorted(begin, start).astype(np.int64)


def _inner_ends(areas: Geometries, start: Rows) -> Rows:
    """Return the last vertex of each ring of areas that have several; `start` has the first vertex of each area."""
    is_multiple = shapely.get_type_id(areas) == shapely.GeometryType.MULTIPOLYGON
    rows = np.flatnonzero(is_multiple | (shapely.get_num_interior_rings(areas) > 0))
    # rings of a multipolygon are reached through its parts only
    parts, of_row = shapely.get_parts(areas[rows], return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    before = np.concatenate([[0], np.cumsum(np.diff(start)[rows])])[:-1]
    row = of_row[of_part]
    return np.asarray(start[rows[row]] - before[row] + np.cumsum(shapely.get_num_coordinates(rings)) - 1)


def _cell_grid(area_boxes: Floats, line_count: int) -> Floats | None:
    """Return a grid of square cells over all areas, in the form of `box_grid`: about a cell for each line."""
    boxes = area_boxes[~np.isnan(area_boxes[:, 0])]
    if not len(boxes):
        return None
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    span = np.maximum(high - low, 1.0)
    most = min(max(line_count, 1024), _MOST_CELLS)
    # a thin strip of ground has at least one row of cells
    size = max(float(np.sqrt(span[0] * span[1] / most)), float(span.max()) / most, _LEAST_CELL_M)
    columns, rows = (int(np.ceil(extent / size)) for extent in span)
    return np.array([low[0], low[1], size, size, columns, rows, high[0], high[1]])


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
