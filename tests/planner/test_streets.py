"""The street of a pipe: simple cases, laws, and the true lines of a real city."""

from __future__ import annotations

import hashlib
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pandas.testing import assert_frame_equal

from planner.policy import read_policy
from planner.streets import link_streets
from registry.errors import PlanningError
from registry.fields import check_frame
from tests.conftest import real_data
from tests.planner.frames import frame_of, line, segments_of

POLICY = read_policy()
REACH_M = POLICY.streets.reach_m.value


def roads_of(**shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    rows = [{"road_id": name, "name": f"{name} St", "geometry": shape} for name, shape in shapes.items()]
    return frame_of("roads", rows)


ELM = line((0, 0), (200, 0))
OAK = line((100, -100), (100, 100))


def test_a_pipe_lies_in_the_road_that_most_of_it_is_near_to() -> None:
    segments = segments_of(
        {"geometry": line((10, 4), (90, 4))},
        {"geometry": line((96, 10), (96, 90))},
        # turns the corner: 60 m along Elm, 20 m along Oak
        {"geometry": line((36, 4), (96, 4), (96, 24))},
    )
    links = link_streets(segments, roads_of(elm=ELM, oak=OAK), POLICY)
    check_frame(links, "street_links")
    assert links["road_id"].tolist() == ["elm", "oak", "elm"]
    assert links["street_name"].tolist() == ["elm St", "oak St", "elm St"]
    np.testing.assert_allclose(links["share"], [1.0, 1.0, 0.75])
    np.testing.assert_allclose(links["distance_m"][:2], [4.0, 4.0])
    # the corner is less sure than the straight pipes
    assert links["confidence"].iloc[2] < links["confidence"].iloc[:2].min()


def test_a_delivered_street_name_decides_between_near_roads() -> None:
    twin = line((0, 12), (200, 12))
    pipe = {"geometry": line((20, 5), (180, 5))}
    roads = roads_of(elm=ELM, ash=twin)
    for name, expected in ((None, "elm"), ("ash St", "ash"), ("elm St", "elm"), ("fir St", "elm")):
        links = link_streets(segments_of(pipe | {"street_name": name}), roads, POLICY)
        assert links["road_id"].tolist() == [expected], name


def test_no_road_within_reach_gives_no_row() -> None:
    segments = segments_of(
        {"geometry": line((0, REACH_M), (9, REACH_M))}, {"geometry": line((0, REACH_M + 0.1), (9, REACH_M + 0.1))}
    )
    assert link_streets(segments, roads_of(elm=ELM), POLICY)["segment_id"].tolist() == ["S0000"]
    assert link_streets(segments.iloc[:0], roads_of(elm=ELM), POLICY).empty
    assert link_streets(segments, roads_of(point=line((0, 0), (0, 0))), POLICY).empty


def test_equally_near_roads_are_doubtful_and_the_first_is_taken() -> None:
    roads = roads_of(elm=ELM, ash=line((0, 10), (200, 10)))
    links = link_streets(segments_of({"geometry": line((0, 5), (200, 5))}), roads, POLICY)
    assert links["road_id"].tolist() == ["elm"]
    odds = np.exp(POLICY.streets.intercept.value)
    np.testing.assert_allclose(links["confidence"], odds / (1 + odds))


def test_order_of_rows_and_direction_of_lines_do_not_matter(rng: np.random.Generator) -> None:
    starts = rng.uniform(0, 200, (40, 2))
    segments = segments_of(*({"geometry": line(tuple(a), tuple(a + rng.normal(0, 30, 2)))} for a in starts))
    roads = roads_of(**{f"R{n}": line(*map(tuple, rng.uniform(0, 200, (3, 2)))) for n in range(8)})
    links = link_streets(segments, roads, POLICY)
    backwards = segments.set_geometry(segments.geometry.reverse())
    other = link_streets(backwards.iloc[rng.permutation(40)], roads.iloc[rng.permutation(8)], POLICY)
    other = other.set_index("segment_id").loc[links["segment_id"]].reset_index()
    assert_frame_equal(links, other, rtol=1e-9)


def test_the_sums_equal_the_slow_way(rng: np.random.Generator) -> None:
    starts = rng.uniform(0, 150, (20, 2))
    segments = segments_of(*({"geometry": line(tuple(a), tuple(a + rng.normal(0, 25, 2)))} for a in starts))
    roads = roads_of(**{f"R{n}": line(*map(tuple, rng.uniform(0, 150, (3, 2)))) for n in range(5)})
    links = link_streets(segments, roads, POLICY)
    found = dict(zip(links["segment_id"], links["road_id"], strict=True))
    for name, shape in segments.geometry.items():
        parts = int(np.ceil(shape.length / 5.0))
        points = [shape.interpolate((n + 0.5) / parts, normalized=True) for n in range(parts)]
        score = {
            road: sum(1.0 / (1.0 + (point.distance(one) / POLICY.streets.scale_m.value) ** 2) for point in points)
            for road, one in roads.geometry.items()
            if one.distance(shape) <= REACH_M
        }
        best = max(score, key=lambda road: score[road])
        assert found[str(name)] == best


def test_different_coordinate_systems_are_refused() -> None:
    other = roads_of(elm=ELM).set_crs("EPSG:4548", allow_override=True)
    with pytest.raises(PlanningError, match="different coordinate systems"):
        link_streets(segments_of({}), other, POLICY)


def true_lines() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, pd.Series]:
    """Return the mains of Kitchener that are known as they lie, its roads, and the published road of each main."""
    folder = real_data("kitchener").parent
    pipes = gpd.read_parquet(real_data("kitchener_district_model") / "tidy" / "wn_pipe.parquet")
    mains = gpd.read_parquet(folder / "kitchener" / "tidy" / "mains_2023-05.parquet")
    streets = gpd.read_parquet(folder / "kitchener" / "tidy" / "roads_2025.parquet")
    streets["road_id"] = streets["roadsegmentid"].astype("str")
    roads = streets.set_index("road_id")[["street", "geometry"]].rename(columns={"street": "name"})
    published = mains.dropna(subset="roadsegmentid").set_index("watmainid")["roadsegmentid"].astype("int64")
    truth = published[published.astype("str").isin(roads.index)].astype("str")
    lines = pipes.assign(main=pd.to_numeric(pipes["asset_id"])).dissolve("main")[["geometry"]]
    lines = lines[lines.index.isin(truth.index)]
    index = pd.Index(lines.index.astype("str"), dtype="str", name="segment_id")
    truth = truth.loc[lines.index].set_axis(index)
    return lines.set_axis(index), roads, truth


