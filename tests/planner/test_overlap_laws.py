"""Laws of overlaps on drawn cases: polygons with holes, corridors that cross themselves, everything touching."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from planner.clip import Engine, has_kernel, inside_lengths
from planner.extents import project_extents
from planner.overlap import find_overlaps
from planner.policy import read_policy
from tests.planner.frames import EAST, NORTH, frame_of, line, projects_of, segments_of

ENGINES = [
    "shapely",
    pytest.param("kernel", marks=pytest.mark.skipif(not has_kernel(), reason="numba is not installed")),
]
YEARS = range(2027, 2032)
POLICY = read_policy()
# whole numbers make shared vertices and edges common, the halves make ordinary crossings
places = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda at: (at[0] * 5.0, at[1] * 5.0 + at[0] * 0.5))


def is_usable(shape: shapely.LineString) -> bool:
    return bool(shape.is_simple and shape.length > 0)


def is_ground(shape: Any) -> bool:
    return shape.geom_type in {"Polygon", "MultiPolygon"} and not shape.is_empty


lines = st.lists(places, min_size=2, max_size=5).map(shapely.LineString).filter(is_usable)
boxes = st.tuples(places, st.integers(1, 8), st.integers(1, 8)).map(
    lambda it: shapely.box(*it[0], it[0][0] + 5.0 * it[1], it[0][1] + 5.0 * it[2])
)
# self-crossing on purpose
corridors = st.tuples(st.lists(places, min_size=2, max_size=5, unique=True), st.integers(1, 6)).map(
    lambda it: shapely.LineString(it[0]).buffer(it[1], quad_segs=8)
)
solids: st.SearchStrategy[Any] = st.one_of(
    boxes, corridors, st.lists(places, min_size=3, max_size=6, unique=True).map(shapely.Polygon)
)


def as_array(shapes: list[Any]) -> NDArray[Any]:
    made = np.empty(len(shapes), dtype=object)
    made[:] = shapes
    return made


def ground_of(parts: list[Any], holes: list[Any]) -> Any:
    """Unite parts and take holes out: a multipolygon with holes, where they do not swallow it."""
    return shapely.union_all(shapely.make_valid(as_array(parts))).difference(shapely.union_all(as_array(holes)))


areas: st.SearchStrategy[Any] = st.builds(
    ground_of, st.lists(solids, min_size=1, max_size=3), st.lists(boxes, max_size=2)
).filter(is_ground)


def total_m(some: list[Any], ground: list[Any], engine: Engine) -> NDArray[np.float64]:
    """Return the metres inside each area."""
    found = inside_lengths(as_array(some), as_array(ground), engine)
    return np.bincount(found.area, weights=found.length_m, minlength=len(ground)).astype("float64")


@pytest.mark.parametrize("engine", ENGINES)
@settings(deadline=None)  # the first case loads or compiles the kernel
@given(some=st.lists(lines, min_size=1, max_size=5), ground=st.lists(areas, min_size=1, max_size=4))
def test_each_pair_equals_the_intersection(some: list[Any], ground: list[Any], engine: Engine) -> None:
    found = inside_lengths(as_array(some), as_array(ground), engine)
    fast = dict(zip(zip(found.line.tolist(), found.area.tolist(), strict=True), found.length_m.tolist(), strict=True))
    for i, one in enumerate(some):
        for j, area in enumerate(ground):
            assert abs(fast.get((i, j), 0.0) - one.intersection(area).length) < 2e-6


@pytest.mark.parametrize("engine", ENGINES)
@settings(deadline=None)  # the first case loads or compiles the kernel
@given(one=lines, ground=st.lists(areas, min_size=1, max_size=3), share=st.floats(0.1, 0.9))
def test_cutting_a_line_leaves_the_totals(one: Any, ground: list[Any], share: float, engine: Engine) -> None:
    middle = one.interpolate(share, normalized=True)
    vertices = list(one.coords)
    passed = [shapely.LineString(vertices[: n + 1]).length if n else 0.0 for n in range(len(vertices))]
    at = share * one.length
    before = [vertex for vertex, m in zip(vertices, passed, strict=True) if m < at]
    after = [vertex for vertex, m in zip(vertices, passed, strict=True) if m >= at]
    halves = [shapely.LineString([*before, middle.coords[0]]), shapely.LineString([middle.coords[0], *after])]
    # the cut lies off the line by the rounding of its place, so a pipe along a boundary may leave it by that much
    ground = [area.buffer(1e-7) for area in ground]
    np.testing.assert_allclose(total_m([one], ground, engine), total_m(halves, ground, engine), atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
@settings(deadline=None)  # the first case loads or compiles the kernel
@given(some=st.lists(lines, min_size=1, max_size=4), ground=st.lists(areas, min_size=1, max_size=3), more=areas)
def test_growing_an_area_never_shrinks_its_overlap(
    some: list[Any], ground: list[Any], more: Any, engine: Engine
) -> None:
    grown = [area.union(more) for area in ground]
    assert (total_m(some, grown, engine) >= total_m(some, ground, engine) - 1e-5).all()


@pytest.mark.parametrize("engine", ENGINES)
@settings(deadline=None)  # the first case loads or compiles the kernel
@given(some=st.lists(lines, min_size=1, max_size=4), columns=st.integers(1, 6))
def test_shares_in_disjoint_areas_add_up_to_at_most_one(some: list[Any], columns: int, engine: Engine) -> None:
    # strips that keep a hand's breadth apart
    strips = [shapely.box(11.0 * n + 0.05, -10, 11.0 * n + 10.95, 90) for n in range(columns)]
    found = inside_lengths(as_array(some), as_array(strips), engine)
    shares = np.bincount(found.line, weights=found.length_m, minlength=len(some)) / shapely.length(as_array(some))
    assert (shares <= 1.0 + 1e-9).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pipe_along_every_kind_of_boundary_counts_as_inside(engine: Engine) -> None:
    """Outer ring, hole, the seam of two parts that touch in a point, and the edge of a corridor."""
    outer = shapely.box(0, 0, 100, 100).difference(shapely.box(40, 40, 60, 60))
    corner = shapely.MultiPolygon([shapely.box(200, 0, 220, 20), shapely.box(220, 20, 240, 40)])
    corridor = shapely.LineString([(300, 0), (400, 0)]).buffer(5, quad_segs=8)
    pipes = [
        shapely.LineString([(0, 10), (0, 90)]),
        shapely.LineString([(40, 40), (60, 40), (60, 60)]),
        shapely.LineString([(220, 0), (220, 40)]),
        shapely.LineString([(310, 5), (390, 5)]),
        # through the hole and back: only what is outside of it
        shapely.LineString([(50, 30), (50, 70)]),
    ]
    found = inside_lengths(as_array(pipes), as_array([outer, corner, corridor]), engine)
    assert list(zip(found.line, found.area, strict=True)) == [(0, 0), (1, 0), (2, 1), (3, 2), (4, 0)]
    np.testing.assert_allclose(found.length_m, [80.0, 40.0, 40.0, 80.0, 20.0], atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_corridor_that_crosses_itself_counts_once(engine: Engine) -> None:
    segments = segments_of({"geometry": line((50, -100), (50, 100))})
    loop = line((0, 0), (100, 0), (100, 60), (50, 60), (50, -60))
    pairs = find_overlaps(segments, projects_of({"geometry": loop, "half_width_m": 4.0}), YEARS, POLICY, engine=engine)
    # from 60 + 5 to the round end at -60 - 5, whatever crosses on the way
    np.testing.assert_allclose(pairs["overlap_m"], [130.0], atol=1e-6)


def paved(*shapes: tuple[str | None, shapely.Geometry]) -> gpd.GeoDataFrame:
    rows = [{"pavement_id": f"V{n}", "street_name": name, "geometry": one} for n, (name, one) in enumerate(shapes)]
    return frame_of("pavements", rows, ("street_name",))


def street_project(street: str | None) -> gpd.GeoDataFrame:
    projects = projects_of({"geometry": line((0, 0), (100, 0)), "half_width_m": 10.0})
    projects.insert(0, "street_name", pd.Series([street], projects.index, dtype="str"))
    return projects


def ground(x_min: float, y_min: float, x_max: float, y_max: float) -> shapely.Polygon:
    return shapely.box(EAST + x_min, NORTH + y_min, EAST + x_max, NORTH + y_max)


def test_a_corridor_follows_the_pavement_of_its_street_where_one_is_known() -> None:
    margin = POLICY.overlap.margin_m.value
    # paved to x = 60, on the left only to 4 m and on the right to 20 m; another street crosses
    pavements = paved(("Elm", ground(-500, -20, 60, 4)), ("Oak", ground(70, -50, 80, 50)), (None, ground(0, 0, 9, 99)))
    segments = segments_of({"geometry": line((30, -100), (30, 100))}, {"geometry": line((90, -100), (90, 100))})
    pairs = find_overlaps(segments, street_project("Elm"), YEARS, POLICY, pavements=pavements)
    np.testing.assert_allclose(pairs["overlap_m"], [24 + 2 * margin, 2 * (10 + margin)], atol=1e-9)
    for unknown in ("Ash", None):
        plain = find_overlaps(segments, street_project(unknown), YEARS, POLICY, pavements=pavements)
        np.testing.assert_allclose(plain["overlap_m"], [2 * (10 + margin)] * 2, atol=1e-9)


def test_pavement_far_down_the_street_is_no_part_of_the_project() -> None:
    pavements = paved(("Elm", ground(-500, -5, 600, 5)))
    extent = project_extents(street_project("Elm"), POLICY, pavements)
    reach = POLICY.overlap.pavement_reach_m.value + POLICY.overlap.margin_m.value
    assert extent.total_bounds[0] == pytest.approx(EAST - reach)
    assert extent.total_bounds[2] == pytest.approx(EAST + 100 + reach)
