"""The default likelihood: what the tables give, what the record adds, and a slow oracle for the whole."""

from __future__ import annotations

from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from planner.policy import read_policy
from planner.score import Told, score_segments
from registry.fields import check_frame
from tests.planner.frames import (
    EAST,
    NORTH,
    context_of,
    leaks_of,
    line,
    named_links,
    roads_of,
    segments_of,
)
from tests.planner.likelihood_oracle import slow_rates

TODAY = date(2026, 11, 1)
POLICY = read_policy()
FEW = settings(deadline=None, max_examples=12)
STREET_LINK = {"share": 1.0, "confidence": 0.9, "distance_m": 2.0}


def scored(
    segments: gpd.GeoDataFrame, *leaks: tuple[str, str], told: Told | None = None, cause: str = "corrosion"
) -> pd.DataFrame:
    """Score with leaks, each as its segment and its day."""
    record = leaks_of(*({"leaked_on": day, "cause": cause} for _, day in leaks))
    links = named_links(record, "").assign(segment_id=pd.Series([name for name, _ in leaks], dtype="str"))
    scores = score_segments(segments, links, record, None, POLICY, TODAY, told=told)
    check_frame(scores, "scores")
    return scores


def factors(scores: pd.DataFrame, term: str) -> list[float]:
    return [round(float(np.exp(part)), 9) for part in scores[f"ln_likelihood_{term}"]]


@pytest.mark.parametrize(("diameter_mm", "factor"), [(50.0, 1.5), (63.0, 1.5), (63.1, 1.3), (200.0, 1.0), (400.0, 0.8)])
def test_a_smaller_pipe_leaks_more_by_the_factor_of_its_band(diameter_mm: float, factor: float) -> None:
    scores = scored(segments_of({"diameter_mm": diameter_mm}, {}))
    assert factors(scores, "diameter") == [factor, 1.0]
    rate = scores["likelihood_per_km_year"]
    assert rate.iloc[0] / rate.iloc[1] == pytest.approx(factor)


rows = st.fixed_dictionaries(
    {
        "medium": st.sampled_from(["gas", "water"]),
        "material": st.sampled_from(["grey_iron", "steel", "pe80"]),
        "diameter_mm": st.sampled_from([80.0, 200.0]),
        "installed_year_min": st.integers(1955, 2010),
        "span": st.sampled_from([0, 0, 25]),
        "tier": st.sampled_from(["municipal", "courtyard"]),
        "street_name": st.sampled_from([None, "金城路", "泉山路"]),
        "compound_name": st.sampled_from([None, "金城路"]),
        "length": st.sampled_from([80.0, 3000.0]),
        "retired_on": st.sampled_from([None, None, "2020-07-01"]),
    }
)


@settings(deadline=None, max_examples=10)
@given(
    found=st.lists(rows, min_size=2, max_size=6),
    leaks=st.lists(st.tuples(st.integers(0, 5), st.dates(date(2008, 1, 1), date(2026, 10, 31))), max_size=12),
)
def test_the_record_moves_the_tables_as_a_slow_oracle_does(
    found: list[dict[str, Any]], leaks: list[tuple[int, date]]
) -> None:
    built = []
    for number, row in enumerate(found):
        shape = line((0, 30.0 * number), (row["length"], 30.0 * number))
        last = row["installed_year_min"] + row["span"]
        kept = {name: value for name, value in row.items() if name not in {"span", "length"}}
        built.append(kept | {"geometry": shape, "installed_year_max": last})
    segments = segments_of(*built)
    placed = [(segments.index[at % len(segments)], day) for at, day in leaks]
    scores = scored(segments, *((name, day.isoformat()) for name, day in placed))
    tables = ("base", "material", "protection", "decade", "diameter", "pressure", "soil", "stray_current", "cover")
    steady = np.exp(scores[[f"ln_likelihood_{term}" for term in (*tables, "traffic", "joint", "gaps")]].sum(axis=1))
    slow = slow_rates(segments, placed, steady.tolist(), POLICY.weights, TODAY)
    rate = steady * np.exp(scores["ln_likelihood_age"]) * pd.Series(slow)
    np.testing.assert_allclose(scores["likelihood_per_km_year"], rate, rtol=5e-3)


