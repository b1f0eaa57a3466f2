from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from maps.payload import Blob, add_day, add_geometry, add_listed, add_number, to_degrees
from registry.errors import DrawingError
from tests.maps.frames import CRS, EAST, NORTH, box, line


def decode(text: str) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """The plain, slow reader of the format: what maps/web/codec.js does."""
    whole = zlib.decompress(base64.b64decode(text))
    size = int.from_bytes(whole[:4], "little")
    header = json.loads(whole[4 : 4 + size])
    arrays: dict[str, list[int]] = {}
    offset = 4 + size
    for meta in header["arrays"]:
        values: list[int] = []
        running = 0
        for i in range(meta["length"]):
            value = sum(whole[offset + plane * meta["length"] + i] << (8 * plane) for plane in range(meta["planes"]))
            if meta["signed"]:
                value = -(value + 1) // 2 if value % 2 else value // 2
            running = running + value if meta["delta"] else value
            values.append(running)
        arrays[meta["name"]] = values
        offset += meta["planes"] * meta["length"]
    assert offset == len(whole)
    return header, arrays


@given(st.lists(st.integers(-(2**30) + 1, 2**30 - 1)), st.booleans())
def test_integers_come_back(values: list[int], is_delta: bool) -> None:
    blob = Blob()
    blob.add("numbers", np.array(values, dtype=np.int64), is_delta=is_delta)
    blob.add("after", np.array([7], dtype=np.int64))
    assert decode(blob.text())[1] == {"numbers": values, "after": [7]}


def test_number_too_large_for_four_bytes_is_refused() -> None:
    with pytest.raises(DrawingError, match="beyond"):
        Blob().add("numbers", np.array([2**32], dtype=np.int64))


@given(st.lists(st.one_of(st.none(), st.integers(-9999, 9999))))
def test_numbers_keep_zero_apart_from_missing(values: list[int | None]) -> None:
    blob = Blob()
    add_number(blob, "numbers", pd.Series(values, dtype="Int64"), 0)
    stored = decode(blob.text())[1]["numbers"]
    assert [None if one == 0 else one - 1 if one > 0 else one for one in stored] == values


def test_days_and_lists() -> None:
    blob = Blob()
    add_day(blob, "day", pd.Series(["1970-01-02", None, "1969-12-31"], dtype="datetime64[s]"))
    found = add_listed(blob, "word", pd.Series(["b", None, "a", "b"], dtype="str"))
    arrays = decode(blob.text())[1]
    assert arrays["day"] == [2, 0, -1]
    assert found == ["a", "b"]
    assert arrays["word"] == [2, 0, 1, 2]


def test_lines_come_back_within_a_decimetre() -> None:
    shapes = [line((0, 0), (10, 20), (30, 5)), shapely.MultiLineString([line((5, 5), (6, 6)), line((7, 7), (9, 8))])]
    blob = Blob()
    add_geometry(blob, gpd.GeoSeries(shapes, crs=CRS), "line")
    arrays = decode(blob.text())[1]
    assert arrays["parts"] == [1, 2]
    assert arrays["vertices"] == [3, 2, 2]
    back = gpd.GeoSeries(gpd.points_from_xy(np.array(arrays["lon"]) / 1e6, np.array(arrays["lat"]) / 1e6), crs=4326)
    metres = shapely.get_coordinates(back.to_crs(CRS).to_numpy())
    assert np.abs(metres - shapely.get_coordinates(shapes)).max() < 0.1


def test_polygons_keep_holes_and_parts() -> None:
    hole = shapely.get_coordinates(box(40, 40, 60, 60))
    ring = shapely.Polygon(shapely.get_coordinates(box(0, 0, 100, 100)), [hole])
    blob = Blob()
    add_geometry(
        blob, gpd.GeoSeries([shapely.MultiPolygon([ring, box(200, 0, 300, 50)]), box(0, 0, 1, 1)], crs=CRS), "polygon"
    )
    arrays = decode(blob.text())[1]
    assert arrays["parts"] == [3, 1]
    assert arrays["vertices"] == [5, 5, 5, 5]


def test_longitude_comes_first_and_lies_in_zhaoyuan() -> None:
    longitude, latitude = to_degrees(np.array([[EAST, NORTH]]), CRS)[0]
    assert 120.3 < longitude < 120.5
    assert 37.2 < latitude < 37.5


def test_wrong_shape_and_missing_crs_are_refused() -> None:
    with pytest.raises(DrawingError, match="shape"):
        add_geometry(Blob(), gpd.GeoSeries([box(0, 0, 1, 1)], crs=CRS), "line")
    with pytest.raises(DrawingError, match="coordinate reference"):
        add_geometry(Blob(), gpd.GeoSeries([line((0, 0), (1, 1))]), "line")


@pytest.mark.parametrize("east", [1e12, float("inf")])
def test_a_position_off_the_earth_is_refused_by_the_name_of_its_feature(east: float) -> None:
    shapes = [line((0, 0), (1, 1)), line((0, 0), (east, 1))]
    with pytest.raises(DrawingError, match="GAS-1 has a position"):
        add_geometry(Blob(), gpd.GeoSeries(shapes, index=["GAS-0", "GAS-1"], crs=CRS), "line")
