"""Digs and the programme of other utilities: each has what an audit should find, and the truth says where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from registry.city import City, make_city
from registry.city.digs import closed_roads
from registry.city.parameters import load
from registry.fields import value_list

AS_OF = pd.Timestamp(load("city")["as_of"])


def places(digs: pd.DataFrame) -> np.ndarray:
    # X is the northing
    return np.asarray(shapely.points(digs["Y"], digs["X"]))


def test_digs_are_of_the_past_and_named_as_the_lists_know_them(town: City) -> None:
    digs = town.digs
    entries = value_list("event_kind")
    kinds = {
        word
        for code in ("excavation", "emergency_excavation")
        for word in (entries[code].label_zh, *entries[code].aliases)
    }
    assert set(digs["事件类别"]) <= kinds
    assert digs["编号"].is_unique
    assert (digs["发生日期"] < f"{AS_OF:%Y-%m-%d}").all()
    assert (digs["完成日期"] >= digs["发生日期"]).all()
    assert digs["发生日期"].is_monotonic_increasing
    assert town.truth["digs"]["dig_id"].tolist() == digs["编号"].tolist()


def test_digs_in_a_ban_lie_on_a_road_overhauled_less_than_three_years_before(town: City) -> None:
    truth, roads = town.truth["digs"], town.roads
    digs = town.digs[truth["is_in_ban"].to_numpy()]
    assert 2 <= len(digs) < len(truth) / 2
    near: Any = np.asarray(roads.geometry.array)
    for point, day in zip(places(digs), pd.to_datetime(digs["发生日期"]), strict=True):
        on = roads[shapely.distance(near, point) < 4.0]
        completed = pd.to_datetime(on["大修竣工日期"])
        assert ((completed < day) & (day <= completed + pd.DateOffset(years=3))).any()


def test_emergencies_that_were_foreseen_lie_at_the_bad_pipe_that_they_name(town: City) -> None:
    truth = town.truth["digs"]
    digs = town.digs[truth["is_foreseen"].to_numpy()]
    assert len(digs) >= load("digs")["foreseen_least"]
    assert digs["管段编号"].tolist() == truth["segment_id"].dropna().tolist()
    assert set(digs["事件类别"]) == {load("digs")["emergency_kind"]}
    segments = town.truth["segments"].set_index("segment_id")
    assert set(segments.loc[digs["管段编号"], "material"]) == {"grey_iron"}
    lines = town.segments.drop_duplicates("管段编号").set_index("管段编号").geometry
    known: Any = np.asarray(lines.reindex(digs["管段编号"]).array)
    away = shapely.distance(known, places(digs))
    assert (away[~np.isnan(away)] < 4.0).all()
    assert (pd.to_datetime(digs["发生日期"]) >= AS_OF - pd.Timedelta(days=300)).all()


def test_the_programme_of_utilities_has_each_gap(town: City) -> None:
    rows = town.utility_programme
    assert rows["项目编号"].is_unique
    assert rows["开工日期"].isna().sum() == rows["完工日期"].isna().sum() >= 1
    faults = town.truth["faults"]
    held = faults[faults["file"] == "utility_programme.xlsx"]
    assert set(held["object_id"]) == set(rows.loc[rows["道路名称"].isna(), "项目编号"]) != set()
    last = rows.groupby("实施主体")["完工日期"].max()
    assert (last < f"{AS_OF:%Y}").sum() == 1
    assert last.max() > "2027"
    on_site = rows[(rows["项目状态"] == "在建") & rows["道路名称"].isin(closed_roads(town.roads)["道路名称"])]
    assert len(on_site) >= 1


@pytest.mark.parametrize("seed", range(4))
def test_the_smallest_cities_have_digs_and_a_programme(seed: int) -> None:
    city = make_city(load("city")["smallest_segment_count"], seed)
    assert len(city.digs) >= load("digs")["least"]
    assert len(city.utility_programme) >= load("digs")["programme"]["least"]
    if closed_roads(city.roads).empty:
        assert not city.truth["digs"]["is_in_ban"].any()