def test_leaks_of_the_last_years_say_more_about_today() -> None:
    def level(day: str) -> float:
        leaks = [("S0000", "2008-01-01"), *(("S0000", day) for _ in range(30))]
        return float(scored(segments_of({}), *leaks)["ln_likelihood_level"].iloc[0])

    # more than ten years ago and within them; the whole record is the same
    assert level("2026-10-31") == level("2016-11-02") > level("2016-11-01") == level("2009-01-01")


def test_a_decade_counts_for_the_part_of_the_interval_within_it() -> None:
    water = {"medium": "water", "material": "cast_iron"}
    scores = scored(
        segments_of(
            water | {"installed_year_min": 1925, "installed_year_max": 1925},
            water | {"installed_year_min": 1926, "installed_year_max": 1933},
            water | {"installed_year_min": 1950, "installed_year_max": 1969},
            {"medium": "water", "installed_year_min": 1925, "installed_year_max": 1925},
            {"material": "cast_iron", "installed_year_min": 1925, "installed_year_max": 1925},
        )
    )
    assert factors(scores, "decade") == [0.7, 0.85, 1.3, 1.0, 1.0]


def test_soil_and_stray_current_act_on_metal_where_they_are_told() -> None:
    under = shapely.box(EAST - 10, NORTH - 10, EAST + 200, NORTH + 30)
    context = context_of(
        {"geometry": under, "level": "中"},
        {"geometry": under, "level": "强"},
        {"geometry": under.centroid, "kind": "stray_current"},
    )
    places: tuple[dict[str, Any], ...] = ({}, {"material": "pe100"}, {"geometry": line((0, 900), (100, 900))})
    segments = segments_of(*places)
    scores = scored(segments, told=Told(context=context))
    assert factors(scores, "soil") == [1.6, 1.0, 1.0]
    assert factors(scores, "stray_current") == [1.3, 1.0, 1.0]
    untold = scored(segments)
    assert factors(untold, "soil") == [1.1, 1.0, 1.1]
    assert untold["gaps"].str.contains("soil,stray_current").tolist() == [True, False, True]


@pytest.mark.parametrize(("level", "factor"), [("强", 1.6), (" Strong", 1.6), ("弱", 1.0), (None, 1.25), ("?", 1.25)])
def test_the_words_of_a_layer_of_soil(level: str | None, factor: float) -> None:
    context = context_of({"geometry": shapely.box(EAST, NORTH - 10, EAST + 9, NORTH + 10), "level": level})
    assert factors(scored(segments_of({}), told=Told(context=context)), "soil") == [factor]


def test_traffic_weighs_under_a_carriageway_by_the_class_of_the_road() -> None:
    roads = roads_of({"name": "金城路", "road_class": "arterial"}, {"name": "泉山路", "road_class": "expressway"})
    under = {"surface": "carriageway", "street_name": "金城路"}
    segments = segments_of(under, under, under | {"surface": "green"}, under | {"street_name": None}, {"surface": None})
    links = pd.DataFrame([{"segment_id": "S0001", "road_id": "R0001", "street_name": "泉山路"} | STREET_LINK])
    scores = scored(segments, told=Told(roads=roads, street_links=links))
    # of the two in doubt each counts as the mean of the three that are known
    mean = round((1.15 + 1.2 + 1.0) / 3, 9)
    assert factors(scores, "traffic") == [1.15, 1.2, 1.0, mean, mean]
    assert factors(scores, "gaps")[:4] == [1.0, 1.0, 1.0, 1.15]
    assert ["road_class" in gaps.split(",") for gaps in scores["gaps"]] == [False, False, False, True, False]


