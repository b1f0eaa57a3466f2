"""Compiled clipping of lines by polygons, even-odd, for the overlap of many segments with many projects.

Importing this module needs numba (the extra `fast`); `planner.clip` falls back to shapely where it is absent. What
takes long lets go of Python's lock, for `planner.threads`; numba's own parallel layer and fork do not go together.

Each line is cut at the polygon's edges and the inner pieces are added up. The arithmetic is exact enough where line
and edges cross at a clear angle; wherever they come closer than `TOLERANCE_M` without crossing clearly (a pipe on a
boundary, a vertex on an edge, almost parallel edges), the pair is not answered but flagged, and the caller asks
shapely. Polygons have their edges in horizontal bands, so that a large polygon costs only its edges nearby.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from planner.course_kernel import add_course, add_offset

Array = NDArray[Any]
TOLERANCE_M: Final = 1e-6
LEAST_SINE: Final = 1e-4
_FLAGGED: Final = -1.0


@njit(cache=True, error_model="numpy")
def candidate_pairs(line_boxes: Array, area_boxes: Array, cell_start: Array, cell_area: Array, grid: Array) -> Array:
    """Return (line, area) pairs whose boxes meet, from a uniform grid over the areas; each pair once."""
    columns, rows = int(grid[4]), int(grid[5])
    capacity = max(1024, line_boxes.shape[0] // 2)
    pairs = np.empty((capacity, 2), dtype=np.int64)
    count = 0
    for line in range(line_boxes.shape[0]):
        x_min, y_min, x_max, y_max = line_boxes[line]
        if not (x_min <= grid[6] and x_max >= grid[0] and y_min <= grid[7] and y_max >= grid[1]):
            continue
        first_column, last_column = cell_of(x_min, grid[0], grid[2], columns), cell_of(x_max, grid[0], grid[2], columns)
        first_row, last_row = cell_of(y_min, grid[1], grid[3], rows), cell_of(y_max, grid[1], grid[3], rows)
        for row in range(first_row, last_row + 1):
            for column in range(first_column, last_column + 1):
                cell = row * columns + column
                for place in range(cell_start[cell], cell_start[cell + 1]):
                    area = cell_area[place]
                    box = area_boxes[area]
                    if box[0] > x_max or box[2] < x_min or box[1] > y_max or box[3] < y_min:
                        continue
                    # the pair belongs to the first cell that both boxes share, so it is counted once
                    own_column = max(first_column, cell_of(box[0], grid[0], grid[2], columns))
                    own_row = max(first_row, cell_of(box[1], grid[1], grid[3], rows))
                    if column != own_column or row != own_row:
                        continue
                    if count == capacity:
                        capacity *= 2
                        grown = np.empty((capacity, 2), dtype=np.int64)
                        grown[:count] = pairs
                        pairs = grown
                    pairs[count, 0] = line
                    pairs[count, 1] = area
                    count += 1
    return pairs[:count]


@njit(cache=True, error_model="numpy")
def fill_cells(area_boxes: Array, grid: Array) -> tuple[Array, Array]:
    """Sort the areas into the cells of the grid: start of each cell, and the areas cell by cell."""
    columns, rows = int(grid[4]), int(grid[5])
    start = np.zeros(columns * rows + 1, dtype=np.int64)
    for area in range(area_boxes.shape[0]):
        left, right, bottom, top = _cell_range(area_boxes[area], grid)
        for row in range(bottom, top + 1):
            for column in range(left, right + 1):
                start[row * columns + column + 1] += 1
    start = np.cumsum(start)
    areas = np.empty(start[-1], dtype=np.int64)
    place = start[:-1].copy()
    for area in range(area_boxes.shape[0]):
        left, right, bottom, top = _cell_range(area_boxes[area], grid)
        for row in range(bottom, top + 1):
            for column in range(left, right + 1):
                cell = row * columns + column
                areas[place[cell]] = area
                place[cell] += 1
    return start, areas


@njit(cache=True, error_model="numpy")
def _cell_range(box: Array, grid: Array) -> tuple[int, int, int, int]:
    """Return first and last column and row of a box; an empty range for the box of an empty area."""
    if not box[0] <= box[2]:
        return 0, -1, 0, -1
    columns, rows = int(grid[4]), int(grid[5])
    return (
        cell_of(box[0], grid[0], grid[2], columns),
        cell_of(box[2], grid[0], grid[2], columns),
        cell_of(box[1], grid[1], grid[3], rows),
        cell_of(box[3], grid[1], grid[3], rows),
    )


@njit(cache=True, error_model="numpy")
def cell_of(value: float, origin: float, size: float, count: int) -> int:
    """Return the cell, or band, of a value along one direction; what lies outside belongs to the last one there."""
    return min(max(int((value - origin) / size), 0), count - 1)


@njit(cache=True, error_model="numpy")
def turn_rows(rows: Array, start: Array, is_turned: Array) -> Array:
    """Return edges or pieces (x, y, to x, to y) with east and north changed where their area is turned."""
    turned = np.empty_like(rows)
    for area in range(len(is_turned)):
        east = 1 if is_turned[area] else 0
        for row in range(start[area], start[area + 1]):
            turned[row, 0], turned[row, 1] = rows[row, east], rows[row, 1 - east]
            turned[row, 2], turned[row, 3] = rows[row, 2 + east], rows[row, 3 - east]
    return turned


@njit(cache=True, error_model="numpy")
def fill_bands(
    edges: Array, edge_start: Array, area_boxes: Array, band_start: Array
) -> tuple[Array, Array, Array, Array]:
    """Copy the edges of each area into its horizontal bands.

    Returns the start of each band, the edges band by band, the first band of each edge, counted within its area, and
    how far each band reaches from west to east.
    """
    start = np.zeros(band_start[-1] + 1, dtype=np.int64)
    for area in range(area_boxes.shape[0]):
        for edge in range(edge_start[area], edge_start[area + 1]):
            first, last = _band_range(edges[edge], area_boxes[area], band_start[area], band_start[area + 1])
            for band in range(first, last + 1):
                start[band + 1] += 1
    start = np.cumsum(start)
    banded = np.empty((start[-1], 4))
    first_band = np.empty(start[-1], dtype=np.int64)
    reach = np.empty((len(start) - 1, 2))
    reach[:, 0], reach[:, 1] = np.inf, -np.inf
    place = start[:-1].copy()
    for area in range(area_boxes.shape[0]):
        for edge in range(edge_start[area], edge_start[area + 1]):
            first, last = _band_range(edges[edge], area_boxes[area], band_start[area], band_start[area + 1])
            for band in range(first, last + 1):
                banded[place[band]] = edges[edge]
                first_band[place[band]] = first - band_start[area]
                place[band] += 1
                reach[band, 0] = min(reach[band, 0], edges[edge, 0], edges[edge, 2])
                reach[band, 1] = max(reach[band, 1], edges[edge, 0], edges[edge, 2])
    return start, banded, first_band, reach


@njit(cache=True, error_model="numpy")
def _band_range(edge: Array, box: Array, first: int, last: int) -> tuple[int, int]:
    """Return first and last band that an edge goes through, among those of its area."""
    count = last - first
    height = _band_height(box, count)
    bottom, top = min(edge[1], edge[3]), max(edge[1], edge[3])
    return first + cell_of(bottom, box[1], height, count), first + cell_of(top, box[1], height, count)


@njit(cache=True, error_model="numpy")
def _band_height(box: Array, count: int) -> float:
    height = (box[3] - box[1]) / count
    return height if height > 0.0 else 1.0


@njit(cache=True, error_model="numpy", nogil=True)
def gather_lines(
    lines: Array, vertices: Array, line_start: Array, origin: Array, is_turned: Array
) -> tuple[Array, Array]:
    """Return the vertices of some lines one after another, seen from the origin, and where each line starts.

    East and north change places where a line is turned. Lines lie far apart in memory: fetching them in one go, one
    waits for many of them at once.
    """
    start = np.zeros(len(lines) + 1, dtype=np.int64)
    for row in range(len(lines)):
        start[row + 1] = start[row] + line_start[lines[row] + 1] - line_start[lines[row]]
    points = np.empty((start[-1], 2))
    for row in range(len(lines)):
        shift = line_start[lines[row]] - start[row]
        east = 1 if is_turned[row] else 0
        for point in range(start[row], start[row + 1]):
            points[point, east] = vertices[point + shift, 0] - origin[0]
            points[point, 1 - east] = vertices[point + shift, 1] - origin[1]
    return points, start


@njit(cache=True, error_model="numpy", nogil=True)
def inside_lengths(
    areas: Array,
    points: Array,
    point_start: Array,
    area_boxes: Array,
    bands: tuple[Array, Array, Array, Array, Array],
    axes: tuple[Array, Array],
) -> Array:
    """Return for each pair the length of its line inside its area, and how it runs against the area's centreline.

    Lines are given pair by pair as `gather_lines` returns them. The columns are: length, -1 where shapely has to
    decide; length that runs with the centreline; lowest and highest offset from it, NaN without centreline; and the
    whole length of the line, for pairs that share length. The bands
    are: start of each area's bands, and what `fill_bands` returns; the axes are the pieces of the centrelines and
    where each area's start.
    """
    band_start, band_edge_start, edges, edge_band, reach = bands
    found = np.zeros((len(areas), 5))
    found[:, 2:4] = np.nan
    cuts = np.empty(64)
    for pair in range(len(areas)):
        area, line = areas[pair], points[point_start[pair] : point_start[pair + 1]]
        box = area_boxes[area]
        if len(line) < 2 or _is_apart(line, box, reach[band_start[area] : band_start[area + 1]]):
            continue
        start = band_edge_start[band_start[area] : band_start[area + 1] + 1]
        axis = axes[0][axes[1][area] : axes[1][area + 1]]
        cuts = _measure_line(line, box, (start, edges, edge_band), axis, cuts, found[pair])
    return found


@njit(cache=True, error_model="numpy")
def _measure_line(
    line: Array, box: Array, bands: tuple[Array, Array, Array], axis: Array, cuts: Array, found: Array
) -> Array:
    """Note what one line has inside one area; return the buffer for cuts, which may have grown."""
    start, edges, edge_band = bands
    is_inside = _is_inside(line[0, 0], line[0, 1], box, start, edges)
    all_cuts = 0
    last = line.shape[0] - 1
    for vertex in range(last):
        piece = (line[vertex, 0], line[vertex, 1], line[vertex + 1, 0], line[vertex + 1, 1])
        length, cut_count, cuts = _cut_piece(piece, box, start, edges, edge_band, cuts)
        if cut_count < 0:
            found[0] = _FLAGGED
            return cuts
        found[4] += length
        if cut_count > 0 or is_inside:
            _add_inner_parts(piece, length, _sorted(cuts[:cut_count]), is_inside, axis, found, vertex == 0)
        all_cuts += cut_count
        if cut_count % 2 == 1:
            is_inside = not is_inside
    # a second look from the far end: a crossing that was missed or counted twice shows here
    if all_cuts > 0 and is_inside != _is_inside(line[last, 0], line[last, 1], box, start, edges):
        found[0] = _FLAGGED
    return cuts


@njit(cache=True, error_model="numpy")
def _is_apart(line: Array, box: Array, reach: Array) -> bool:
    """Tell whether a line lies west or east of everything in the bands it goes through: most pairs end here."""
    x_min, y_min, x_max, y_max = line[0, 0], line[0, 1], line[0, 0], line[0, 1]
    for vertex in range(1, line.shape[0]):
        x_min, x_max = min(x_min, line[vertex, 0]), max(x_max, line[vertex, 0])
        y_min, y_max = min(y_min, line[vertex, 1]), max(y_max, line[vertex, 1])
    count = reach.shape[0]
    height = _band_height(box, count)
    # a line on the limit of a band touches the next one too
    first = cell_of(y_min - TOLERANCE_M, box[1], height, count)
    last = cell_of(y_max + TOLERANCE_M, box[1], height, count)
    for band in range(first, last + 1):
        if x_min - TOLERANCE_M <= reach[band, 1] and x_max + TOLERANCE_M >= reach[band, 0]:
            return False
    return True


@njit(cache=True, error_model="numpy")
def _is_inside(x: float, y: float, box: Array, start: Array, edges: Array) -> bool:
    """Cast a ray to the right; an edge counts if it goes through the half-open height of the ray."""
    if x < box[0] or x > box[2] or y < box[1] or y > box[3]:
        return False
    count = len(start) - 1
    band = cell_of(y, box[1], _band_height(box, count), count)
    inside = False
    for place in range(start[band], start[band + 1]):
        bottom, top = edges[place, 1], edges[place, 3]
        if (bottom <= y) != (top <= y):
            at = (y - bottom) / (top - bottom)
            if edges[place, 0] + at * (edges[place, 2] - edges[place, 0]) > x:
                inside = not inside
    return inside


@njit(cache=True, error_model="numpy")
def _cut_piece(
    piece: tuple[float, float, float, float], box: Array, start: Array, edges: Array, edge_band: Array, cuts: Array
) -> tuple[float, int, Array]:
    """Cut a straight piece at the edges of an area: its length, number of cuts (-1: unclear), and their shares."""
    length = math.sqrt((piece[2] - piece[0]) ** 2 + (piece[3] - piece[1]) ** 2)
    found = 0
    if length == 0.0:
        return 0.0, 0, cuts
    x_min, x_max = min(piece[0], piece[2]) - TOLERANCE_M, max(piece[0], piece[2]) + TOLERANCE_M
    y_min, y_max = min(piece[1], piece[3]) - TOLERANCE_M, max(piece[1], piece[3]) + TOLERANCE_M
    if x_min > box[2] or x_max < box[0] or y_min > box[3] or y_max < box[1]:
        return length, 0, cuts
    count = len(start) - 1
    height = _band_height(box, count)
    first_band, last_band = cell_of(y_min, box[1], height, count), cell_of(y_max, box[1], height, count)
    for band in range(first_band, last_band + 1):
        for place in range(start[band], start[band + 1]):
            edge = (edges[place, 0], edges[place, 1], edges[place, 2], edges[place, 3])
            # an edge lies in several bands: it is looked at in the first that the piece shares with it
            if band != max(first_band, edge_band[place]) or not _meets(edge, x_min, y_min, x_max, y_max):
                continue
            share = _crossing(piece, length, edge)
            if share == _FLAGGED:
                return length, -1, cuts
            if share >= 0.0:
                if found == len(cuts):
                    grown = np.empty(2 * found)
                    grown[:found] = cuts
                    cuts = grown
                cuts[found] = share
                found += 1
    return length, found, cuts


@njit(cache=True, error_model="numpy")
def _meets(edge: tuple[float, float, float, float], x_min: float, y_min: float, x_max: float, y_max: float) -> bool:
    """Tell whether the box of an edge meets a box."""
    if (edge[0] > x_max and edge[2] > x_max) or (edge[0] < x_min and edge[2] < x_min):
        return False
    return not ((edge[1] > y_max and edge[3] > y_max) or (edge[1] < y_min and edge[3] < y_min))


@njit(cache=True, error_model="numpy")
def _crossing(
    piece: tuple[float, float, float, float], length: float, edge: tuple[float, float, float, float]
) -> float:
    """Return where the piece crosses the edge as a share of the piece; -2 for nowhere, -1 for unclear."""
    along_x, along_y = piece[2] - piece[0], piece[3] - piece[1]
    edge_x, edge_y = edge[2] - edge[0], edge[3] - edge[1]
    to_x, to_y = edge[0] - piece[0], edge[1] - piece[1]
    # signed distances, times a length, of the edge's ends from the line of the piece, and of the piece's ends from
    # that of the edge; divided only where they matter
    turn = along_x * edge_y - along_y * edge_x
    begin = along_x * to_y - along_y * to_x
    end = begin + turn
    if min(begin, end) > TOLERANCE_M * length or max(begin, end) < -TOLERANCE_M * length:
        return -2.0
    edge_length = math.sqrt(edge_x * edge_x + edge_y * edge_y)
    if edge_length == 0.0:
        return -2.0
    edge_begin, edge_end = begin / length, end / length
    piece_begin = (to_x * edge_y - to_y * edge_x) / edge_length
    piece_end = piece_begin - turn / edge_length
    if min(piece_begin, piece_end) > TOLERANCE_M or max(piece_begin, piece_end) < -TOLERANCE_M:
        return -2.0
    nearest = min(min(abs(edge_begin), abs(edge_end)), min(abs(piece_begin), abs(piece_end)))
    if nearest <= TOLERANCE_M or abs(piece_begin - piece_end) < LEAST_SINE * length:
        return _FLAGGED
    return float(piece_begin / (piece_begin - piece_end))


@njit(cache=True, error_model="numpy")
def _sorted(cuts: Array) -> Array:
    """Sort a few numbers in their place."""
    for place in range(1, len(cuts)):
        share, at = cuts[place], place
        while at > 0 and cuts[at - 1] > share:
            cuts[at] = cuts[at - 1]
            at -= 1
        cuts[at] = share
    return cuts


@njit(cache=True, error_model="numpy")
def _add_inner_parts(
    piece: tuple[float, float, float, float],
    length: float,
    cuts: Array,
    is_inside: bool,
    axis: Array,
    found: Array,
    is_first: bool,
) -> None:
    """Add up the inner parts of a piece that is cut at the given shares; it may be the first of its line."""
    at = 0.0
    for place in range(len(cuts) + 1):
        share = cuts[place] if place < len(cuts) else 1.0
        if is_inside and share > at:
            found[0] += (share - at) * length
            if axis.shape[0]:
                add_course(piece, length, at, share, axis, found)
                if at > 0.0 or is_first:
                    # else it is the end of the piece before
                    add_offset(piece, at, axis, found)
                add_offset(piece, share, axis, found)
        is_inside = not is_inside
        at = share
