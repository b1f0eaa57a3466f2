"""Segments beside a project: near enough, no pair of it, in the same street or block or not."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pandas.testing import assert_frame_equal

from planner.extents import project_extents
from planner.neighbours import find_neighbours
from planner.overlap import find_overlaps
from planner.policy import read_policy
from registry.fields import check_frame
from tests.planner.frames import EAST, NORTH, frame_of, line, projects_of, segments_of

POLICY = read_policy()
REACH_M = POLICY.overlap.adjacent_m.value


def compound(*, street_name: str | None = None) -> gpd.GeoDataFrame:
    area = shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)
    rows = projects_of({"geometry": area, "kind": "old_residential"})
    rows.insert(0, "street_name", pd.Series([street_name], rows.index, dtype="str"))
    return rows


def roads_of(*shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return frame_of("roads", [{"road_id": f"R{n}", "geometry": shape} for n, shape in enumerate(shapes)])


def neighbours_of(segments: gpd.GeoDataFrame, projects: gpd.GeoDataFrame, **more: pd.DataFrame) -> pd.DataFrame:
    pairs = find_overlaps(segments, projects, range(2027, 2032), POLICY)
    found = find_neighbours(segments, projects, pairs, POLICY, **more)  # type: ignore[arg-type]
    check_frame(found, "neighbours")
    return found


def test_near_segments_without_shared_length_are_neighbours_up_to_the_reach() -> None:
    segments = segments_of(
        {"geometry": line((10, 50), (90, 50))},
        {"geometry": line((0, -5), (100, -5))},
        {"geometry": line((0, -REACH_M), (100, -REACH_M))},
        {"geometry": line((0, -REACH_M - 0.01), (100, -REACH_M - 0.01))},
        # touches the corner in a point
        {"geometry": line((100, 100), (120, 120))},
    )
    found = neighbours_of(segments, compound())
    assert found["segment_id"].tolist() == ["S0001", "S0002", "S0004"]
    np.testing.assert_allclose(found["distance_m"], [5.0, REACH_M, 0.0])
    assert found["is_same_block"].isna().all()


def test_pairs_and_neighbours_are_all_within_the_reach_and_never_the_same(rng: np.random.Generator) -> None:
    starts = rng.uniform(0, 300, (80, 2))
    segments = segments_of(*({"geometry": line(tuple(a), tuple(a + rng.normal(0, 20, 2)))} for a in starts))
    projects = projects_of(*({"geometry": line(*map(tuple, rng.uniform(0, 300, (3, 2))))} for _ in range(4)))
    pairs = find_overlaps(segments, projects, range(2027, 2032), POLICY)
    found = find_neighbours(segments, projects, pairs, POLICY)
    extents = project_extents(projects, POLICY)
    within = {
        (segment, project)
        for segment, one in segments.geometry.items()
        for project, extent in extents.items()
        if one.distance(extent) <= REACH_M
    }
    both = [set(zip(table["segment_id"], table["project_id"], strict=True)) for table in (pairs, found)]
    assert both[0] | both[1] == within
    assert not both[0] & both[1]
    assert len(both[1]) > 5
    shuffled = find_neighbours(segments.iloc[::-1], projects.iloc[::-1], pairs, POLICY)
    keys = ["segment_id", "project_id"]
    assert_frame_equal(found.sort_values(keys, ignore_index=True), shuffled.sort_values(keys, ignore_index=True))


def test_a_road_between_parts_the_blocks() -> None:
    segments = segments_of(
        {"geometry": line((0, -5), (100, -5))},
        {"geometry": line((0, -15), (100, -15))},
        # exactly under the centreline: nothing lies between
        {"geometry": line((0, -10), (100, -10))},
    )
    roads = roads_of(line((-50, -10), (150, -10)))
    found = neighbours_of(segments, compound(), roads=roads)
    assert found["is_same_block"].tolist() == [True, False, True]


def test_the_street_is_the_delivered_name_else_the_linked_one() -> None:
    segments = segments_of(
        {"geometry": line((0, -5), (100, -5)), "street_name": "Elm St"},
        {"geometry": line((0, -6), (100, -6)), "street_name": "Oak St"},
        {"geometry": line((0, -7), (100, -7))},
        {"geometry": line((0, -8), (100, -8))},
    )
    links = pd.DataFrame(
        {
            "segment_id": pd.Series(["S0001", "S0002"], dtype="str"),
            "road_id": pd.Series(["R1", "R1"], dtype="str"),
            "street_name": pd.Series(["Elm St", "Elm St"], dtype="str"),
            "confidence": 0.9,
            "share": 1.0,
            "distance_m": 2.0,
        }
    )
    named = neighbours_of(segments, compound(street_name="Elm St"), street_links=links)["is_same_street"]
    assert named.tolist() == [True, False, True, pd.NA]
    assert neighbours_of(segments, compound())["is_same_street"].isna().all()


def test_no_projects_have_no_neighbours() -> None:
    none = compound().iloc[:0]
    assert neighbours_of(segments_of({}), none, roads=roads_of(line((0, 0), (1, 1)))).empty
