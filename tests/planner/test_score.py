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
from registry.errors import FrameError, PlanningError
from registry.fields import check_frame, columns_of
from tests.planner.frames import (
    EAST,
    HARMLESS_GROUND,
    NORTH,
    buildings_of,
    leaks_of,
    line,
    named_links,
    places_of,
    segments_of,
)

TODAY = date(2026, 11, 1)
VOIDS = [shapely.Point(EAST + 50, NORTH - 3), shapely.Point(EAST + 5_000, NORTH + 5_000)]
PRESSURES = ["low", "medium_b", "medium_a", "sub_high_b", "sub_high_a", "high_b", "high_a"]


def scored(
    segments: gpd.GeoDataFrame,
    leaks: gpd.GeoDataFrame | None = None,
    leaking: str = "S0000",
    buildings: gpd.GeoDataFrame | None = None,
    as_of: date = TODAY,
) -> pd.DataFrame:
    leaks = leaks_of() if leaks is None else leaks
    places = places_of(*(("void", place) for place in VOIDS), ("sensitive_place", VOIDS[-1]))
    told = Told(context=gpd.GeoDataFrame(pd.concat([HARMLESS_GROUND, places]), crs=places.crs))
    return score_segments(segments, named_links(leaks, leaking), leaks, buildings, read_policy(), as_of, told=told)


def building_at(distance_m: float, households: int = 10) -> gpd.GeoDataFrame:
    x, y = EAST + 40, NORTH - distance_m
    return buildings_of(shapely.box(x, y - 10, x + 10, y), households=households)


attributes = st.fixed_dictionaries(
    {
        "medium": st.sampled_from(["gas", "water", "heat", "drain", "other"]),
        "material": st.sampled_from(["grey_iron", "steel", "pe100", "pvc", "unknown", None]),
        "diameter_mm": st.sampled_from([None, 50.0, 110.0, 200.0, 900.0]),
        "pressure_class": st.sampled_from([*PRESSURES, "unknown", None]),
        "installed_year_min": st.sampled_from([None, 1950, 1985, 2020]),
        "installed_year_max": st.sampled_from([None, 1990, 2022]),
        "coating": st.sampled_from([None, "pe3", "none", "unknown"]),
        "surface": st.sampled_from([None, "carriageway", "soil"]),
        "tier": st.sampled_from([None, "municipal", "courtyard"]),
        "joint": st.sampled_from([None, "socket_lead", "fusion"]),
        "cover_depth_m": st.sampled_from([None, 0.4, 1.5]),
        "street_name": st.sampled_from([None, "金城路"]),
    }
)


@settings(deadline=None, max_examples=20)
@given(rows=st.lists(attributes, min_size=1, max_size=6), leak_count=st.integers(0, 5))
def test_contributions_add_up_exactly_and_the_contract_holds(rows: list[dict[str, Any]], leak_count: int) -> None:
    scores = scored(segments_of(*rows), leaks_of(*({} for _ in range(leak_count))), buildings=building_at(8))
    check_frame(scores, "scores")
    assert list(scores.columns) == columns_of("scores")
    for name, total in (("likelihood", "likelihood_per_km_year"), ("consequence", "consequence_index")):
        parts = scores[[column for column in columns_of("scores") if column.startswith(f"ln_{name}_")]].sum(axis=1)
        np.testing.assert_allclose(parts, np.log(scores[total]), rtol=0, atol=1e-9)
    risk = scores["likelihood_per_km_year"] * scores["consequence_index"]
    np.testing.assert_allclose(scores["risk_per_km_year"], risk, rtol=1e-12)
    np.testing.assert_allclose(scores["risk_per_year"], risk * scores["length_m"] / 1000, rtol=1e-12)
    named = [len([name for name in gaps.split(",") if name]) for gaps in scores["gaps"].tolist()]
    assert scores["gap_count"].tolist() == named


@settings(deadline=None, max_examples=30)
@given(
    row=attributes,
    year=st.integers(1940, 2025),
    older_by=st.integers(0, 80),
    leak_count=st.integers(0, 4),
    length_m=st.sampled_from([1.0, 100.0, 20_000.0]),
)
def test_an_older_pipe_never_has_a_lower_factor_of_its_age(
    row: dict[str, Any], year: int, older_by: int, leak_count: int, length_m: float
) -> None:
    shape = line((0, 0), (length_m, 0))
    leaks = leaks_of(*({} for _ in range(leak_count)))
    both = [
        scored(segments_of(row | {"geometry": shape, "installed_year_min": at, "installed_year_max": at}, {}), leaks)
        for at in (year, year - older_by)
    ]
    young, old = (float(scores["ln_likelihood_age"].iloc[0]) for scores in both)
    assert old >= young - 1e-12


@settings(deadline=None, max_examples=20)
@given(row=attributes, leak_count=st.integers(1, 6), extra=st.integers(1, 5))
def test_more_leaks_never_score_lower(row: dict[str, Any], leak_count: int, extra: int) -> None:
    few, many = leaks_of(*({} for _ in range(leak_count))), leaks_of(*({} for _ in range(leak_count + extra)))
    segments = segments_of(row, {})
    assert scored(segments, many)["risk_per_year"].iloc[0] > scored(segments, few)["risk_per_year"].iloc[0]


@settings(deadline=None, max_examples=20)
@given(row=attributes, near=st.floats(0.5, 40), farther=st.floats(0, 40), households=st.integers(0, 300))
def test_a_nearer_building_never_scores_lower(
    row: dict[str, Any], near: float, farther: float, households: int
) -> None:
    segments = segments_of(row)
    at = [scored(segments, buildings=building_at(d, households)) for d in (near, near + farther)]
    assert at[0]["consequence_index"].iloc[0] >= at[1]["consequence_index"].iloc[0]


