from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray
from pandas.testing import assert_frame_equal
from shapely.ops import substring

from planner.clip import Engine, has_kernel, inside_lengths
from planner.extents import project_extents
from planner.overlap import find_overlaps
from planner.policy import read_policy
from registry.errors import PlanningError
from registry.fields import check_frame
from tests.planner.frames import EAST, NORTH, frame_of, line, projects_of, segments_of

YEARS = range(2027, 2032)
ENGINES = [
    "shapely",
    pytest.param("kernel", marks=pytest.mark.skipif(not has_kernel(), reason="numba is not installed")),
]
ORIGINS = [(0.0, 0.0), (5e5, 4.1e6)]


def box(x_min: float, y_min: float, x_max: float, y_max: float) -> shapely.Polygon:
    return shapely.box(EAST + x_min, NORTH + y_min, EAST + x_max, NORTH + y_max)


def slow_lengths(lines: NDArray[Any], areas: NDArray[Any]) -> dict[tuple[int, int], float]:
    found = {}
    for i, one in enumerate(lines):
        for j, area in enumerate(areas):
            length = one.intersection(area).length
            if length > 1e-6:
                found[i, j] = length
    return found


def check_against_slow(lines: NDArray[Any], areas: NDArray[Any], engine: Engine) -> None:
    slow = slow_lengths(lines, areas)
    fast = inside_lengths(lines, areas, engine)
    quick = dict(zip(zip(fast.line.tolist(), fast.area.tolist(), strict=True), fast.length_m.tolist(), strict=True))
    for pair in set(slow) | set(quick):
        assert abs(slow.get(pair, 0.0) - quick.get(pair, 0.0)) < 2e-6, pair


