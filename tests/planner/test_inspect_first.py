"""Inspect first: the value of knowing an attribute, by hand and by its laws."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from planner.inspect_first import inspect_first
from planner.policy import read_policy
from planner.score import score_segments
from registry.fields import check_frame
from tests.planner.frames import leaks_of, line, named_links, segments_of

POLICY = read_policy()
# risk of a severe gas pipe: incidents per kilometre and year over incidents of a leak of the reference segment
LIMIT = 1e-4 / 1.5e-5


@cache
def real_score() -> pd.DataFrame:
    none = leaks_of()
    return score_segments(segments_of({}), named_links(none, "S0000"), none, None, POLICY, date(2026, 11, 1))


def scores_at(segments: gpd.GeoDataFrame, risk_per_km_year: float) -> pd.DataFrame:
    """The same real score for all, whose risk is set to a figure: the list asks for nothing else of it."""
    alike = real_score().iloc[np.zeros(len(segments), dtype=np.int64)]
    return alike.set_axis(segments.index, axis=0).assign(risk_per_km_year=risk_per_km_year)


def pipe(metres: float, material: str | None, **other: Any) -> dict[str, Any]:
    plain = {"coating": "not_applicable", "cathodic_protection": "not_applicable"}
    return {"material": material, "geometry": line((0, 0), (metres, 0))} | plain | other


@pytest.mark.parametrize(("risk", "change"), [(0.75 * LIMIT, 0.25), (1.25 * LIMIT, 0.75)])
def test_the_value_is_that_of_perfect_information(risk: float, change: float) -> None:
    segments = segments_of(pipe(300, "pe100"), pipe(100, "grey_iron"), pipe(50, None))
    found = inspect_first(segments, scores_at(segments, risk), POLICY)
    check_frame(found, "inspect_first")
    # the mean of 1 and 8 by length is 2.75, with the penalty 1.15 in the risk
    plain = risk / (2.75 * 1.15)
    wanted = 0.25 * (8 * plain - LIMIT) - max(2.75 * plain - LIMIT, 0.0)
    assert found["segment_id"].tolist() == ["S0002"]
    assert found["attribute"].tolist() == ["material"]
    row = found.iloc[0]
    assert row["value_per_year"] == pytest.approx(wanted * 0.05)
    assert row["change_probability"] == pytest.approx(change)
    assert row["expected_risk_per_km_year"] == pytest.approx(2.75 * plain)
    assert row["least_risk_per_km_year"] == pytest.approx(plain)
    assert row["most_risk_per_km_year"] == pytest.approx(8 * plain)


@pytest.mark.parametrize("risk", [0.01, 1000.0])
def test_where_every_value_leads_to_one_decision_nothing_is_gained(risk: float) -> None:
    segments = segments_of(pipe(300, "pe100"), pipe(100, "grey_iron"), pipe(50, None))
    assert inspect_first(segments, scores_at(segments, risk), POLICY).empty


def test_what_nobody_knows_is_not_listed_and_the_best_attribute_is_named() -> None:
    joints = {"joint": None, "surface": None}
    segments = segments_of(
        pipe(100, "pe100", joint="thread"), pipe(100, "steel", diameter_mm=50.0), pipe(9, None, **joints)
    )
    found = inspect_first(segments, scores_at(segments, 1.125 * LIMIT), POLICY)
    assert found["attribute"].tolist() == ["material"]
    segments["material"] = "steel"
    assert inspect_first(segments, scores_at(segments, 1.125 * LIMIT), POLICY)["attribute"].tolist() == ["joint"]
    segments["joint"] = None
    assert inspect_first(segments, scores_at(segments, 1.125 * LIMIT), POLICY).empty


@settings(deadline=None, max_examples=12)
@given(
    known=st.lists(
        st.tuples(st.sampled_from(["pe100", "steel", "grey_iron", "pvc"]), st.floats(1, 500)), min_size=1, max_size=6
    ),
    risk=st.floats(0.1, 40),
    count=st.integers(1, 3),
)
def test_the_list_is_short_in_order_and_independent_of_the_order_of_rows(
    known: list[tuple[str, float]], risk: float, count: int
) -> None:
    gaps = [pipe(50.0 * number, None) for number in range(1, 5)]
    segments = segments_of(*(pipe(metres, material) for material, metres in known), *gaps)
    scores = scores_at(segments, risk)
    found = inspect_first(segments, scores, POLICY, count)
    assert len(found) <= count
    assert found["value_per_year"].is_monotonic_decreasing
    assert (found["value_per_year"] > 0).all()
    assert found["change_probability"].gt(0).all()
    turned = np.arange(len(segments))[::-1]
    assert_frame_equal(inspect_first(segments.iloc[turned], scores, POLICY, count), found)