@settings(deadline=None, max_examples=10)
@given(row=attributes)
def test_higher_pressure_never_scores_lower(row: dict[str, Any]) -> None:
    same = row | {"geometry": line((0, 0), (100, 0))}
    segments = segments_of(*({**same, "pressure_class": pressure} for pressure in PRESSURES))
    assert scored(segments)["risk_per_km_year"].is_monotonic_increasing


def test_leaks_after_the_as_of_date_change_nothing() -> None:
    segments = segments_of({}, {"medium": "water"})
    known = leaks_of({}, {"leaked_on": "2020-01-01"})
    later = leaks_of({}, {"leaked_on": "2020-01-01"}, {"leaked_on": "2021-06-02"}, {"leaked_on": "2026-10-31"})
    day = date(2021, 6, 1)
    assert_frame_equal(scored(segments, known, as_of=day), scored(segments, later, as_of=day))
    assert scored(segments, later, as_of=date(2021, 6, 2))["leak_count"].tolist() == [3.0, 0.0]


def test_third_party_leaks_are_left_out() -> None:
    segments = segments_of({})
    without, with_damage = scored(segments), scored(segments, leaks_of({"cause": "third_party"}))
    apart = "third_party_per_km_year"
    assert_frame_equal(without.drop(columns=apart), with_damage.drop(columns=apart))
    assert without[apart].isna().all()
    assert (with_damage[apart] > 0).all()


def test_without_any_leak_the_tables_alone_decide() -> None:
    scores = scored(segments_of({}))
    for step in ("level", "cohort", "vintage", "diameter_band", "street", "history"):
        assert scores[f"ln_likelihood_{step}"].tolist() == [0.0]
    np.testing.assert_allclose(np.exp(scores["ln_likelihood_base"]), 0.02)


def test_age_is_counted_from_the_middle_of_the_interval() -> None:
    scores = scored(
        segments_of(
            {"installed_year_min": 1990, "installed_year_max": 1999},
            {"installed_year_min": None, "installed_year_max": None},
            {"installed_year_min": 2000, "installed_year_max": None},
            {"installed_year_min": 2030, "installed_year_max": 2030},
        ),
        as_of=date(2025, 1, 1),
    )
    assert scores["age_years"].isna().tolist() == [False, True, False, False]
    np.testing.assert_allclose(scores["age_years"].dropna(), [30.0, 24.5, 0.0])
    assert "installed_year_min" in scores["gaps"].iloc[1]


def test_gaps_are_named_and_take_the_documented_default() -> None:
    unknown = {
        "material": None,
        "diameter_mm": None,
        "pressure_class": "unknown",
        "surface": None,
        "coating": "unknown",
    }
    scores = scored(segments_of({}, unknown, {"material": "steel", "coating": None}), buildings=building_at(8))
    assert scores["gap_count"].tolist() == [0, 4, 1]
    assert scores["gaps"].tolist() == ["", "material,diameter_mm,pressure_class,surface", "coating"]
    # the mean of its cohort, all of steel; the figure for unknown where nobody knows
    np.testing.assert_allclose(np.exp(scores["ln_likelihood_material"]), 2.5)
    np.testing.assert_allclose(np.exp(scored(segments_of(unknown))["ln_likelihood_material"]), 4.0)


def test_pressure_follows_the_design_pressure_where_no_class_is_given() -> None:
    rows = [{"pressure_class": None, "pressure_kpa": kpa} for kpa in (10.0, 10.1, 400.0, 5000.0)]
    expected = [{"pressure_class": name} for name in ("low", "medium_b", "medium_a", "high_a")]
    given_kpa, given_class = scored(segments_of(*rows)), scored(segments_of(*expected))
    assert_frame_equal(given_kpa[["ln_consequence_pressure"]], given_class[["ln_consequence_pressure"]])


@pytest.mark.parametrize(("distance_m", "factor"), [(4.9, 4.0), (9.9, 3.0), (29.9, 2.0), (30.1, 1.0)])
def test_bands_of_building_distance(distance_m: float, factor: float) -> None:
    scores = scored(segments_of({}), buildings=building_at(distance_m))
    np.testing.assert_allclose(np.exp(scores["ln_consequence_building"]), factor)


def test_no_buildings_at_all_are_a_gap_not_safety() -> None:
    scores = scored(segments_of({}), buildings=None)
    assert scores["gaps"].tolist() == ["building_distance,people_count,household_count"]
    np.testing.assert_allclose(np.exp(scores["ln_consequence_building"]), 2.0)


def test_rows_may_come_in_any_order(rng: np.random.Generator) -> None:
    segments = segments_of(
        *({"medium": medium, "installed_year_min": 1980} for medium in ("gas", "water", "gas", "heat"))
    )
    leaks = leaks_of({}, {}, {})
    order = rng.permutation(len(segments))
    assert_frame_equal(scored(segments.iloc[order], leaks), scored(segments, leaks).iloc[order], rtol=1e-12)


def test_arguments_are_left_as_they_were() -> None:
    segments, leaks, buildings = segments_of({}, {}), leaks_of({}), building_at(8)
    before = segments.copy(), leaks.copy(), buildings.copy()
    scored(segments, leaks, buildings=buildings)
    for argument, kept in zip((segments, leaks, buildings), before, strict=True):
        assert_frame_equal(pd.DataFrame(argument), pd.DataFrame(kept))


def test_faults_are_refused() -> None:
    with pytest.raises(FrameError, match="length_m"):
        scored(segments_of({}).drop(columns="length_m"))
    leaks = leaks_of({})
    with pytest.raises(PlanningError, match="L0000"):
        score_segments(segments_of({}), named_links(leaks, "S0000"), leaks.iloc[:0], None, read_policy(), TODAY)