def random_areas(rng: np.random.Generator, count: int) -> list[shapely.Geometry]:
    shapes: list[shapely.Geometry] = []
    for number in range(count):
        middle = rng.uniform(0, 400, 2)
        angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 60))))
        radius = rng.uniform(20, 120) * rng.uniform(0.4, 1, len(angle))
        ring = np.column_stack([middle[0] + radius * np.cos(angle), middle[1] + radius * np.sin(angle)])
        star = shapely.make_valid(shapely.Polygon(ring))
        if number % 4 == 1:
            star = star.difference(shapely.Point(*middle).buffer(15))
        elif number % 4 == 2:
            star = shapely.union(star, shapely.box(*(middle + 150), *(middle + 200)))
        elif number % 4 == 3:
            walk = middle + np.cumsum(rng.normal(0, 40, (12, 2)), axis=0)
            star = shapely.LineString(walk).buffer(rng.uniform(3, 15), quad_segs=8)
        shapes.append(star)
    return [shape for shape in shapes if shapely.get_type_id(shape) in {3, 6} and not shapely.is_empty(shape)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("seed", range(4))
def test_lengths_equal_brute_force(engine: Engine, origin: tuple[float, float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    walks = rng.uniform(0, 400, (80, 1, 2)) + np.cumsum(rng.normal(0, 25, (80, 5, 2)), axis=1)
    lines = np.asarray(shapely.linestrings(walks + np.array(origin)))
    areas = shapely.transform(np.array(random_areas(rng, 24), dtype=object), lambda xy: xy + np.array(origin))
    check_against_slow(lines, areas, engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("seed", range(4))
def test_lengths_equal_brute_force_where_lines_and_boundaries_share_points(
    engine: Engine, origin: tuple[float, float], seed: int
) -> None:
    """On a coarse grid nearly every pair is degenerate: shared vertices, collinear edges, pipes on boundaries."""
    rng = np.random.default_rng(seed)
    walks = rng.integers(0, 9, (120, 4, 2)).astype(float) * 10
    lines = np.asarray(shapely.linestrings(walks + np.array(origin)))
    # the intersection drops a stretch that a line runs twice; such a line is a fault of the census
    lines = lines[shapely.is_simple(lines)]
    areas = []
    for _ in range(20):
        low = rng.integers(0, 7, 2) * 10.0
        block = shapely.box(*low, *(low + rng.integers(1, 4, 2) * 10.0))
        hole = shapely.box(*(low + 10), *(low + 20))
        areas.append(shapely.union(block.difference(hole), shapely.box(*(low + 30), *(low + 40))))
    usable = np.array([area for area in areas if area.geom_type in {"Polygon", "MultiPolygon"}], dtype=object)
    check_against_slow(lines, shapely.transform(usable, lambda xy: xy + np.array(origin)), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_more_crossings_than_any_fixed_buffer(engine: Engine) -> None:
    teeth = [(0.0, 0.0)]
    for number in range(400):
        teeth += [(number + 0.25, 10.0), (number + 0.75, -10.0)]
    comb = shapely.Polygon([*teeth, (401.0, -20.0), (0.0, -20.0)])
    lines = np.array([shapely.LineString([(-5, 0.5), (405, 0.6)]), shapely.LineString([(-5, -30), (405, -30)])])
    check_against_slow(lines, np.array([comb]), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pipe_on_the_boundary_counts_as_inside(engine: Engine) -> None:
    lines = np.array([line((0, 0), (100, 0)), line((0, -1e-3), (100, -1e-3)), line((100, 50), (140, 50))])
    areas = np.array([box(0, 0, 100, 100)])
    fast = inside_lengths(lines, areas, engine)
    assert fast.line.tolist() == [0]
    np.testing.assert_allclose(fast.length_m, [100.0])


@pytest.mark.parametrize("engine", ENGINES)
def test_missing_and_empty_geometries_overlap_nothing(engine: Engine) -> None:
    lines = np.array([None, shapely.LineString(), line((0, 0), (10, 0))], dtype=object)
    areas = np.array([shapely.Polygon(), box(-5, -5, 5, 5)], dtype=object)
    fast = inside_lengths(lines, areas, engine)
    assert (fast.line.tolist(), fast.area.tolist()) == ([2], [1])
    np.testing.assert_allclose(fast.length_m, [5.0])
    assert not len(inside_lengths(lines, np.array([shapely.Polygon()]), engine).line)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_lines_or_no_areas_overlap_nothing(engine: Engine) -> None:
    lines, areas = np.array([line((0, 0), (10, 0))]), np.array([box(-5, -5, 5, 5)])
    for some_lines, some_areas in ((lines, areas[:0]), (lines[:0], areas), (lines[:0], areas[:0])):
        found = inside_lengths(some_lines, some_areas, engine)
        assert found.line.size == found.area.size == found.length_m.size == 0


@pytest.mark.skipif(not has_kernel(), reason="numba is not installed")
def test_many_lines_and_pairs_are_worked_on_in_parts_and_come_back_in_order(rng: np.random.Generator) -> None:
    starts = rng.uniform(0, 3000, (20_000, 1, 2))
    lines = np.asarray(shapely.linestrings(np.hstack([starts, starts + rng.normal(0, 40, (20_000, 3, 2))])))
    road = shapely.LineString(rng.uniform(0, 3000, (6, 2)))
    areas = np.array([shapely.box(100, 100, 2900, 2900), road.buffer(30), shapely.box(0, 0, 900, 2000)], dtype=object)
    fast, slow = (inside_lengths(lines, areas, engine) for engine in ("kernel", "shapely"))
    # more than is done at once, of lines and of pairs
    assert len(fast.line) > 20_000
    np.testing.assert_array_equal(fast.line * len(areas) + fast.area, slow.line * len(areas) + slow.area)
    np.testing.assert_allclose(fast.length_m, slow.length_m, rtol=0, atol=1e-6)


def test_lines_in_parts_are_not_joined_up() -> None:
    parts = shapely.MultiLineString([[(0, 0), (10, 0)], [(30, 0), (40, 0)]])
    fast = inside_lengths(np.array([parts]), np.array([shapely.box(-5, -5, 50, 5)]), "kernel")
    np.testing.assert_allclose(fast.length_m, [20.0])


def random_ground(rng: np.random.Generator, count: int = 60) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    starts = rng.uniform(0, 300, (count, 2))
    segments = segments_of(
        *(
            {"geometry": line(tuple(a), tuple(a + rng.normal(0, 30, 2)), tuple(a + rng.normal(0, 60, 2)))}
            for a in starts
        )
    )
    roads = rng.uniform(0, 300, (8, 4, 2))
    rows: list[dict[str, Any]] = [{"geometry": line(*map(tuple, road))} for road in roads]
    rows += [{"geometry": box(0, 0, 120, 90), "kind": "old_residential"}]
    return segments, projects_of(*rows)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_frame_keeps_its_contract_and_leaves_its_arguments(engine: Engine, rng: np.random.Generator) -> None:
    segments, projects = random_ground(rng)
    before = segments.copy(), projects.copy()
    pairs = find_overlaps(segments, projects, YEARS, read_policy(), engine=engine)
    check_frame(pairs, "pairs")
    assert len(pairs) > 20
    assert_frame_equal(pd.DataFrame(segments), pd.DataFrame(before[0]))
    assert_frame_equal(pd.DataFrame(projects), pd.DataFrame(before[1]))


def test_both_engines_give_the_same_pairs(rng: np.random.Generator) -> None:
    if not has_kernel():
        pytest.skip("numba is not installed")
    segments, projects = random_ground(rng)
    by_engine = [find_overlaps(segments, projects, YEARS, read_policy(), engine=e) for e in ("kernel", "shapely")]
    assert_frame_equal(by_engine[0], by_engine[1], rtol=0, atol=1e-6)


def test_shuffling_rows_changes_only_their_order(rng: np.random.Generator) -> None:
    segments, projects = random_ground(rng)
    pairs = find_overlaps(segments, projects, YEARS, read_policy())
    shuffled = find_overlaps(
        segments.iloc[rng.permutation(len(segments))],
        projects.iloc[rng.permutation(len(projects))],
        YEARS,
        read_policy(),
    )
    keys = ["segment_id", "project_id"]
    assert_frame_equal(
        pairs.sort_values(keys, ignore_index=True), shuffled.sort_values(keys, ignore_index=True), rtol=0, atol=1e-9
    )


def test_cutting_segments_in_two_leaves_the_total(rng: np.random.Generator) -> None:
    segments, projects = random_ground(rng)
    halves = []
    for name, shape in segments.geometry.items():
        for part, (low, high) in enumerate([(0.0, 0.37), (0.37, 1.0)]):
            piece = substring(shapely.LineString(shapely.get_coordinates(shape)), low, high, normalized=True)
            halves.append({"segment_id": f"{name}-{part}", "geometry": piece})
    whole = find_overlaps(segments, projects, YEARS, read_policy()).groupby("project_id")["overlap_m"].sum()
    cut = find_overlaps(segments_of(*halves), projects, YEARS, read_policy()).groupby("project_id")["overlap_m"].sum()
    pd.testing.assert_series_equal(whole, cut, rtol=0, atol=1e-5)


def test_a_road_is_a_corridor_of_half_width_and_margin() -> None:
    segments = segments_of({"geometry": line((50, -100), (50, 100))})
    road = line((0, 0), (100, 0))
    projects = projects_of(
        {"geometry": road, "half_width_m": 7.0}, {"geometry": road}, {"geometry": road, "kind": "road_building"}
    )
    pairs = find_overlaps(segments, projects, YEARS, read_policy())
    # margin 1 m; default half widths 10 m for an overhaul and 15 m for a new road
    np.testing.assert_allclose(pairs["overlap_m"], [16.0, 22.0, 32.0], atol=1e-9)
    np.testing.assert_allclose(pairs["overlap_share"], [0.08, 0.11, 0.16], atol=1e-9)


def test_extents_are_valid_and_a_project_without_geometry_is_empty() -> None:
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    projects = projects_of({"geometry": bow_tie, "kind": "old_residential"}, {"geometry": None})
    extents = project_extents(projects, read_policy())
    assert extents.is_valid.all()
    assert extents.area.round(6).tolist() == [50.0, 0.0]


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "state", "expected"),
    [
        ("2028-03-01", "2029-02-01", "planned", (2028, 2029)),
        ("2020-01-01", "2026-12-31", "planned", None),
        ("2020-01-01", "2027-01-01", "planned", (2027, 2027)),
        ("2031-12-31", "2040-01-01", "planned", (2031, 2031)),
        ("2032-01-01", None, "planned", None),
        (None, "2029-06-30", "planned", (2027, 2029)),
        ("2030-06-30", None, "planned", (2030, 2031)),
        (None, None, None, (2027, 2031)),
        ("2028-03-01", "2029-02-01", "cancelled", None),
        ("2028-03-01", "2029-02-01", "done", None),
        ("2029-03-01", "2028-02-01", "planned", None),
    ],
)
def test_windows(
    starts_on: str | None, ends_on: str | None, state: str | None, expected: tuple[int, int] | None
) -> None:
    segments = segments_of({"geometry": line((0, 0), (10, 0))})
    projects = projects_of({"geometry": box(-1, -1, 11, 1), "starts_on": starts_on, "ends_on": ends_on, "state": state})
    pair = find_overlaps(segments, projects, YEARS, read_policy()).iloc[0]
    assert bool(pair["meets_years"]) == (expected is not None)
    if expected is None:
        assert pair[["first_year", "last_year"]].isna().all()
    else:
        assert (pair["first_year"], pair["last_year"]) == expected


def test_bad_arguments_are_refused() -> None:
    segments, projects = segments_of({}), projects_of({"geometry": line((0, 0), (1, 1))})
    with pytest.raises(PlanningError, match="no planning year"):
        find_overlaps(segments, projects, range(0), read_policy())
    with pytest.raises(PlanningError, match="different coordinate systems"):
        find_overlaps(segments, projects.set_crs("EPSG:4548", allow_override=True), YEARS, read_policy())


def test_no_projects_give_an_empty_frame_of_the_contract() -> None:
    none = frame_of("projects", [], ("name", "kind", "starts_on", "ends_on"))
    pairs = find_overlaps(segments_of({}), none, YEARS, read_policy())
    check_frame(pairs, "pairs")
    assert pairs.empty
