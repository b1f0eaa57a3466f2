"""How a pipe runs against the centreline of a project, on which side, and what share of the project it is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from planner.clip import Engine, has_kernel, inside_lengths
from planner.course import Axes, measure_courses, project_axes
from planner.overlap import find_overlaps
from planner.policy import read_policy
from planner.polylines import Polylines
from tests.planner.frames import EAST, NORTH, line, projects_of, segments_of

YEARS = range(2027, 2032)
ENGINES = [
    "shapely",
    pytest.param("kernel", marks=pytest.mark.skipif(not has_kernel(), reason="numba is not installed")),
]
# a road to the east, and the same to the north: the compiled kernel turns wide areas
ROADS = {"east": (0, 1), "north": (1, 0)}


def placed(points: list[tuple[float, float]], heading: str) -> shapely.LineString:
    """Lay points given as (along the road, left of the road)."""
    if heading == "east":
        return line(*points)
    return line(*[(-left, along) for along, left in points])


def course_of(points: list[tuple[float, float]], heading: str, engine: Engine) -> tuple[str, str]:
    segments = segments_of({"geometry": placed(points, heading)})
    projects = projects_of({"geometry": placed([(0, 0), (60, 0), (100, 0)], heading), "half_width_m": 9.0})
    pair = find_overlaps(segments, projects, YEARS, read_policy(), engine=engine).iloc[0]
    return pair["course"], pair["side"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("heading", ["east", "north"])
@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(10, 5), (90, 5)], ("parallel", "left")),
        ([(10, -5), (90, -5)], ("parallel", "right")),
        ([(90, -5), (10, -5)], ("parallel", "right")),
        ([(10, 0.5), (90, -0.9)], ("parallel", "centre")),
        ([(10, 3), (90, -3)], ("parallel", "both")),
        ([(50, -40), (50, 40)], ("crossing", "both")),
        ([(50, 2), (50, 40)], ("crossing", "left")),
        ([(50, -0.5), (50, -40)], ("crossing", "right")),
        # 29 and 31 degrees against the road
        ([(20, 1), (20 + 8, 1 + 8 * np.tan(np.radians(29)))], ("parallel", "left")),
        ([(20, 1), (20 + 8, 1 + 8 * np.tan(np.radians(31)))], ("crossing", "left")),
        # more of it runs across than along, and then the other way round
        ([(50, -9), (50, 9), (62, 9)], ("crossing", "both")),
        ([(50, -9), (50, 9), (74, 9)], ("parallel", "both")),
        # beyond the end of the centreline the side is that of its last piece prolonged
        ([(101, 3), (106, 3)], ("parallel", "left")),
    ],
)
def test_course_and_side(
    points: list[tuple[float, float]], expected: tuple[str, str], heading: str, engine: Engine
) -> None:
    assert course_of(points, heading, engine) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_a_project_drawn_as_an_area_has_no_sides(engine: Engine) -> None:
    segments = segments_of({"geometry": line((0, 0), (50, 0))})
    area = shapely.box(EAST - 1, NORTH - 1, EAST + 20, NORTH + 1)
    pair = find_overlaps(segments, projects_of({"geometry": area}), YEARS, read_policy(), engine=engine).iloc[0]
    assert pair["course"] == "inside"
    assert pd.isna(pair["side"])
    assert pair["distance_m"] == 0.0


def test_only_the_part_inside_the_corridor_decides() -> None:
    """A long pipe that runs along elsewhere and across here crosses."""
    segments = segments_of({"geometry": line((50, -8), (50, 100), (400, 100))})
    projects = projects_of({"geometry": line((0, 0), (100, 0)), "half_width_m": 9.0})
    assert find_overlaps(segments, projects, YEARS, read_policy())["course"].tolist() == ["crossing"]


def test_the_centreline_of_a_road_in_parts_is_all_its_parts() -> None:
    parts = shapely.MultiLineString(
        [[(EAST, NORTH), (EAST + 100, NORTH)], [(EAST + 200, NORTH), (EAST + 200, NORTH + 100)]]
    )
    segments = segments_of({"geometry": line((10, 4), (90, 4))}, {"geometry": line((204, 10), (204, 90))})
    pairs = find_overlaps(segments, projects_of({"geometry": parts}), YEARS, read_policy())
    assert pairs["side"].tolist() == ["left", "right"]
    assert pairs["course"].tolist() == ["parallel", "parallel"]


def test_the_share_of_the_project_adds_up_to_one(rng: np.random.Generator) -> None:
    starts = rng.uniform(0, 200, (40, 2))
    segments = segments_of(*({"geometry": line(tuple(a), tuple(a + rng.normal(0, 40, 2)))} for a in starts))
    projects = projects_of(*({"geometry": line(*map(tuple, rng.uniform(0, 200, (3, 2))))} for _ in range(5)))
    pairs = find_overlaps(segments, projects, YEARS, read_policy())
    np.testing.assert_allclose(pairs.groupby("project_id")["project_share"].sum(), 1.0)
    totals = pairs.groupby("project_id")["overlap_m"].transform("sum")
    np.testing.assert_allclose(pairs["project_share"] * totals, pairs["overlap_m"])


def slow_course(inner: shapely.Geometry, axis: Any) -> tuple[float, float, float]:
    """Go stretch by stretch and piece by piece."""
    along_m, offsets = 0.0, []
    pieces = [np.array(piece) for piece in pairwise(axis.coords)]

    def beside(point: Any) -> tuple[float, Any]:
        def key(piece: Any) -> tuple[float, float]:
            return round(shapely.LineString(piece).distance(shapely.Point(point)), 7), -abs(offset(piece))

        def offset(piece: Any) -> float:
            (ax, ay), (to_x, to_y) = piece[1] - piece[0], point - piece[0]
            return float((ax * to_y - ay * to_x) / np.hypot(ax, ay))

        nearest = min(pieces, key=key)
        return offset(nearest), nearest

    for part in shapely.get_parts(inner):
        if part.geom_type != "LineString":
            continue
        points = np.array(part.coords)
        for begin, end in pairwise(points):
            _, piece = beside((begin + end) / 2)
            length = float(np.hypot(*(end - begin)))
            cosine = abs(np.dot(end - begin, piece[1] - piece[0])) / (length * np.hypot(*(piece[1] - piece[0])))
            along_m += length if cosine >= np.cos(np.radians(30)) else 0.0
            offsets += [beside(begin)[0], beside(end)[0]]
    return along_m, min(offsets), max(offsets)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(5))
def test_courses_equal_the_slow_way(engine: Engine, seed: int) -> None:
    rng = np.random.default_rng(seed)
    walks = rng.uniform(0, 200, (200, 1, 2)) + np.cumsum(rng.normal(0, 15, (200, 4, 2)), axis=1)
    lines: NDArray[Any] = np.asarray(shapely.linestrings(walks))
    # the intersection cuts a line where it crosses itself, and a stretch in two has two middles
    lines = lines[shapely.is_simple(lines)]
    axis = np.asarray(shapely.linestrings(rng.uniform(0, 200, (8, 1, 2)) + np.cumsum(rng.normal(0, 40, (8, 4, 2)), 1)))
    areas = np.asarray(shapely.buffer(axis, 8.0, quad_segs=8))
    found = inside_lengths(lines, areas, engine, project_axes(gpd.GeoDataFrame(geometry=axis)))
    assert len(found.line) > 30
    inner = shapely.intersection(lines[found.line], areas[found.area])
    for row, j in enumerate(found.area):
        expected = slow_course(inner[row], axis[j])
        np.testing.assert_allclose(found.course[row], expected, atol=1e-5)


def test_a_pair_without_centreline_has_no_offsets() -> None:
    axes = Axes(np.array([[0.0, 0.0, 10.0, 0.0]]), np.array([0, 0, 1]))
    stretches = np.array([[0.0, 1.0, 5.0, 1.0], [0.0, 2.0, 5.0, 2.0]])
    courses = measure_courses(stretches, np.array([0, 1]), np.array([0, 1]), axes)
    np.testing.assert_allclose(courses, [[0.0, np.nan, np.nan], [5.0, 2.0, 2.0]])


@given(st.lists(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=2, max_size=5), max_size=6))
def test_polylines_give_the_lines_they_were_made_of(points: list[list[tuple[int, int]]]) -> None:
    lines = np.array([None, *[shapely.LineString(one) for one in points]], dtype=object)
    runs = Polylines.of(lines)
    assert runs is not None
    assert len(runs) == len(lines)
    assert runs.shapes().tolist() == lines.tolist()
    backwards = np.arange(len(lines))[::-1]
    assert runs.shapes(backwards).tolist() == lines[::-1].tolist()
    assert runs[1:].shapes().tolist() == lines[1:].tolist()
    np.testing.assert_allclose(runs.lengths(backwards), np.nan_to_num(shapely.length(lines[::-1])), atol=1e-9)


@pytest.mark.parametrize(
    "stranger", [shapely.from_wkt("MULTILINESTRING ((0 0, 1 0), (2 0, 3 0))"), shapely.Point(0, 0)]
)
def test_polylines_have_one_part_each(stranger: shapely.Geometry) -> None:
    assert Polylines.of(np.array([shapely.LineString([(0, 0), (1, 0)]), stranger], dtype=object)) is None
