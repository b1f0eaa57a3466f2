from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from registry.city import City, CityError, make_city
from registry.fields import fields

DELIVERIES = {
    "segments": "segments", "leaks": "leaks", "events": "events", "roads": "roads", "buildings": "buildings",
    "compounds": "compounds", "districts": "districts", "valves": "valves", "customers": "customers",
    "risers": "risers", "context": "context", "compound_programme": "projects", "road_programme": "projects",
    "surveys": "surveys",
}  # fmt: skip

FINGERPRINT = """
import hashlib, sys
from registry.city import make_city
city = make_city(600, 3)
for name in sorted(vars(city)):
    value = getattr(city, name)
    tables = value if name == "truth" else {name: value}
    if name != "parameters":
        for key in sorted(tables):
            sys.stdout.write(key + hashlib.sha256(tables[key].to_csv().encode()).hexdigest() + "\\n")
"""


def sound_segments(city: City) -> gpd.GeoDataFrame:
    faults = city.truth["faults"]
    rows = faults.loc[faults["file"] == "segments.gpkg", "row"] - 1
    return city.segments[~city.segments.index.isin(rows)]


@pytest.mark.parametrize("asked", [300, 1200, 5000])
def test_the_city_has_as_many_segments_as_asked(asked: int) -> None:
    assert abs(len(make_city(asked, 5).segments) - asked) <= 0.03 * asked


def test_a_larger_city_has_more_of_everything(town: City) -> None:
    smaller = make_city(1000, 11)
    for name in DELIVERIES:
        if name != "districts":
            assert len(getattr(smaller, name)) < len(getattr(town, name)), name
    assert len(smaller.districts) <= len(town.districts)


@pytest.mark.parametrize(("count", "seed"), [(10, 1), (1000, -1)])
def test_a_city_that_cannot_be_is_refused(count: int, seed: int) -> None:
    with pytest.raises(CityError) as caught:
        make_city(count, seed)
    assert caught.value.message("zh")


@pytest.mark.parametrize("name", list(DELIVERIES))
def test_every_heading_is_known_without_a_mapping(town: City, name: str) -> None:
    known = {alias for field in fields()[DELIVERIES[name]].values() for alias in (*field.aliases, field.label_zh)}
    assert set(getattr(town, name).columns) - {"geometry", "X", "Y"} <= known


def test_no_truth_is_handed_over(town: City) -> None:
    secret = {column for table in town.truth.values() for column in table.columns}
    for name in DELIVERIES:
        assert not secret & set(getattr(town, name).columns), name


def test_the_same_seed_gives_the_same_city_in_any_process(town: City) -> None:
    digests = []
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            text=True,
        )
        digests.append(run.stdout)
    assert len(digests[0].splitlines()) == 23
    assert digests[0] == digests[1]
    other = make_city(3000, 12)
    assert (
        hashlib.sha256(other.leaks.to_csv().encode()).digest() != hashlib.sha256(town.leaks.to_csv().encode()).digest()
    )


def test_pipes_that_meet_have_equal_ends_and_nearly_all_hang_together(town: City) -> None:
    segments = sound_segments(town)
    gas = segments[segments["介质"] != "热力"]
    lines = gas.geometry.to_numpy()
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(lines, at)) for at in (0, -1)])
    _, number = np.unique(ends, axis=0, return_inverse=True)
    start, end = number[: len(lines)], number[len(lines) :]
    size = int(number.max()) + 1
    _, part = connected_components(coo_array((np.ones(len(lines)), (start, end)), shape=(size, size)), directed=False)
    is_main = gas["管段类别"].str.startswith("市政").to_numpy()
    length = shapely.length(lines)
    largest = np.bincount(part[start[is_main]], weights=length[is_main]).argmax()
    joined = length[is_main & (part[start] == largest)].sum() / length[is_main].sum()
    assert joined > 0.93
    # courtyard pipes come from a main: no group of theirs stands alone (but for rows held back as faulty)
    with_main = np.unique(part[start[is_main]])
    assert np.isin(part[start[~is_main]], with_main).mean() > 0.97


def test_mains_lie_inside_their_street(town: City) -> None:
    segments = sound_segments(town)
    mains = segments[segments["管段类别"].str.startswith("市政") & segments["所在道路"].notna()]
    ground = {
        name: shapely.union_all(shapely.buffer(group.geometry.to_numpy(), group["路宽"].to_numpy() / 2))
        for name, group in town.roads.groupby("道路名称")
    }
    streets = np.array([ground[name] for name in mains["所在道路"]], dtype=object)
    inside = shapely.length(shapely.intersection(mains.geometry.to_numpy(), streets)) / mains.length.to_numpy()
    assert np.median(inside) == pytest.approx(1.0)
    assert (inside > 0.98).mean() > 0.97
    # and beside the centreline, not on it
    line = {name: shapely.union_all(group.geometry.to_numpy()) for name, group in town.roads.groupby("道路名称")}
    centre = np.array([line[name] for name in mains["所在道路"]], dtype=object)
    middle = shapely.line_interpolate_point(mains.geometry.to_numpy(), 0.5, normalized=True)
    assert np.median(shapely.distance(middle, centre)) > 1.5


def test_streets_have_one_name_and_compounds_distinct_names(town: City) -> None:
    assert town.compounds["小区名称"].is_unique
    assert town.compounds["小区编号"].is_unique
    # all pieces of one name have one class and width: it is one street
    by_name = town.roads.groupby("道路名称")
    assert by_name["路宽"].nunique().max() == 1
    assert by_name["道路等级"].nunique().max() == 1
    assert not town.roads["道路名称"].isna().any()


def test_districts_tile_the_city(town: City) -> None:
    shapes = town.districts.geometry
    assert 4 <= len(shapes) <= 12
    whole = shapely.union_all(shapes.to_numpy())
    assert whole.area == pytest.approx(shapes.area.sum(), rel=1e-6)
    assert shapely.within(shapely.centroid(town.compounds.geometry.to_numpy()), whole).mean() > 0.99


def test_buildings_stand_apart_and_inside_their_compound(town: City) -> None:
    assert town.buildings.is_valid.all()
    tree = shapely.STRtree(town.buildings.geometry.to_numpy())
    first, second = tree.query(town.buildings.geometry.to_numpy(), predicate="overlaps")
    assert (first != second).sum() <= 0.002 * len(town.buildings)
    homes = town.buildings.dropna(subset=["小区编号"])
    grounds = town.compounds.set_index("小区编号").loc[homes["小区编号"].to_numpy()].geometry.to_numpy()
    assert shapely.contains(grounds, shapely.centroid(homes.geometry.to_numpy())).mean() > 0.995
    totals = homes.groupby("小区编号")["户数"].sum()
    assert (town.compounds.set_index("小区编号")["户数"] == totals).all()


def test_nothing_but_faults_lies_after_the_as_of_day(town: City) -> None:
    as_of = "2026-11-01"
    faults = town.truth["faults"]
    late = set(town.leaks.loc[town.leaks["发现日期"] > as_of, "漏点编号"])
    assert late == set(faults.loc[faults["kind"] == "day_in_future", "object_id"])
    assert town.leaks["发现日期"].min() >= "2008-01-01"
    assert town.truth["segments"]["installed_year"].max() <= 2026