@pytest.mark.parametrize(("column", "values", "wanted"), [
    ("cover_depth_m", [0.3, 0.31, 0.9, 0.91], [1.4, 1.2, 1.1, 1.0]),
    ("joint", ["weld", "thread", "socket_lead", "mechanical"], [1.0, 1.3, 1.2, 1.0]),
    ("pressure_class", ["low", "medium_a", "high_a", "high_b"], [1.0, 1.1, 1.3, 1.25]),
])  # fmt: skip
def test_tables_of_one_attribute(column: str, values: list[Any], wanted: list[float]) -> None:
    term = {"cover_depth_m": "cover", "joint": "joint", "pressure_class": "pressure"}[column]
    assert factors(scored(segments_of(*({column: value} for value in values))), term) == wanted


def test_what_is_not_known_counts_as_the_mean_of_its_cohort_with_a_visible_penalty() -> None:
    def pipe(metres: float, material: str | None, **other: Any) -> dict[str, Any]:
        return {"material": material, "geometry": line((0, 0), (metres, 0))} | other

    courtyard, heat = {"tier": "courtyard"}, {"medium": "heat"}
    scores = scored(
        segments_of(
            pipe(100, "pe100"),
            pipe(300, "steel"),
            pipe(50, None),
            pipe(50, "unknown", **courtyard),
            pipe(100, "grey_iron", **courtyard),
            pipe(50, None, tier="riser"),
            pipe(50, None, **heat),
        )
    )
    municipal, network = (1 * 100 + 2.5 * 300) / 400, (1 * 100 + 2.5 * 300 + 8 * 100) / 500
    assert factors(scores, "material") == [1.0, 2.5, municipal, 8.0, 8.0, network, 4.0]
    assert factors(scores, "gaps") == [1.0, 1.0, 1.15, 1.15, 1.0, 1.15, 1.0]


def test_an_unknown_year_counts_as_the_mean_of_its_material() -> None:
    unknown: dict[str, Any] = {"installed_year_min": None, "installed_year_max": None}
    pe = {"material": "pe80", "installed_year_min": 1985, "installed_year_max": 1985}
    scores = scored(
        segments_of({}, unknown, pe, pe | unknown, {"material": "copper"} | unknown), ("S0000", "2010-01-01")
    )
    age, decade = factors(scores, "age"), factors(scores, "decade")
    assert (age[1], age[3], decade[3]) == (age[0], age[2], 1.4)
    assert age[4] == 1.0
    assert factors(scores, "gaps") == [1.0, 1.15, 1.0, 1.15, 1.0]


def test_a_street_and_a_compound_share_their_record() -> None:
    road, yard = {"street_name": "金城路"}, {"tier": "courtyard", "compound_name": "泉山小区"}
    segments = segments_of(road, road, {}, {}, yard | road, yard, {"street_name": "泉山小区"})
    links = pd.DataFrame([{"segment_id": "S0002", "road_id": "R0000", "street_name": "金城路"} | STREET_LINK])
    scores = scored(segments, ("S0000", "2015-06-01"), ("S0005", "2015-06-01"), told=Told(street_links=links))
    street = scores["ln_likelihood_street"]
    assert street.iloc[0] == street.iloc[1] == street.iloc[2] > 0
    assert street.iloc[3] == 0
    assert street.iloc[4] == street.iloc[5] > 0
    assert street.iloc[6] < 0


def test_pipes_that_are_gone_teach_their_cohort_until_their_last_day() -> None:
    iron = {"material": "grey_iron", "installed_year_min": 1960, "installed_year_max": 1960}
    segments, gone = segments_of(iron, {}), segments_of(iron | {"segment_id": "G", "retired_on": "2016-01-01"})
    leaks = [("G", "2012-03-01"), ("G", "2014-03-01"), ("S0001", "2012-01-01")]
    alone, taught = scored(segments, *leaks), scored(segments, *leaks, told=Told(retired=gone))
    assert list(taught.index) == list(segments.index)
    assert taught["ln_likelihood_cohort"].iloc[0] > alone["ln_likelihood_cohort"].iloc[0]
    # one that is still there with the same leaks had more time for them
    stayed = scored(segments, *leaks, told=Told(retired=gone.drop(columns="retired_on")))
    assert stayed["ln_likelihood_cohort"].iloc[0] < taught["ln_likelihood_cohort"].iloc[0]
    # the pipe of the day goes before a retired one of its id
    twice = scored(segments, *leaks, told=Told(retired=segments.iloc[:1]))
    assert_frame_equal(twice, alone)


