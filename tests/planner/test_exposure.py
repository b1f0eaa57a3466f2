"""Exposure in closed form against slow sums over many days."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.age_course import age_course
from planner.ages import decimal_year
from planner.exposure import find_exposure
from planner.policy import read_policy
from tests.planner.frames import segments_of

AS_OF = date(2026, 11, 1)
NOW = decimal_year(AS_OF)
WEIGHTS = read_policy().weights.likelihood
FEW = settings(deadline=None, max_examples=15)
materials = st.sampled_from(["grey_iron", "steel", "pe100", "galvanised_steel"])


def surveyed_of(*rows: tuple[str | None, int, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "district_id": pd.Series([row[0] for row in rows], dtype="str"),
            "year": pd.Series([row[1] for row in rows], dtype="Int64"),
            "share": [row[2] for row in rows],
        }
    )


@FEW
@given(
    material=materials,
    first=st.integers(1930, 2026),
    span=st.integers(0, 30),
    since=st.floats(0.5, 60),
    gone=st.one_of(st.none(), st.integers(1990, 2026)),
    share=st.one_of(st.none(), st.floats(0, 1)),
)
def test_the_closed_form_is_the_sum_over_days_and_installations(
    material: str, first: int, span: int, since: float, gone: int | None, share: float | None
) -> None:
    retired_on = None if gone is None else f"{gone}-01-01"
    segments = segments_of(
        {
            "material": material,
            "installed_year_min": first,
            "installed_year_max": first + span,
            "retired_on": retired_on,
        }
    )
    surveyed = None if share is None else surveyed_of((None, 2020, share), (None, 2026, share / 2))
    exposure = find_exposure(segments, AS_OF, surveyed)
    found = exposure.factor_years(age_course(segments, WEIGHTS), np.array([since]))[0]
    laid = first + (np.arange(300) + 0.5) / 300 * (span + 1)
    time = NOW - since + (np.arange(6000) + 0.5) / 6000 * since
    age = time[None, :] - laid[:, None]
    power = age_course(segments, WEIGHTS).exponent[0]
    rate = np.where(age >= 0, ((np.maximum(age, 0) + 1) / 21) ** power, 0.0)
    if gone is not None:
        rate[:, time > NOW - (AS_OF - date(gone, 1, 1)).days / 365.25] = 0.0
    if share is not None:
        rate[:, (time >= 2020) & (time < 2021)] *= share
        rate[:, time >= 2026] *= share / 2
    assert found == pytest.approx(rate.mean() * since, rel=3e-3, abs=3e-3)


def test_an_unknown_year_is_there_all_the_time_at_its_default_age() -> None:
    segments = segments_of({"installed_year_min": None, "installed_year_max": None})
    years = find_exposure(segments, AS_OF).factor_years(age_course(segments, WEIGHTS), np.array([12.0]))
    # 20 years is the age of the reference and the default for gas
    np.testing.assert_allclose(years, 12.0)


def test_what_a_district_looked_at_goes_before_the_network() -> None:
    segments = segments_of({}, {}, {})
    surveyed = surveyed_of((None, 2020, 0.5), ("D1", 2020, 0.0), ("D2", 2021, 0.25))
    district = pd.Series(["D1", "D2", None], segments.index, dtype="str")
    looked_at = find_exposure(segments, AS_OF, surveyed, district).looked_at
    assert {year: share.tolist() for year, share in looked_at.items()} == {2020: [0, 0.5, 0.5], 2021: [1, 0.25, 1]}
    assert find_exposure(segments, AS_OF, surveyed).looked_at[2021].tolist() == [1, 1, 1]
