"""Words of surveys understood column by column: diameters, days, years, numbers, units."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from registry.fields import fields
from registry.intake.convert import convert
from registry.intake.findings import Findings


def understood(
    kind: str, column: str, raw: list[Any], words: dict[str, str] | None = None, factor: float = 1.0
) -> tuple[list[Any], list[str]]:
    """What became of the values, and the codes of the faults in their order."""
    findings = Findings(len(raw))
    values = convert(pd.Series(raw, dtype=object), fields()[kind][column], findings, words or {}, factor)
    return values.to_pylist(), findings.table()["code"].tolist()


@pytest.mark.parametrize(
    ("written", "millimetres"),
    [("200", 200), ("DN200", 200), ("De160", 160), ("D219×6", 219), ("φ108*4.5", 108), (63, 63), ("dn 50 mm", 50)],
)
def test_a_diameter_is_the_number_after_its_kind(written: object, millimetres: float) -> None:
    assert understood("segments", "diameter_mm", [written]) == ([millimetres], [])


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("2027", date(2027, 1, 1), date(2027, 12, 31)),
        ("2027年", date(2027, 1, 1), date(2027, 12, 31)),
        ("2028年2月", date(2028, 2, 1), date(2028, 2, 29)),
        ("2027-11", date(2027, 11, 1), date(2027, 11, 30)),
        ("2027年3月5日", date(2027, 3, 5), date(2027, 3, 5)),
        ("20270305", date(2027, 3, 5), date(2027, 3, 5)),
    ],
)
def test_a_bare_year_or_month_is_its_first_day_and_at_an_end_its_last(written: str, first: date, last: date) -> None:
    for column, day in (("starts_on", first), ("ends_on", last)):
        values, faults = understood("projects", column, [written])
        assert values == [day]
        assert faults == []


def test_limits_belong_to_the_range() -> None:
    values, faults = understood("projects", "half_width_m", [0.5, 100.0, 0.49, 100.01])
    assert values[:2] == [0.5, 100.0]
    assert faults == ["out_of_range", "out_of_range"]


def test_a_number_is_brought_to_our_unit_before_its_range_is_checked() -> None:
    assert understood("segments", "cover_depth_m", [1200.0, "800"], factor=0.001) == ([1.2, 0.8], [])
    assert understood("segments", "cover_depth_m", [1200.0])[1] == ["out_of_range"]


def test_words_of_the_mapping_come_before_our_own() -> None:
    values, faults = understood("segments", "material", ["CI", "钢", "木"], {"CI": "grey_iron"})
    assert values == ["grey_iron", "steel", None]
    assert faults == ["value_not_listed"]


def test_a_word_that_means_unknown_leaves_a_number_empty() -> None:
    assert understood("segments", "diameter_mm", ["不明", "0", "100"], {"0": ""}) == ([None, None, 100.0], [])
