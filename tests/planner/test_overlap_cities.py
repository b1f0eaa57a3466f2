"""Overlaps on the ground of real cities: Cambridge streets by districts, Kaohsiung gas lines by villages.

Districts share their borders, and the districts and neighbourhoods of Cambridge also overlap by slivers, as real
ground does. The data lie outside the repository; without them these tests are skipped.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray

from planner.clip import Engine
from planner.overlap import find_overlaps
from planner.policy import read_policy
from tests.conftest import real_data
from tests.planner.frames import projects_of, segments_of
from tests.planner.test_overlap_laws import ENGINES

pytestmark = pytest.mark.real_data
YEARS = range(2027, 2032)
POLICY = read_policy()
AGREE_M = 1e-6
CITIES = ("cambridge districts", "cambridge neighbourhoods", "kaohsiung villages")
Grid = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """Lines and areas of a city in metres."""

    lines: NDArray[Any]
    areas: NDArray[Any]

    @cached_property
    def inside_m(self) -> Grid:
        """What GEOS says of every pair."""
        return shapely.length(shapely.intersection(self.lines[:, None], self.areas[None, :]))

    @cached_property
    def outside_m(self) -> Grid:
        """Metres of each line outside of all areas."""
        covered = shapely.intersection(self.lines, shapely.union_all(self.areas))
        return shapely.length(self.lines) - shapely.length(covered)

    @cached_property
    def twice_m(self) -> Grid:
        """Metres of each line in what two areas both claim: slivers and the borders themselves."""
        one, other = np.triu_indices(len(self.areas), 1)
        twice = shapely.intersection(self.areas[one], self.areas[other])
        twice = twice[~shapely.is_empty(twice)]
        part, line = shapely.STRtree(self.lines).query(twice, predicate="intersects")
        common = shapely.length(shapely.intersection(self.lines[line], twice[part]))
        return np.bincount(line, weights=common, minlength=len(self.lines)).astype("float64")

    @cached_property
    def borders(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The lines that are vertex for vertex on the rings of two areas, and these two."""
        edges: defaultdict[tuple[tuple[float, ...], ...], set[int]] = defaultdict(set)
        for number, area in enumerate(self.areas):
            for ring in (area.exterior, *area.interiors):
                for edge in pairwise(ring.coords):
                    edges[tuple(sorted(edge))].add(number)
        shared: defaultdict[tuple[int, ...], list[Any]] = defaultdict(list)
        for corners, owners in edges.items():
            if len(owners) == 2:
                shared[tuple(sorted(owners))].append(corners)
        merged = [shapely.line_merge(shapely.MultiLineString(some)) for some in shared.values()]
        parts, of = shapely.get_parts(merged, return_index=True)
        return parts, np.array(list(shared), dtype=np.int64)[of]


def read_ground(city: str) -> Ground:
    """Read a city in its metric coordinate system; a street of several parts is one line for each."""
    if city == "kaohsiung villages":
        lines = gpd.read_file(real_data("kaohsiung_gas", "raw", "kh_ng_pipelines_twd97.geojson"))
        areas = gpd.read_parquet(real_data("kaohsiung_gas", "tidy", "affected_villages.parquet"))
    else:
        name = "residential_districts_fy2026" if city.endswith("districts") else "neighborhoods"
        streets = gpd.read_parquet(real_data("cambridge_ma", "tidy", "street_centerlines.parquet"))
        lines = streets.to_crs("EPSG:26986").explode(ignore_index=True)
        areas = gpd.read_parquet(real_data("cambridge_ma", "tidy", f"{name}.parquet")).to_crs("EPSG:26986")
    assert lines.crs == areas.crs
    return Ground(np.asarray(lines.geometry.array), np.asarray(areas.geometry.array))


@pytest.fixture(scope="module", params=CITIES)
def ground(request: pytest.FixtureRequest) -> Ground:
    return read_ground(request.param)


def metres(lines: NDArray[Any], areas: NDArray[Any], engine: Engine) -> tuple[Grid, Grid]:
    """Return metres and share of every line inside every area, as `find_overlaps` tells them of compounds."""
    segments = segments_of(*[{"geometry": line} for line in lines])
    projects = projects_of(*[{"geometry": area, "kind": "old_residential"} for area in areas])
    pairs = find_overlaps(segments, projects, YEARS, POLICY, engine=engine)
    at = (
        segments.index.get_indexer(pd.Index(pairs["segment_id"])),
        projects.index.get_indexer(pd.Index(pairs["project_id"])),
    )
    length_m, share = np.zeros((len(lines), len(areas))), np.zeros((len(lines), len(areas)))
    length_m[at], share[at] = pairs["overlap_m"], pairs["overlap_share"]
    assert np.count_nonzero(length_m) == len(pairs) > 0
    return length_m, share


@pytest.mark.parametrize("engine", ENGINES)
def test_every_pair_equals_geos_and_nothing_is_lost(ground: Ground, engine: Engine) -> None:
    found, share = metres(ground.lines, ground.areas, engine)
    assert np.abs(found - ground.inside_m).max() <= AGREE_M
    line_m = shapely.length(ground.lines)
    np.testing.assert_allclose(share, found / line_m[:, None], atol=1e-9)
    # the shares add up to the whole line, less what lies outside of all, and more by what two areas both claim
    np.testing.assert_allclose(found.sum(axis=1), line_m - ground.outside_m + ground.twice_m, atol=AGREE_M)
    # of those that lie within the city and are claimed once, nothing is missing
    plain = (ground.twice_m == 0) & (ground.outside_m < AGREE_M)
    assert plain.sum() > 150
    np.testing.assert_allclose(share[plain].sum(axis=1), 1.0, atol=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pipe_along_a_border_counts_as_inside_both_sides(ground: Ground, engine: Engine) -> None:
    borders, owners = ground.borders
    assert len(borders) > 20
    found, share = metres(borders, ground.areas, engine)
    both = np.arange(len(borders))[:, None], owners
    length_m = np.broadcast_to(shapely.length(borders)[:, None], owners.shape)
    np.testing.assert_allclose(found[both], length_m, atol=AGREE_M)
    np.testing.assert_allclose(share[both], 1.0, atol=1e-9)
