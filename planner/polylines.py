"""Lines as columns of numbers: vertices one after another, and where each line starts among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[Any]
Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Polylines:
    """Lines of one part each: `vertices` of shape (n, 2), line i has those from `start[i]` to `start[i + 1]`.

    A missing or empty line has no vertex. Made without a geometry object for each line where the rows come from a
    database; a million lines are then 64 MB.
    """

    vertices: Floats
    start: Rows

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.start) - 1

    def __getitem__(self, rows: slice) -> Polylines:
        """Return the lines of a slice, on the same memory."""
        first, last, _ = rows.indices(len(self))
        start = self.start[first : last + 1]
        return Polylines(self.vertices[start[0] : start[-1]], start - start[0])

    @classmethod
    def of(cls, lines: Geometries) -> Polylines | None:
        """Take the vertices of lines; None where one of them has several parts or is no line."""
        start = np.zeros(len(lines) + 1, dtype=np.int64)
        # of anything but a line this number is 0
        np.cumsum(shapely.get_num_points(lines), out=start[1:])
        vertices = shapely.get_coordinates(lines)
        return cls(vertices, start) if start[-1] == len(vertices) else None

    def shapes(self, row: Rows | None = None) -> Geometries:
        """Return lines as geometries, all or those of some rows; None where a line has no vertex."""
        chosen = np.arange(len(self)) if row is None else row
        count = self.start[chosen + 1] - self.start[chosen]
        first = np.concatenate([[0], np.cumsum(count)])
        vertex = np.repeat(self.start[chosen] - first[:-1], count) + np.arange(first[-1])
        shapes = np.full(len(chosen), None, dtype=object)
        line = np.repeat(np.cumsum(count > 0) - 1, count)
        shapes[count > 0] = shapely.linestrings(self.vertices[vertex], indices=line) if len(vertex) else None
        return shapes

    def lengths(self, row: Rows) -> Floats:
        """Return the lengths of some lines, m."""
        count = self.start[row + 1] - self.start[row]
        first = np.concatenate([[0], np.cumsum(count)])
        at = np.repeat(np.arange(len(row)), count)
        vertices = self.vertices[np.repeat(self.start[row] - first[:-1], count) + np.arange(first[-1])]
        steps = np.hypot(*np.diff(vertices, axis=0).T) * (at[1:] == at[:-1])
        return np.bincount(at[1:], weights=steps, minlength=len(row)).astype("float64")
