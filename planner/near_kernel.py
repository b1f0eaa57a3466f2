"""Compiled distance, measure and nearness of pairs of a place and a line.

Importing this module needs numba (the extra `fast`); `planner.near` falls back to shapely where it is absent.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from planner.scatter import piece_nearness

Array = NDArray[Any]
# pairs that come this close to the limit are passed on, and shapely decides
TOLERANCE_M: Final = 1e-6
_nearness: Any = njit(cache=True)(piece_nearness)


@njit(cache=True)
def measure_pairs(pairs: Array, vertices: Array, line_start: Array, places: Array, reach: Array) -> Array:
    """Return distance, measure along the line and nearness for each (line, place) pair; NaN beyond the radius.

    `places` has east and north, `reach` has radius and scatter of each place; all in metres.
    """
    result = np.full((pairs.shape[0], 3), np.nan)
    for pair in range(pairs.shape[0]):
        line, place = pairs[pair, 0], pairs[pair, 1]
        course = vertices[line_start[line] : line_start[line + 1]]
        x, y = places[place, 0], places[place, 1]
        distance, measure = _nearest(course, x, y)
        if distance <= reach[place, 0] + TOLERANCE_M:
            result[pair, 0] = distance
            result[pair, 1] = measure
            result[pair, 2] = _line_nearness(course, x, y, reach[place, 1])
    return result


@njit(cache=True)
def _nearest(course: Array, x: float, y: float) -> tuple[float, float]:
    """Return the distance of a place from a line, and how far along the line the nearest point lies."""
    least, at, passed = math.inf, 0.0, 0.0
    for vertex in range(course.shape[0] - 1):
        east, north = course[vertex, 0], course[vertex, 1]
        along_x, along_y = course[vertex + 1, 0] - east, course[vertex + 1, 1] - north
        length = math.sqrt(along_x * along_x + along_y * along_y)
        share = 0.0
        if length > 0.0:
            share = ((x - east) * along_x + (y - north) * along_y) / (length * length)
            share = min(max(share, 0.0), 1.0)
        distance = math.hypot(east + share * along_x - x, north + share * along_y - y)
        if distance < least:
            least, at = distance, passed + share * length
        passed += length
    return least, at


@njit(cache=True)
def _line_nearness(course: Array, x: float, y: float, scatter: float) -> float:
    total: float = 0.0
    for vertex in range(course.shape[0] - 1):
        east, north = course[vertex, 0] - x, course[vertex, 1] - y
        along_x, along_y = course[vertex + 1, 0] - course[vertex, 0], course[vertex + 1, 1] - course[vertex, 1]
        length = math.sqrt(along_x * along_x + along_y * along_y)
        if length > 0.0:
            begin = (east * along_x + north * along_y) / length
            aside = abs(east * along_y - north * along_x) / length
            total += _nearness(aside, begin, begin + length, scatter)
    return total
