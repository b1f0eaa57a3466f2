from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maps.inputs import Inputs, both
from maps.palette import stroke
from maps.views import TIERS, View, ViewClass, decade_of, make_views, tiers_of
from tests.maps.frames import town


def test_views_follow_what_there_is(inputs: Inputs) -> None:
    assert [view.key for view in make_views(inputs)] == ["year", "grade", "class", "material", "decade"]
    assert [view.key for view in make_views(town(is_bare=True))] == ["material", "decade"]


def test_kilometres_by_class_and_tier_equal_the_frame(inputs: Inputs) -> None:
    segments, scores = inputs.segments, inputs.scores
    assert scores is not None
    grade = {view.key: view for view in make_views(inputs)}["grade"]
    for one in grade.classes:
        for tier in TIERS:
            is_both = (scores["grade"] == one.code) & (tiers_of(segments) == tier)
            assert one.km_by_tier.get(tier, 0.0) == pytest.approx(segments["length_m"][is_both].sum() / 1000)
        assert one.count == (scores["grade"] == one.code).sum()


def test_each_view_counts_each_segment_once(inputs: Inputs) -> None:
    for view in make_views(inputs):
        assert sum(one.count for one in view.classes) == len(inputs.segments)
        assert view.km == pytest.approx(inputs.segments["length_m"].sum() / 1000)
        assert view.codes.min() >= 0


def test_year_view_holds_the_planned_years_and_the_rest(inputs: Inputs) -> None:
    view = make_views(inputs)[0]
    assert {one.code: one.count for one in view.classes} == {"rest": 31, "2028": 6, "2027": 3}


@given(st.lists(st.floats(0.0006, 4_000.0), min_size=1, max_size=6), st.integers(1, 2))
def test_no_length_is_shown_as_nothing_and_no_more_decimals_than_that_takes(km: list[float], least: int) -> None:
    classes = [
        ViewClass(str(i), both("maps_total"), stroke("year_rest"), 1, {"municipal": one}) for i, one in enumerate(km)
    ]
    view = View("year", both("maps_total"), classes, np.zeros(len(km), dtype=np.int64), least_decimals=least)
    shown = [float(f"{one:.{view.decimals}f}") for one in km]
    assert all(shown)
    fewer = [float(f"{one:.{view.decimals - 1}f}") for one in km]
    assert view.decimals == least or not all(fewer)


def test_segment_without_a_score_is_a_class_of_its_own(inputs: Inputs) -> None:
    import dataclasses

    assert inputs.scores is not None
    partly = dataclasses.replace(inputs, scores=inputs.scores.iloc[5:])
    grade = {view.key: view for view in make_views(partly)}["grade"]
    assert grade.classes[0].code == "unknown"
    assert grade.classes[0].count == 5


def test_decade_is_that_of_the_middle_of_the_interval() -> None:
    table = pd.DataFrame(
        {
            "installed_year_min": pd.array([1985, 1989, None, None, 1920, 2024], dtype="Int64"),
            "installed_year_max": pd.array([1985, 1993, 1999, None, 1930, 2031], dtype="Int64"),
        }
    )
    assert decade_of(table).tolist() == ["1980", "1990", "1990", "unknown", "1950", "2020"]
