"""Compiled grid of square cells over areas: which areas may a line meet at all.

Importing this module needs numba (the extra `fast`); `planner.clip` falls back to shapely where it is absent.

An area is entered in each row of cells from its westernmost to its easternmost cell, so a long bent corridor takes up
the cells along it and not those of its whole box. Lines are followed piece by piece. The pairs found are a superset of
those that meet.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from planner.kernel import TOLERANCE_M, cell_of

Array = NDArray[Any]
_FEW_CELLS: Final = 4


@njit(cache=True, error_model="numpy")
def enter_areas(edges: Array, edge_start: Array, area_boxes: Array, grid: Array) -> tuple[Array, Array, Array]:
    """Sort the areas into the cells of the grid.

    Returns the start of each cell, the areas cell by cell, and one bit for each cell that has any.
    """
    columns, rows = int(grid[4]), int(grid[5])
    start = np.zeros(columns * rows + 1, dtype=np.int32)
    reach = np.empty((rows, 2))
    for area in range(area_boxes.shape[0]):
        bottom, top = _fill_reach(edges, edge_start, area_boxes, area, grid, reach)
        for row in range(bottom, top + 1):
            if reach[row, 0] <= reach[row, 1]:
                for column in range(int(reach[row, 0]), int(reach[row, 1]) + 1):
                    start[row * columns + column + 1] += 1
    for cell in range(columns * rows):
        start[cell + 1] += start[cell]
    areas = np.empty(start[-1], dtype=np.int32)
    place = start[:-1].copy()
    for area in range(area_boxes.shape[0]):
        bottom, top = _fill_reach(edges, edge_start, area_boxes, area, grid, reach)
        for row in range(bottom, top + 1):
            if reach[row, 0] <= reach[row, 1]:
                for column in range(int(reach[row, 0]), int(reach[row, 1]) + 1):
                    cell = row * columns + column
                    areas[place[cell]] = area
                    place[cell] += 1
    return start, areas, _taken_cells(start)


@njit(cache=True, error_model="numpy")
def _fill_reach(
    edges: Array, edge_start: Array, area_boxes: Array, area: int, grid: Array, reach: Array
) -> tuple[int, int]:
    """Note first and last column of an area in each of its rows; return first and last row, none for an empty area."""
    box = area_boxes[area]
    if not box[0] <= box[2]:
        return 0, -1
    columns, rows, size = int(grid[4]), int(grid[5]), grid[2]
    bottom = cell_of(box[1] - TOLERANCE_M, grid[1], size, rows)
    top = cell_of(box[3] + TOLERANCE_M, grid[1], size, rows)
    reach[bottom : top + 1, 0], reach[bottom : top + 1, 1] = np.inf, -np.inf
    for edge in range(edge_start[area], edge_start[area + 1]):
        x, y, to_x, to_y = edges[edge]
        low, high = min(y, to_y) - TOLERANCE_M, max(y, to_y) + TOLERANCE_M
        first, last = cell_of(low, grid[1], size, rows), cell_of(high, grid[1], size, rows)
        west, east = min(x, to_x), max(x, to_x)
        slope = (to_x - x) / (to_y - y) if to_y != y else 0.0
        for row in range(first, last + 1):
            left, right = west, east
            if first < last and to_y != y:
                # only what the edge has within this row; the tolerance covers the rounding of the limits
                at_low = x + (max(low, grid[1] + row * size) - y) * slope
                at_high = x + (min(high, grid[1] + (row + 1) * size) - y) * slope
                left, right = max(west, min(at_low, at_high)), min(east, max(at_low, at_high))
            reach[row, 0] = min(reach[row, 0], cell_of(left - 2 * TOLERANCE_M, grid[0], size, columns))
            reach[row, 1] = max(reach[row, 1], cell_of(right + 2 * TOLERANCE_M, grid[0], size, columns))
    return bottom, top


@njit(cache=True, error_model="numpy", nogil=True)
def pairs_in_cells(
    vertices: Array, line_start: Array, origin: Array, cells: tuple[Array, Array, Array], grid: Array, area_count: int
) -> Array:
    """Return the (line, area) pairs that have a cell in common, each once, by line.

    `cells` is what `enter_areas` returns.
    """
    cell_start, cell_area, taken = cells
    columns = int(grid[4])
    pairs = np.empty((1024, 2), dtype=np.int64)
    count = 0
    seen = np.full(area_count, -1, dtype=np.int64)
    for line in range(len(line_start) - 1):
        begin, end = line_start[line], line_start[line + 1]
        if end - begin < 2:
            continue
        box = _cells_of(vertices, begin, end, origin, grid)
        # most lines end here: nothing is planned in any cell of their box
        if not _is_taken(box, columns, taken):
            continue
        # a line through many cells is followed piece by piece, so that it is not asked for those beside it
        step = end - begin - 1 if (box[1] - box[0] + 1) * (box[3] - box[2] + 1) <= _FEW_CELLS else 1
        for vertex in range(begin, end - 1, step):
            if step == 1:
                box = _cells_of(vertices, vertex, vertex + 2, origin, grid)
            for row in range(box[2], box[3] + 1):
                for place in range(cell_start[row * columns + box[0]], cell_start[row * columns + box[1] + 1]):
                    area = cell_area[place]
                    if seen[area] == line:
                        continue
                    seen[area] = line
                    if count == len(pairs):
                        grown = np.empty((2 * count, 2), dtype=np.int64)
                        grown[:count] = pairs
                        pairs = grown
                    pairs[count, 0] = line
                    pairs[count, 1] = area
                    count += 1
    return pairs[:count]


@njit(cache=True, error_model="numpy")
def _taken_cells(cell_start: Array) -> Array:
    """Return one bit for each cell, set where an area is: small enough to stay in the cache of the processor."""
    taken = np.zeros(len(cell_start) // 8 + 1, dtype=np.uint8)
    for cell in range(len(cell_start) - 1):
        if cell_start[cell + 1] > cell_start[cell]:
            taken[cell >> 3] |= np.uint8(1 << (cell & 7))
    return taken


@njit(cache=True, error_model="numpy")
def _cells_of(vertices: Array, begin: int, end: int, origin: Array, grid: Array) -> tuple[int, int, int, int]:
    """Return first and last column and row of the box of some vertices; no column where it lies off the grid."""
    x_min, y_min = vertices[begin, 0], vertices[begin, 1]
    x_max, y_max = x_min, y_min
    for vertex in range(begin + 1, end):
        x_min, x_max = min(x_min, vertices[vertex, 0]), max(x_max, vertices[vertex, 0])
        y_min, y_max = min(y_min, vertices[vertex, 1]), max(y_max, vertices[vertex, 1])
    x_min, x_max = x_min - origin[0] - TOLERANCE_M, x_max - origin[0] + TOLERANCE_M
    y_min, y_max = y_min - origin[1] - TOLERANCE_M, y_max - origin[1] + TOLERANCE_M
    if not (x_min <= grid[6] and x_max >= grid[0] and y_min <= grid[7] and y_max >= grid[1]):
        return 0, -1, 0, -1
    columns, rows, per_m = int(grid[4]), int(grid[5]), 1.0 / grid[2]
    return (
        min(max(int((x_min - grid[0]) * per_m), 0), columns - 1),
        min(max(int((x_max - grid[0]) * per_m), 0), columns - 1),
        min(max(int((y_min - grid[1]) * per_m), 0), rows - 1),
        min(max(int((y_max - grid[1]) * per_m), 0), rows - 1),
    )


@njit(cache=True, error_model="numpy")
def _is_taken(box: tuple[int, int, int, int], columns: int, taken: Array) -> bool:
    """Tell whether any cell of a box of cells has an area."""
    for row in range(box[2], box[3] + 1):
        for cell in range(row * columns + box[0], row * columns + box[1] + 1):
            if taken[cell >> 3] & (1 << (cell & 7)):
                return True
    return False
