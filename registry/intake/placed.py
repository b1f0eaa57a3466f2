"""Geometry of some rows as it goes to the database: bytes, heights, and which rows have none.

Most lines of a census are two-dimensional, sound and in the working CRS already. These pass as the bytes that they
came in; shapely sees only what has to be changed or looked at, which more than halves the work of a large import.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from registry.arrow import compute as pc
from registry.crs import Bounds, are_inside
from registry.frames import EWKB_LINE_2D, elevations, ewkb
from registry.intake.findings import Mask

Geometries = npt.NDArray[Any]
Counts = npt.NDArray[np.int64]
# well-known binary: byte order, type, count of vertices, then 16 bytes for each
_PLAIN_LINE: Final = b"\x01\x02\x00\x00\x00"
_AFTER_TYPE: Final = len(_PLAIN_LINE)
_FIRST_VERTEX: Final = _AFTER_TYPE + 4
_VERTEX: Final = 16
# binary_slice without an end fails on binary columns (pyarrow 26): the end is given, beyond any row
_TO_END: Final = 2**31 - 1


@dataclass(frozen=True)
class Placed:
    """Geometry of some rows in the working CRS; null where a row has none."""

    packed: pa.Array
    heights: pa.Array

    @classmethod
    def of(cls, geometry: Geometries, srid: int) -> Placed:
        """Pack shapely geometries."""
        return cls(ewkb(geometry, srid), elevations(geometry))

    @property
    def is_missing(self) -> Mask:
        """Which rows have no geometry."""
        return np.asarray(self.packed.is_null().to_numpy(zero_copy_only=False), dtype=bool)

    def shapes(self, rows: Mask) -> Geometries:
        """Return the geometries of some rows for shapely."""
        return np.asarray(shapely.from_wkb(self.packed.filter(pa.array(rows)).to_numpy(zero_copy_only=False)))


def plain_lines(wkb: pa.Array, shortest_m: float, bounds: Bounds) -> Mask:
    """Tell which rows are lines with nothing to change or to question, from their bytes alone.

    These are two-dimensional, of little-endian byte order, with every vertex within `bounds` and with ends at least
    `shortest_m` apart, so that the line is no shorter. The others are not faulty: they have to be looked at one by one.
    """
    counts, sizes = _vertex_counts(wkb)
    plain: Mask = (counts >= 2) & (sizes == _FIRST_VERTEX + _VERTEX * counts)
    rows = np.flatnonzero(plain)
    if rows.size == 0:
        return plain
    lines = wkb if rows.size == len(wkb) else wkb.filter(pa.array(plain))
    ends = np.cumsum(counts[rows])
    vertices = _numbers(pc.binary_slice(lines, _FIRST_VERTEX, _TO_END), "<f8").reshape(-1, 2)
    with np.errstate(invalid="ignore", over="ignore"):
        chord = vertices[ends - 1] - vertices[ends - counts[rows]]
        is_long = np.hypot(chord[:, 0], chord[:, 1]) >= shortest_m
        is_inside = are_inside(vertices[:, 0], vertices[:, 1], bounds)
        plain[rows] = is_long if is_inside.all() else is_long & np.logical_and.reduceat(is_inside, ends - counts[rows])
    return plain


def _vertex_counts(wkb: pa.Array) -> tuple[Counts, Counts]:
    """Return for each row the count of vertices that a plain line states, else 0, and the size in bytes."""
    sizes: Counts = pc.fill_null(pc.binary_length(wkb), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    starts_so = pc.fill_null(pc.starts_with(wkb, _PLAIN_LINE), fill_value=False)
    is_line = starts_so.to_numpy(zero_copy_only=False) & (sizes >= _FIRST_VERTEX)
    counts = np.zeros(len(wkb), dtype=np.int64)
    if is_line.any():
        lines = wkb if is_line.all() else wkb.filter(pa.array(is_line))
        counts[is_line] = _numbers(pc.binary_slice(lines, _AFTER_TYPE, _FIRST_VERTEX), "<u4")
    return counts, sizes


def _numbers(parts: pa.Array, dtype: str) -> npt.NDArray[Any]:
    """Return the bytes of all rows, none of them null, as numbers; `parts` comes fresh from a kernel of Arrow."""
    size = np.dtype(dtype).itemsize
    total = pc.sum(pc.binary_length(parts)).as_py()
    return np.frombuffer(parts.buffers()[2], dtype=dtype, count=total // size)


def pack_plain_lines(wkb: pa.Array, srid: int) -> pa.Array:
    """Return the bytes of plain lines with the SRID put in; what other rows get is of no use."""
    head = b"\x01" + np.array([EWKB_LINE_2D, srid], dtype="<u4").tobytes()
    return pc.binary_join_element_wise(head, pc.binary_slice(wkb, _AFTER_TYPE, _TO_END), b"")
