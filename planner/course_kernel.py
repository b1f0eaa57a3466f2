"""Compiled course of a stretch of pipe against a centreline: the fast twin of `planner.course.measure_courses`.

Importing this module needs numba (the extra `fast`). `found` is a row of what `planner.kernel.inside_lengths` returns,
`axis` has a row for each piece of the centreline: where it begins, its unit vector, and its length.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit
from numpy.typing import NDArray

from planner.course import LEAST_COSINE, TIE_M

Array = NDArray[Any]


@njit(cache=True, error_model="numpy")
def add_course(
    piece: tuple[float, float, float, float], length: float, at: float, share: float, axis: Array, found: Array
) -> None:
    """Note how a stretch of a piece runs against the centreline."""
    along_x, along_y = piece[2] - piece[0], piece[3] - piece[1]
    middle = (at + share) / 2.0
    _, nearest = _beside(piece[0] + middle * along_x, piece[1] + middle * along_y, axis)
    if abs(along_x * axis[nearest, 2] + along_y * axis[nearest, 3]) >= LEAST_COSINE * length:
        found[1] += (share - at) * length


@njit(cache=True, error_model="numpy")
def add_offset(piece: tuple[float, float, float, float], at: float, axis: Array, found: Array) -> None:
    """Note the offset of a point of the piece."""
    x, y = piece[0] + at * (piece[2] - piece[0]), piece[1] + at * (piece[3] - piece[1])
    offset, _ = _beside(x, y, axis)
    # NaN is neither more nor less
    found[2] = offset if not found[2] <= offset else found[2]
    found[3] = offset if not found[3] >= offset else found[3]


@njit(cache=True, error_model="numpy")
def _beside(x: float, y: float, axis: Array) -> tuple[float, int]:
    """Return the offset of a point from a centreline, left positive, and its nearest piece; nothing is divided."""
    nearest, least, limit, offset = 0, math.inf, math.inf, 0.0
    for piece in range(axis.shape[0]):
        ahead_x, ahead_y = axis[piece, 2], axis[piece, 3]
        to_x, to_y = x - axis[piece, 0], y - axis[piece, 1]
        along = min(max(to_x * ahead_x + to_y * ahead_y, 0.0), axis[piece, 4])
        off_x, off_y = to_x - along * ahead_x, to_y - along * ahead_y
        apart = off_x * off_x + off_y * off_y
        if apart > limit:
            continue
        distance = math.sqrt(apart)
        beside = ahead_x * to_y - ahead_y * to_x
        if distance < least - TIE_M or abs(beside) > abs(offset):
            nearest, offset = piece, beside
        least = min(least, distance)
        limit = (least + TIE_M) * (least + TIE_M)
    return offset, nearest
