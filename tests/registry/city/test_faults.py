from __future__ import annotations

import pandas as pd
import pytest
import shapely

from registry.city import City, make_city
from registry.fields import value_list


def rows_of(city: City, kind: str) -> set[int]:
    faults = city.truth["faults"]
    return set(faults.loc[(faults["file"] == "segments.gpkg") & (faults["kind"] == kind), "row"] - 1)


def found(mask: pd.Series) -> set[int]:
    return set(mask.index[mask])


@pytest.fixture(scope="module", params=[2, 9])
def city(request: pytest.FixtureRequest) -> City:
    return make_city(4000, request.param)


def test_every_listed_fault_is_there_and_no_other(city: City) -> None:
    segments = city.segments
    shapes = segments.geometry.to_numpy()
    is_missing, is_empty = (pd.Series(test(shapes)) for test in (shapely.is_missing, shapely.is_empty))
    length = pd.Series(shapely.length(shapes))
    known = {word for entry in value_list("material").values() for word in (entry.label_zh, *entry.aliases)}
    material = segments["管材"]
    assert found(material.notna() & ~material.isin(known)) == rows_of(city, "material_misspelt")
    # of each pair with one id, the later row is the fault
    assert found(segments["管段编号"].duplicated()) == rows_of(city, "duplicate_id")
    assert found(is_missing) == rows_of(city, "missing_geometry")
    assert found(is_empty) == rows_of(city, "empty_geometry")
    assert found(~is_empty & (length == 0)) == rows_of(city, "zero_length")
    two = found(pd.Series(shapely.get_num_geometries(shapes) == 2))
    assert two == rows_of(city, "two_parts")
    year = pd.to_numeric(segments["建设年代"], errors="coerce")
    assert found(year > 2026) == rows_of(city, "year_in_future")
    assert found(segments["埋深"] > 15) == rows_of(city, "cover_in_millimetres")


def test_every_kind_occurs_and_few_rows_are_spoilt(city: City) -> None:
    faults = city.truth["faults"]
    assert len(faults["kind"].unique()) == 11
    of_segments = faults[faults["file"] == "segments.gpkg"]
    assert of_segments["row"].is_unique
    assert 0.002 <= len(of_segments) / len(city.segments) <= 0.005


def test_unknown_values_are_no_faults(city: City) -> None:
    words = set(city.segments["管材"].dropna()) | set(city.segments["建设年代"].dropna())
    assert "不明" in words
    assert any(word.endswith("年代") for word in words)
    assert any("-" in word for word in words)
    assert city.segments["管径"].str.contains("DN", na=False).any()
    assert city.segments["管径"].str.contains("x", na=False).any()
