"""Ages from install years that are intervals: mean, spread and certainty against slow oracles."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planner.age_course import age_course
from planner.ages import age_interval, decimal_year
from planner.classes import classify_segments
from planner.policy import read_policy
from planner.score import score_segments
from tests.planner.frames import leaks_of, named_links, segments_of

AS_OF = date(2026, 11, 1)
POLICY = read_policy()
FEW = settings(deadline=None, max_examples=12)
materials = st.sampled_from(["grey_iron", "steel", "pe100", "unknown"])
media = st.sampled_from(["gas", "water", "heat"])
years = st.integers(1940, 2026)


def scored(*rows: dict[str, Any]) -> pd.DataFrame:
    leaks = leaks_of()
    return score_segments(segments_of(*rows), named_links(leaks, "S0000"), leaks, None, POLICY, AS_OF)


@FEW
@given(material=materials, first=years, span=st.integers(0, 40))
def test_the_factor_is_the_mean_over_every_day_of_the_interval(material: str, first: int, span: int) -> None:
    segments = segments_of({"material": material, "installed_year_min": first, "installed_year_max": first + span})
    course = age_course(segments, POLICY.weights.likelihood)
    mean, deviation = course.over(age_interval(segments, AS_OF))
    # the slow oracle: very many days of installation, evenly spread
    laid = first + (np.arange(200_000) + 0.5) / 200_000 * (span + 1)
    ages = np.maximum(decimal_year(AS_OF) - laid, 0.0)
    factors = np.exp(course.ln_factor(ages, np.zeros(len(ages), dtype=np.int64)))
    assert mean[0] == pytest.approx(factors.mean(), rel=1e-5)
    assert deviation[0] == pytest.approx(factors.std(), rel=1e-3, abs=1e-6)


def test_without_a_year_the_default_age_holds_and_no_spread_is_claimed() -> None:
    scores = scored({"installed_year_min": None, "installed_year_max": None}, {})
    assert scores["likelihood_sd_per_km_year"].isna().tolist() == [True, False]
    assert scores["age_most_years"].isna().tolist() == [True, False]


@FEW
@given(material=materials, first=years, span=st.integers(0, 30), later=st.integers(0, 40))
def test_an_interval_that_lies_later_never_scores_higher(material: str, first: int, span: int, later: int) -> None:
    rows = [
        {"material": material, "installed_year_min": first + by, "installed_year_max": first + span + by}
        for by in (0, later)
    ]
    older, younger = scored(*rows)["likelihood_per_km_year"]
    assert older >= younger - 1e-12


@FEW
@given(material=materials, first=years, span=st.integers(1, 30))
def test_a_wider_interval_scatters_more_and_its_bounds_are_its_ends(material: str, first: int, span: int) -> None:
    wide = {"installed_year_min": first, "installed_year_max": first + span}
    scores = scored({"material": material} | wide)
    now = decimal_year(AS_OF)
    assert scores["age_least_years"].iloc[0] == pytest.approx(max(now - first - span - 1, 0))
    assert scores["age_most_years"].iloc[0] == pytest.approx(max(now - first, 0))
    assert scores["likelihood_sd_per_km_year"].iloc[0] >= 0


@FEW
@example(medium="gas", material="steel", first=1990, span=30, assessment=None)
@given(
    medium=media,
    material=materials,
    first=st.one_of(st.none(), years),
    span=st.integers(0, 60),
    assessment=st.sampled_from([None, "safe", "renew_by"]),
)
def test_a_class_is_certain_where_every_year_of_the_interval_gives_it(
    medium: str, material: str, first: int | None, span: int, assessment: str | None
) -> None:
    """The slow oracle: one segment for each year; without an earliest year as far back as any limit reaches."""
    last = 2026 if first is None else min(first + span, 2026)
    row = {"medium": medium, "material": material, "assessment": assessment, "assessed_on": "2026-01-01"}
    whole = scored(row | {"installed_year_min": first, "installed_year_max": last}).iloc[0]
    every = [
        row | {"installed_year_min": year, "installed_year_max": year}
        for year in range(1850 if first is None else first, last + 1)
    ]
    leaks = leaks_of()
    classes = classify_segments(segments_of(*every), named_links(leaks, "S0000"), leaks, POLICY, AS_OF)
    assert whole["policy_is_certain"] == (set(classes["policy_class"]) == {whole["policy_class"]})
