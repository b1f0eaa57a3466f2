"""Places near lines: the closed form equals a sum over small steps, and the compiled search equals shapely."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from planner.near import find_near
from planner.scatter import piece_nearness
from tests.planner.frames import EAST, NORTH

Shapes = NDArray[Any]
# halves, so that places lie on vertices, on lines and exactly at the radius
halves = st.integers(-40, 40).map(lambda number: number / 2)
spots = st.tuples(halves, halves)
wide = st.tuples(st.floats(-30, 30), st.floats(-30, 30))
courses = st.lists(st.one_of(spots, wide), min_size=2, max_size=5)


def shapes_of(makes: Any, rows: list[Any]) -> Shapes:
    origin = np.array([EAST, NORTH])
    at = [makes(np.asarray(row, dtype="float64") + origin) for row in rows]
    return np.array([*at, None], dtype=object)


@pytest.mark.parametrize("aside", [0.0, 0.7, 25.0])
@pytest.mark.parametrize(("begin", "end"), [(-3.0, 8.0), (2.0, 60.0), (-400.0, -390.0), (1.0, 1.0)])
@pytest.mark.parametrize("scatter", [0.5, 12.0])
def test_nearness_is_the_integral_of_the_scatter(aside: float, begin: float, end: float, scatter: float) -> None:
    step = np.linspace(begin, end, 200_001)
    density = (1 + (aside**2 + step**2) / (2 * scatter**2)) ** -2 / (2 * np.pi * scatter**2)
    one = [np.array([number]) for number in (aside, begin, end, scatter)]
    np.testing.assert_allclose(piece_nearness(*one), np.trapezoid(density, step), rtol=1e-6, atol=1e-15)


def test_reports_scatter_over_the_plane_with_mass_one() -> None:
    """Lines a step apart over the whole plane catch every report once."""
    aside = np.arange(-4000, 4000, 0.25)
    far = np.full(len(aside), 1e7)
    caught = piece_nearness(np.abs(aside), -far, far, np.full(len(aside), 2.0)).sum() * 0.25
    assert caught == pytest.approx(1.0, abs=1e-5)


@settings(deadline=None)  # the first call compiles
@given(
    places=st.lists(st.one_of(spots, wide), max_size=6),
    lines=st.lists(courses, max_size=6),
    radius=st.sampled_from([0.5, 5.0, 12.5]),
    scatter=st.sampled_from([0.3, 4.0]),
)
def test_the_kernel_finds_what_shapely_finds(
    places: list[Any], lines: list[Any], radius: float, scatter: float
) -> None:
    pytest.importorskip("numba")
    points, courses = shapes_of(shapely.Point, places), shapes_of(shapely.LineString, lines)
    # every second place has a longer reach
    reach = np.where(np.arange(len(points)) % 2 == 0, radius, 2 * radius)
    scatters = np.full(len(points), scatter)
    slow = find_near(points, courses, reach, scatters, engine="shapely")
    fast = find_near(points, courses, reach, scatters, engine="kernel")
    assert fast.place.tolist() == slow.place.tolist()
    assert fast.line.tolist() == slow.line.tolist()
    np.testing.assert_allclose(fast.distance_m, slow.distance_m, atol=1e-8)
    np.testing.assert_allclose(fast.nearness_per_m, slow.nearness_per_m, rtol=1e-6, atol=1e-12)
    # where two pieces are equally near, either measure is right
    at = shapely.line_interpolate_point(courses[fast.line], fast.measure_m)
    np.testing.assert_allclose(shapely.distance(at, points[fast.place]), slow.distance_m, atol=1e-6)


@given(places=st.lists(spots, min_size=1, max_size=5), lines=st.lists(courses, max_size=5))
def test_the_search_finds_every_line_within_reach(places: list[Any], lines: list[Any]) -> None:
    points, courses = shapes_of(shapely.Point, places), shapes_of(shapely.LineString, lines)
    near = find_near(points, courses, np.full(len(points), 5.0), np.ones(len(points)))
    found = list(zip(near.place.tolist(), near.line.tolist(), strict=True))
    assert found == [
        (place, line)
        for place, point in enumerate(points[:-1])
        for line, course in enumerate(courses[:-1])
        if point.distance(course) <= 5.0
    ]


def test_a_line_in_two_parts_goes_to_shapely_whatever_is_asked() -> None:
    line = shapely.MultiLineString([[(0, 0), (1, 0)], [(5, 0), (6, 0)]])
    places = np.array([shapely.Point(5, 2)], dtype=object)
    near = find_near(places, np.array([line], dtype=object), np.array([3.0]), np.array([1.0]), engine="kernel")
    assert near.distance_m.tolist() == [2.0]
    # the gap is no pipe
    gapless = shapely.LineString([(0, 0), (6, 0)])
    whole = find_near(places, np.array([gapless], dtype=object), np.array([3.0]), np.array([1.0]))
    assert near.nearness_per_m[0] < whole.nearness_per_m[0]