def test_ground_that_nobody_looked_at_is_no_sign_of_sound_pipe() -> None:
    segments = segments_of({}, {"geometry": line((0, 50), (9000, 50))})
    surveyed = pd.DataFrame({"district_id": ["D"] * 12, "year": range(2015, 2027), "share": [0.0] * 12})
    surveyed = surveyed.astype({"district_id": "str", "year": "Int64"})
    district = pd.Series([None, "D"], segments.index, dtype="str")
    seen = scored(segments, ("S0000", "2015-06-01"))
    blind = scored(segments, ("S0000", "2015-06-01"), told=Told(surveyed=surveyed, district_of=district))
    assert seen["ln_likelihood_history"].iloc[1] < -0.5
    assert abs(blind["ln_likelihood_history"].iloc[1]) < 1e-9


def test_third_party_damage_is_a_rate_apart() -> None:
    segments = segments_of({}, {"installed_year_min": 2021, "installed_year_max": 2021}, {"medium": "water"})
    scores = scored(segments, ("S0000", "2016-11-01"), ("S0000", "2021-11-01"), cause="third_party")
    # ten years of 100 m, and from the middle of 2021 5.33 of another, the year of installation in doubt
    km_years = np.array([0.1 * 10, 0.1 * (2026 + 304 / 365 - 2021.5)])
    mean = 2 / km_years.sum()
    wanted = mean * (1 + np.array([2, 0])) / (1 + mean * km_years)
    np.testing.assert_allclose(scores["third_party_per_km_year"].iloc[:2], wanted, rtol=1e-3)
    assert scores["third_party_per_km_year"].isna().tolist() == [False, False, True]
    quiet = scored(segments)
    assert_frame_equal(scores.drop(columns="third_party_per_km_year"), quiet.drop(columns="third_party_per_km_year"))


@FEW
@given(
    material=st.sampled_from(["steel", "ductile_iron", "grey_iron"]),
    leak_count=st.integers(0, 4),
    levels=st.permutations(["强", "中", "弱"]),
)
def test_more_corrosive_soil_never_scores_lower(material: str, leak_count: int, levels: list[str]) -> None:
    segments = segments_of({"material": material}, {"material": material}, {})
    worst = {"弱": 0, "中": 1, "强": 2}
    risks = {}
    for level in levels:
        context = context_of({"geometry": shapely.box(EAST, NORTH - 5, EAST + 50, NORTH + 5), "level": level})
        leaks = [("S0000", "2018-01-01"), ("S0001", "2010-01-01")] * leak_count
        risks[worst[level]] = scored(segments, *leaks, told=Told(context=context))["risk_per_year"].iloc[0]
    assert risks[0] <= risks[1] <= risks[2]


def test_without_a_record_a_worse_material_never_scores_lower() -> None:
    worse = ["pe100", "pe80", "steel", "galvanised_steel", "grey_iron"]
    plain = {"coating": "not_applicable", "cathodic_protection": "not_applicable"}
    segments = segments_of(*({"material": material} | plain for material in worse))
    tables = scored(segments)
    order = np.argsort(tables["ln_likelihood_material"].to_numpy(), kind="stable")
    assert [worse[place] for place in order] == ["pe100", "pe80", "steel", "galvanised_steel", "grey_iron"]
    assert tables["likelihood_per_km_year"].iloc[order].is_monotonic_increasing
