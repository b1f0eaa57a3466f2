"""Stretches of lines, for all lines at once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

Geometries = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
# shorter than a survey can tell two points apart
SHORTEST_M: Final = 0.01
_SAME_M: Final = 1e-6


def cut_lines(lines: Geometries, start_m: Floats, end_m: Floats) -> Geometries:
    """Return each line from one measure to another, in either order; None where less than a centimetre is left.

    Parameters
    ----------
    lines
        LineStrings in metres, none missing.
    start_m, end_m
        Measures along each line from its beginning; what lies beyond an end is cut off there.
    """
    length = shapely.length(lines)
    low = np.clip(np.minimum(start_m, end_m), 0.0, length)
    high = np.clip(np.maximum(start_m, end_m), 0.0, length)
    result = np.full(len(lines), None, dtype=object)
    kept = np.flatnonzero(high - low >= SHORTEST_M)
    if not kept.size:
        return result
    chosen = lines[kept]
    points, row = shapely.get_coordinates(chosen, return_index=True)
    step = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    first = np.flatnonzero(np.diff(row, prepend=-1))
    step[first] = 0.0
    along = np.cumsum(step)
    along -= along[first][row]
    # a corner at an end is that end
    is_between = (along > low[kept][row] + _SAME_M) & (along < high[kept][row] - _SAME_M)
    ends = [shapely.get_coordinates(shapely.line_interpolate_point(chosen, at[kept])) for at in (low, high)]
    number = np.arange(len(kept))
    rows = np.concatenate([number, row[is_between], number])
    measures = np.concatenate([low[kept], along[is_between], high[kept]])
    corners = np.concatenate([ends[0], points[is_between], ends[1]])
    order = np.lexsort((measures, rows))
    result[kept] = shapely.linestrings(corners[order], indices=rows[order])
    return result
