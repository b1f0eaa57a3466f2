"""Live pairs follow the registry: following equals computing in full, and saved plans stay as they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pandas.testing import assert_frame_equal

from planner.cli_live import follow_live_pairs, recompute_live_pairs
from planner.live import live_extents, live_pairs, reach_figures
from planner.overlap import find_overlaps
from planner.policy import read_policy
from planner.polylines import Polylines
from registry.frames import line_vertices
from registry.history.undo import undo_delivery
from registry.pairs import Network, Refreshed, read_live_pairs, read_network, refresh_live_pairs
from registry.store import Registry
from tests.conftest import TODAY
from tests.registry.deliveries import EAST, NORTH, segments, write

POLICY = read_policy()
CRS = "EPSG:4549"
STREETS = ("罗峰大街", "魁星路", "泉山路")
CORNER = np.array([EAST, NORTH])


def random_segments(rng: np.random.Generator, names: list[str]) -> gpd.GeoDataFrame:
    starts = rng.uniform(0, 600, (len(names), 1, 2)) + CORNER
    walks = np.hstack([starts, starts + np.cumsum(rng.normal(0, 30, (len(names), 3, 2)), axis=1)])
    return segments(len(names), 管段编号=names, geometry=shapely.linestrings(walks))


def random_projects(rng: np.random.Generator, names: list[str]) -> gpd.GeoDataFrame:
    shapes: list[Any] = []
    for number in range(len(names)):
        walk = rng.uniform(0, 600, (4, 2)) + CORNER
        line = shapely.LineString(walk)
        shapes.append(line if number % 3 else shapely.Polygon(walk).convex_hull)
    rows = {
        "道路名称": rng.choice(STREETS, len(names)),
        "工程编号": names,
        "工程名称": names,
        "工程类别": ["道路大修" if number % 2 else "老旧小区改造" for number in range(len(names))],
        "半宽": [None if number % 2 else 7.5 for number in range(len(names))],
    }
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=CRS)


def random_pavements(rng: np.random.Generator, names: list[str]) -> gpd.GeoDataFrame:
    """Strips and blocks of ground; those of a street may overlap, touch or lie apart."""
    corners = np.round(rng.uniform(0, 500, (len(names), 2)), -2) + CORNER
    sizes = rng.choice([30.0, 100.0, 300.0], (len(names), 2))
    shapes = [shapely.box(*corner, *(corner + size)) for corner, size in zip(corners, sizes, strict=True)]
    rows = {"路面编号": names, "道路名称": rng.choice(STREETS, len(names))}
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=CRS)


def shifted(census: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return census.set_geometry(census.geometry.translate(4.0, 3.0))


@pytest.fixture
def bring(registry: Registry, tmp_path: Path) -> Callable[[str, gpd.GeoDataFrame], str]:
    def deliver(kind: str, frame: gpd.GeoDataFrame) -> str:
        path = write(frame, tmp_path / f"{kind}-{len(list(tmp_path.iterdir()))}.gpkg")
        receipt = registry.import_file(kind, path, today=TODAY, is_accepted=True)
        assert receipt.held == 0
        return str(receipt.delivery_id)

    return deliver


def check_equal_to_full(registry: Registry) -> pd.DataFrame:
    """Compare what was followed with a full computation, and that with the frame that people see."""
    followed = read_live_pairs(registry)
    recompute_live_pairs(registry, POLICY, TODAY)
    full = read_live_pairs(registry)
    assert_frame_equal(followed, full, rtol=0, atol=1e-6)
    network = registry.frame("segments", ["geometry"], as_of=TODAY)
    works = registry.frame("projects", as_of=TODAY)
    ground = registry.frame("pavements", as_of=TODAY)
    paved = None if ground.empty else ground
    seen = find_overlaps(network, works, range(2027, 2028), POLICY, pavements=paved)
    seen = seen.sort_values(["project_id", "segment_id"], ignore_index=True)[list(full.columns)]
    assert_frame_equal(full, seen, rtol=0, atol=1e-6)
    return full


def test_following_equals_the_full_computation(
    registry: Registry, bring: Callable[[str, gpd.GeoDataFrame], str], rng: np.random.Generator
) -> None:
    names = [f"GAS-{number}" for number in range(40)]
    works = [f"P-{number}" for number in range(12)]
    census = random_segments(rng, names)
    bring("segments", census)
    bring("projects", random_projects(rng, works))
    # nothing to follow yet: all is computed
    assert follow_live_pairs(registry, POLICY, TODAY) is None
    assert len(check_equal_to_full(registry)) > 40
    done = follow_live_pairs(registry, POLICY, TODAY)
    assert done is not None
    assert done == Refreshed(0, 0, 0)

    # one project moves and one is new
    moved = bring("projects", random_projects(rng, ["P-3", "P-99"]))
    done = follow_live_pairs(registry, POLICY, TODAY)
    assert done is not None
    assert done == Refreshed(2, 0, 0)
    before = check_equal_to_full(registry)

    # segments move, and later projects and segments at once
    bring("segments", shifted(census.iloc[:5]))
    done = follow_live_pairs(registry, POLICY, TODAY)
    assert done is not None
    assert done.segment_count == 5
    assert not check_equal_to_full(registry).equals(before)
    fresh = random_segments(rng, ["GAS-100", "GAS-101"])
    bring("segments", gpd.GeoDataFrame(pd.concat([shifted(census.iloc[30:33]), fresh]), crs=CRS))
    bring("projects", random_projects(rng, works[:4]))
    follow_live_pairs(registry, POLICY, TODAY)
    check_equal_to_full(registry)

    # what is taken back is followed too
    undo_delivery(registry.connection, moved, "test", is_cascade=True)
    follow_live_pairs(registry, POLICY, TODAY)
    assert "P-99" not in set(check_equal_to_full(registry)["project_id"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pavements_are_followed_as_they_are_computed(
    registry: Registry, bring: Callable[[str, gpd.GeoDataFrame], str], seed: int
) -> None:
    """Whatever is delivered or taken back between, following finds the ground that a full computation finds."""
    rng = np.random.default_rng(seed)
    names, works, grounds = ([f"{kind}-{number}" for number in range(30)] for kind in ("GAS", "P", "LM"))
    bring("segments", random_segments(rng, names))
    bring("projects", random_projects(rng, works[:15]))
    recompute_live_pairs(registry, POLICY, TODAY)
    bare = read_live_pairs(registry)
    bring("pavements", random_pavements(rng, grounds[:12]))
    done = follow_live_pairs(registry, POLICY, TODAY)
    assert done is not None
    assert (done.segment_count, done.pavement_count) == (0, 12)
    assert not check_equal_to_full(registry).equals(bare)
    taken = bring("pavements", random_pavements(rng, grounds[12:15]))
    for _step in range(4):
        edits = {
            "segments": random_segments(rng, list(rng.choice(names, 2, replace=False))),
            "projects": random_projects(rng, list(rng.choice(works, 3, replace=False))),
            "pavements": random_pavements(rng, list(rng.choice(grounds[:12], 2, replace=False))),
        }
        for kind in rng.permutation(list(edits))[: rng.integers(1, 4)]:
            bring(kind, edits[kind])
        assert follow_live_pairs(registry, POLICY, TODAY) is not None
        check_equal_to_full(registry)
    undo_delivery(registry.connection, taken, "test", is_cascade=True)
    done = follow_live_pairs(registry, POLICY, TODAY)
    assert done is not None
    assert done.pavement_count == 3
    check_equal_to_full(registry)


def test_only_the_projects_of_its_street_are_computed_for_a_pavement(
    registry: Registry, bring: Callable[[str, gpd.GeoDataFrame], str], rng: np.random.Generator
) -> None:
    bring("segments", random_segments(rng, [f"GAS-{number}" for number in range(20)]))
    works = random_projects(rng, [f"P-{number}" for number in range(12)])
    bring("projects", works)
    bring("pavements", random_pavements(rng, ["LM-1"]).assign(道路名称=STREETS[0]))
    recompute_live_pairs(registry, POLICY, TODAY)
    before = works["道路名称"][works.geom_type == "LineString"]
    # a pavement that goes to another street concerns the projects of both
    for street, concerned in ((STREETS[0], STREETS[:1]), (STREETS[1], STREETS[:2])):
        bring("pavements", random_pavements(rng, ["LM-1"]).assign(道路名称=street))
        done = follow_live_pairs(registry, POLICY, TODAY)
        assert done == Refreshed(int(before.isin(concerned).sum()), 0, 1)
        check_equal_to_full(registry)


def test_another_day_or_width_is_computed_in_full(
    registry: Registry, bring: Callable[[str, gpd.GeoDataFrame], str], rng: np.random.Generator
) -> None:
    bring("segments", random_segments(rng, ["GAS-1", "GAS-2"]))
    recompute_live_pairs(registry, POLICY, TODAY)
    assert refresh_live_pairs(registry, TODAY, reach_figures(POLICY)) is not None
    assert refresh_live_pairs(registry, TODAY.replace(year=TODAY.year + 1), reach_figures(POLICY)) is None
    assert refresh_live_pairs(registry, TODAY, reach_figures(POLICY) | {"margin_m": 9.0}) is None


def test_the_pairs_of_a_saved_run_stay_as_they_were(
    registry: Registry, bring: Callable[[str, gpd.GeoDataFrame], str], rng: np.random.Generator
) -> None:
    bring("segments", random_segments(rng, [f"GAS-{number}" for number in range(20)]))
    bring("projects", random_projects(rng, ["P-0", "P-1", "P-2"]))
    recompute_live_pairs(registry, POLICY, TODAY)
    network, works = registry.frame("segments", as_of=TODAY), registry.frame("projects", as_of=TODAY)
    pairs = find_overlaps(network, works, range(2027, 2028), POLICY)
    registry.save_run("overlap", "meeting", {"pairs": pairs}, policy={}, summary={}, as_of=TODAY)
    saved = registry.load_run("overlap", "meeting").frames["pairs"]
    live = read_live_pairs(registry)
    bring("projects", random_projects(rng, ["P-0", "P-1"]))
    follow_live_pairs(registry, POLICY, TODAY)
    assert not read_live_pairs(registry).equals(live)
    assert_frame_equal(registry.load_run("overlap", "meeting").frames["pairs"], saved)


def test_coordinates_come_out_of_the_database_as_they_lie(
    registry: Registry, bring: Callable[[str, gpd.GeoDataFrame], str], rng: np.random.Generator
) -> None:
    bring("segments", random_segments(rng, [f"GAS-{number}" for number in range(10)]))
    network = read_network(registry, TODAY)
    frame = registry.frame("segments", ["geometry"], as_of=TODAY).loc[network.segment_ids]
    np.testing.assert_array_equal(network.vertices, shapely.get_coordinates(frame.geometry.array))
    np.testing.assert_array_equal(np.diff(network.start), shapely.get_num_coordinates(frame.geometry.array))


def pairs_of(network: Network, extents: gpd.GeoSeries) -> pd.DataFrame:
    pairs = live_pairs(network.segment_ids, Polylines(network.vertices, network.start), extents)
    return pairs.sort_values(["project_id", "segment_id"], ignore_index=True)


def test_segments_near_projects_give_the_pairs_of_all_segments(
    registry: Registry, bring: Callable[[str, gpd.GeoDataFrame], str], rng: np.random.Generator
) -> None:
    starts = rng.uniform(0, 3000, (500, 1, 2)) + CORNER
    walks = np.hstack([starts, starts + np.cumsum(rng.normal(0, 40, (500, 3, 2)), axis=1)])
    # pipes along a road just inside its corridor and just outside, where the box of the bare road does not reach
    road, aside = np.array([[500.0, 100.0], [1500.0, 100.0]]) + CORNER, np.array([0.0, 10.99])
    # and one under its pavement, farther away than the corridor of any project
    under = road - np.array([0.0, 19.0])
    beside = np.array([road + aside, road - aside, road + aside * 1.01, under])
    lines = np.concatenate([np.asarray(shapely.linestrings(some)) for some in (walks, beside)])
    bring("segments", segments(504, 管段编号=[f"GAS-{n}" for n in range(504)], geometry=lines))
    works = random_projects(rng, ["P-0", "P-1", "P-2", "P-3"])
    works.geometry = np.array([shapely.LineString(road), *works.geometry.array[1:]], dtype=object)
    works["工程类别"] = ["道路大修", "道路新建", "道路大修", "老旧小区改造"]
    bring(
        "projects",
        works.assign(半宽=[np.nan, np.nan, 7.5, np.nan], 道路名称=pd.array(["金城路", None, None, None], dtype="str")),
    )
    south = shapely.box(*(road[0] - [0, 18.5]), *road[1])
    paved = pd.DataFrame({"路面编号": ["LM-0"], "道路名称": ["金城路"]})
    bring("pavements", gpd.GeoDataFrame(paved, geometry=[south], crs=CRS))
    pavements = registry.frame("pavements", as_of=TODAY)
    extents = live_extents(registry.frame("projects", as_of=TODAY), POLICY, pavements)
    whole, near = read_network(registry, TODAY), read_network(registry, TODAY, reach_figures(POLICY))
    assert len(near.segment_ids) < len(whole.segment_ids)
    assert near.segment_ids.is_unique
    pairs = pairs_of(near, extents)
    under_road = set(pairs["segment_id"][pairs["project_id"] == "P-0"])
    assert under_road & {"GAS-500", "GAS-501", "GAS-502", "GAS-503"} == {"GAS-501", "GAS-503"}
    assert_frame_equal(pairs, pairs_of(whole, extents), rtol=0, atol=1e-9)


def test_where_projects_cover_the_ground_all_segments_are_read(
    registry: Registry, bring: Callable[[str, gpd.GeoDataFrame], str], rng: np.random.Generator
) -> None:
    bring("segments", random_segments(rng, [f"GAS-{number}" for number in range(20)]))
    # no project is near any segment, which is cheaper than asking for each
    assert not len(read_network(registry, TODAY, reach_figures(POLICY)).segment_ids)
    bring("projects", random_projects(rng, [f"P-{number}" for number in range(12)]))
    assert len(read_network(registry, TODAY, reach_figures(POLICY)).segment_ids) == 20


def test_filling_anew_leaves_the_indexes_as_they_were(
    registry: Registry, bring: Callable[[str, gpd.GeoDataFrame], str], rng: np.random.Generator
) -> None:
    def definitions() -> list[Any]:
        text = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'registry' AND tablename = 'live_pair' ORDER BY 1"
        return registry.connection.execute(text).fetchall()

    before = definitions()
    assert len(before) == 2
    bring("segments", random_segments(rng, ["GAS-1"]))
    recompute_live_pairs(registry, POLICY, TODAY)
    assert definitions() == before


@pytest.mark.parametrize("srid", [0, 4549])
def test_any_well_known_binary_gives_its_vertices(srid: int) -> None:
    import pyarrow as pa

    lines: list[Any] = [shapely.LineString([(0, 1), (2, 3)]), shapely.LineString([(4, 5), (6, 7), (8, 9)])]
    for shapes in (lines, [*lines, None], [lines[0], shapely.LineString()], [shapely.Point(0, 1)], []):
        array = np.array(shapes, dtype=object)
        wkb = shapely.to_wkb(shapely.set_srid(array, srid), include_srid=srid > 0)
        column = pa.chunked_array([pa.array(wkb, type=pa.binary())[1:], pa.array(wkb, type=pa.binary())])
        vertices, start = line_vertices(column)
        both = np.concatenate([array[1:], array])
        np.testing.assert_array_equal(vertices, shapely.get_coordinates(both))
        np.testing.assert_array_equal(np.diff(start), shapely.get_num_coordinates(both))
