"""Lines that pass as bytes come out as they would through shapely, whatever stands among them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from registry.crs import parse_crs
from registry.intake.findings import Findings
from registry.intake.mapping import Mapping
from registry.intake.placed import Placed, plain_lines
from registry.intake.shapes import SHORTEST_M, Place, Settled, Source, place_shapes, shape_rows
from registry.kinds import kind_named

Points = list[tuple[float, float]]

SRID = 4549
PLACE = Place(kind_named("segments"), Mapping(), None, SRID, "census.gpkg")
THERE = Settled(parse_crs(f"EPSG:{SRID}"), is_swapped=False, is_working=True, notes=[])

odd = st.sampled_from([0.0, 1.0, 1e15, float("inf"), float("nan")])
east = st.floats(4e5, 6e5) | st.floats(0.0, 1e6) | odd
north = st.floats(3e6, 5e6) | st.floats(0.0, 1e7) | odd
# places of the working CRS, else nothing would ever pass as bytes
inside = st.tuples(st.floats(520_000, 560_000), st.floats(4_100_000, 4_160_000))
vertices = st.lists(inside, min_size=2, max_size=6) | st.lists(st.tuples(east, north), min_size=2, max_size=6)


def line_bytes(points: Sequence[Sequence[float]], order: str = "<", kind: int = 2) -> bytes:
    """Well-known binary of a line, written number by number."""
    numbers = [number for point in points for number in point]
    return struct.pack(f"{order}BII{len(numbers)}d", order == "<", kind, len(points), *numbers)


def big(points: Points) -> bytes:
    return line_bytes(points, ">")


def high(points: Points) -> bytes:
    return line_bytes([(*point, 3.0) for point in points], kind=1002)


def loop(points: Points) -> bytes:
    return line_bytes([*points, points[0]])


def multi(points: Points) -> bytes:
    return struct.pack("<BII", 1, 5, 1) + line_bytes(points)


def cut_off(points: Points) -> bytes:
    return line_bytes(points)[:-3]


FORMS: Final[list[Callable[[Points], bytes]]] = [line_bytes, big, high, loop, multi, cut_off]
OTHERS: Final[list[bytes | None]] = [
    None,
    b"",
    b"\x01",
    bytes(shapely.to_wkb(shapely.Point(1, 2))),
    bytes(shapely.to_wkb(shapely.box(0, 0, 9, 9))),
    bytes(shapely.to_wkb(shapely.LineString())),
    line_bytes([(540_000.0, 4_130_000.0), (540_000.0, 4_130_000.004)]),
    b"\x01\x02\x00\x00\x00\xff\xff\xff\xff",
]
delivered = st.lists(
    st.builds(lambda form, points: form(points), st.sampled_from(FORMS), vertices) | st.sampled_from(OTHERS), max_size=8
)


def codes(findings: Findings) -> list[tuple[int, str]]:
    table = findings.table()
    return list(zip(table["position"].tolist(), table["code"].tolist(), strict=True))


def through_shapely(wkb: Any, findings: Findings) -> Placed:
    every = np.ones(len(wkb), dtype=bool)
    return Placed.of(shape_rows(Source(wkb, None), every, THERE, PLACE, findings), SRID)


@given(delivered)
def test_bytes_and_shapely_agree(rows: list[bytes | None]) -> None:
    wkb = pa.array(rows, type=pa.binary())
    findings, expected_findings = Findings(len(rows)), Findings(len(rows))
    placed = place_shapes(Source(wkb, None), THERE, PLACE, findings)
    expected = through_shapely(wkb, expected_findings)
    assert placed.packed.to_pylist() == expected.packed.to_pylist()
    assert placed.heights.to_pylist() == expected.heights.to_pylist()
    assert codes(findings) == codes(expected_findings)


@given(st.lists(vertices, min_size=1, max_size=8), st.integers(0, 8))
def test_a_slice_of_a_longer_column_is_read_from_its_own_rows(lines: list[Points], at: int) -> None:
    for kind in (pa.binary(), pa.large_binary()):
        wkb = pa.chunked_array([pa.array([line_bytes(points) for points in lines], type=kind)])
        part = Source(wkb, None).part(min(at, len(lines) - 1), len(lines))
        placed = place_shapes(part, THERE, PLACE, Findings(len(part)))
        expected = through_shapely(part.bytes_of_rows(), Findings(len(part)))
        assert placed.packed.to_pylist() == expected.packed.to_pylist()


@pytest.mark.parametrize(
    ("points", "is_plain"),
    [
        ([(0.0, 0.0), (SHORTEST_M, 0.0)], True),
        ([(0.0, 0.0), (SHORTEST_M * 0.999, 0.0)], False),
        ([(0.0, 0.0), (50.0, 0.0), (0.0, 0.0)], False),
        ([(0.0, 0.0), (99.0, -99.0), (5.0, 5.0)], True),
        ([(0.0, 0.0), (101.0, 0.0), (5.0, 5.0)], False),
        ([(0.0, 0.0), (0.0, -101.0), (5.0, 5.0)], False),
        ([(0.0, 0.0), (float("nan"), 0.0), (5.0, 5.0)], False),
        ([(0.0, 0.0), (float("inf"), float("-inf")), (5.0, 5.0)], False),
    ],
)
def test_a_line_is_plain_where_its_ends_lie_apart_and_every_vertex_within_bounds(
    points: Points, is_plain: bool
) -> None:
    far = line_bytes([(1.0, 1.0), (9.0, 9.0)])
    rows = pa.array([far, line_bytes(points), far], type=pa.binary())
    assert plain_lines(rows, SHORTEST_M, (-100.0, -100.0, 100.0, 100.0)).tolist() == [True, is_plain, True]