@pytest.fixture(scope="module")
def judged() -> pd.DataFrame:
    segments, roads, truth = true_lines()
    links = link_streets(segments, roads, POLICY).set_index("segment_id").reindex(segments.index)
    links["is_right"] = links["road_id"] == truth
    # the figures of the policy were fitted on the even half
    digest: list[Any] = [hashlib.sha256(name.encode()).digest()[0] % 2 == 1 for name in links.index]
    return links.assign(is_test=digest, confidence=links["confidence"].fillna(0.0))


@pytest.mark.parametrize("is_test", [True, False])
def test_the_published_road_of_true_lines_is_found(judged: pd.DataFrame, is_test: bool) -> None:
    rows = judged[judged["is_test"] == is_test]
    assert len(rows) > 80
    assert rows["is_right"].mean() >= 0.83
    surer = rows.sort_values("confidence", ascending=False).iloc[: len(rows) // 2]
    assert surer["is_right"].mean() >= 0.95


def test_the_confidence_is_calibrated_on_the_half_it_was_not_fitted_on(judged: pd.DataFrame) -> None:
    rows = judged[judged["is_test"]]
    right = rows["is_right"].astype("float64")
    assert abs(rows["confidence"].mean() - right.mean()) < 0.05
    # better than saying the same of all
    assert ((rows["confidence"] - right) ** 2).mean() < 0.85 * ((right.mean() - right) ** 2).mean()
    for low, high in ((0.0, 0.9), (0.9, 1.0)):
        band = rows[(rows["confidence"] > low) & (rows["confidence"] <= high)]
        assert len(band) > 20
        assert abs(band["confidence"].mean() - band["is_right"].mean()) < 0.1
