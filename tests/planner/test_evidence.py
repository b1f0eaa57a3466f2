"""What speaks for a segment besides its place: install interval, statements of the crew, leak rate of its cohort."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.evidence import diameter_fit, laid_share, leak_rates, material_fit, tier_fit
from planner.likelihood import likelihood_parts
from planner.policy import read_policy
from planner.record import Record
from tests.planner.frames import leaks_of, segments_of

LINKS = read_policy().links
FIRST = np.array([0], dtype=np.int64)


def share_on(day: str, first: int | None, last: int | None) -> float:
    segments = segments_of({"installed_year_min": first, "installed_year_max": last})
    return float(laid_share(segments, FIRST, np.array([day], dtype="datetime64[D]"))[0])


@pytest.mark.parametrize(
    ("day", "first", "last", "share"),
    [
        ("2014-12-31", 2015, 2015, 0.0),
        ("2015-01-01", 2015, 2015, 1 / 365),
        ("2015-12-31", 2015, 2015, 1.0),
        ("2012-06-30", 2010, 2014, (365 + 365 + 182) / (5 * 365 + 1)),
        ("2012-06-30", None, None, 1.0),
        ("2012-06-30", None, 2011, 1.0),
        ("2012-06-30", None, 2013, 1.0),
        ("2012-06-30", 2012, None, 1.0),
        ("2012-06-30", 2013, None, 0.0),
    ],
)
def test_the_share_of_the_install_interval_before_the_leak(
    day: str, first: int | None, last: int | None, share: float
) -> None:
    assert share_on(day, first, last) == pytest.approx(share)


@given(first=st.integers(1950, 2030), length=st.integers(0, 30), later=st.integers(0, 5))
def test_a_pipe_that_may_be_younger_is_never_likelier(first: int, length: int, later: int) -> None:
    assert share_on("2015-06-01", first, first + length) >= share_on(
        "2015-06-01", first + later, first + length + later
    )


def fit_of(which: Any, leak: dict[str, Any], segment: dict[str, Any], agreement: Any) -> float:
    return float(which(leaks_of(leak), segments_of(segment), FIRST, FIRST, agreement)[0])


@pytest.mark.parametrize(
    ("stated", "known", "fit"),
    [
        ("steel", "steel", 1.0),
        ("cast_iron", "grey_iron", LINKS.material.kin.value),
        ("pe", "pe100", LINKS.material.kin.value),
        ("steel", "grey_iron", LINKS.material.other.value),
        ("concrete", "concrete", 1.0),
        ("concrete", "steel", LINKS.material.other.value),
        ("steel", None, LINKS.material.unknown.value),
        ("steel", "unknown", LINKS.material.unknown.value),
        (None, "steel", 1.0),
        ("unknown", "steel", 1.0),
        ("unknown", None, 1.0),
    ],
)
def test_a_stated_material_agrees_by_name_then_by_family(stated: str | None, known: str | None, fit: float) -> None:
    assert fit_of(material_fit, {"material": stated}, {"material": known}, LINKS.material) == fit


@pytest.mark.parametrize(
    ("stated", "known", "fit"),
    [
        (100.0, 110.0, 1.0),
        (110.0, 100.0, 1.0),
        (88.0, 100.0, 1.0),
        (87.9, 100.0, LINKS.diameter.other.value),
        (100.0, None, LINKS.diameter.unknown.value),
        (None, 100.0, 1.0),
        (None, None, 1.0),
    ],
)
def test_a_stated_diameter_agrees_within_the_tolerance(stated: float | None, known: float | None, fit: float) -> None:
    assert fit_of(diameter_fit, {"diameter_mm": stated}, {"diameter_mm": known}, LINKS.diameter) == fit


@pytest.mark.parametrize(
    ("stated", "known", "fit"),
    [
        ("courtyard", "courtyard", 1.0),
        ("courtyard", "municipal", LINKS.tier.other.value),
        ("courtyard", None, LINKS.tier.unknown.value),
        (None, "municipal", 1.0),
    ],
)
def test_a_stated_tier_agrees_or_not(stated: str | None, known: str | None, fit: float) -> None:
    assert fit_of(tier_fit, {"tier": stated}, {"tier": known}, LINKS.tier) == fit


def test_the_rate_is_that_of_the_cohort_on_the_day_of_the_leak() -> None:
    """The scores, made on that day without any leak on record, say the same."""
    segments = segments_of(
        {"material": "grey_iron", "installed_year_min": 1960, "installed_year_max": 1969},
        {"material": "pe80", "coating": "not_applicable", "installed_year_min": None, "installed_year_max": None},
        {"material": "steel", "coating": "none", "diameter_mm": 80.0, "installed_year_min": None},
        {"material": None, "diameter_mm": None, "medium": "water"},
    )
    weights = read_policy().weights
    none = Record(np.empty(0, np.int64), np.empty(0), np.empty(0, "datetime64[D]"), len(segments))
    expected = np.exp(likelihood_parts(segments, none, weights, date(2015, 6, 1)).ln_likelihood)
    days = np.full(len(segments), np.datetime64("2015-06-01"))
    np.testing.assert_allclose(leak_rates(segments, np.arange(4), days, weights), expected, rtol=1e-3)


def test_only_the_part_of_an_interval_before_the_leak_makes_its_age() -> None:
    """Laid from 1991 to 2030 and leaking at the end of 2010, it is ten years old."""
    straddling = segments_of({"material": "grey_iron", "installed_year_min": 1991, "installed_year_max": 2030})
    known = segments_of({"material": "grey_iron", "installed_year_min": 2000, "installed_year_max": 2001})
    day = np.array(["2011-01-01"], dtype="datetime64[D]")
    weights = read_policy().weights
    np.testing.assert_allclose(
        leak_rates(straddling, FIRST, day, weights), leak_rates(known, FIRST, day, weights), rtol=1e-3
    )


def test_frames_without_the_columns_state_nothing() -> None:
    leaks, segments = leaks_of({}), segments_of({})[["medium", "geometry"]]
    assert material_fit(leaks, segments, FIRST, FIRST, LINKS.material).tolist() == [1.0]
    assert diameter_fit(leaks, segments, FIRST, FIRST, LINKS.diameter).tolist() == [1.0]
    assert tier_fit(leaks, segments, FIRST, FIRST, LINKS.tier).tolist() == [1.0]
