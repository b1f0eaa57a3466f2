"""Stretches of lines against shapely's own, one by one."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.ops import substring

from registry.places.cutting import SHORTEST_M, cut_lines

POINT = st.tuples(st.integers(-50, 50), st.integers(-50, 50))
LINE = st.lists(POINT, min_size=2, max_size=6, unique=True).map(shapely.LineString)
MEASURE = st.floats(-20.0, 400.0)


@settings(max_examples=200)
@given(st.lists(st.tuples(LINE, MEASURE, MEASURE), min_size=1, max_size=5))
def test_a_stretch_is_what_shapely_cuts(cases: list[tuple[shapely.LineString, float, float]]) -> None:
    lines = np.array([line for line, _start, _end in cases], dtype=object)
    start, end = (np.array([case[at] for case in cases]) for at in (1, 2))
    for line, low, high, cut in zip(lines, start, end, cut_lines(lines, start, end), strict=True):
        low, high = sorted(np.clip((low, high), 0.0, line.length))
        if high - low < SHORTEST_M:
            assert cut is None
            continue
        wanted = substring(line, low, high)
        assert cut.length == pytest.approx(high - low, abs=1e-6)
        assert shapely.hausdorff_distance(cut, wanted) < 1e-6


def test_nothing_to_cut() -> None:
    assert len(cut_lines(np.array([], dtype=object), np.array([]), np.array([]))) == 0
