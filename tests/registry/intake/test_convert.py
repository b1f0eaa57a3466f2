"""Words of surveys understood column by column: diameters, days, years, numbers, units."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def offers(kind: str, column: str, word: str) -> object:
    findings = Findings(1)
    convert(pd.Series([word], dtype=object), fields()[kind][column], findings, {}, 1.0)
    return findings.table()["offered"].iloc[0]


@pytest.mark.parametrize("word", ["中水", "氢气", "污", "热气", "雨污"])
def test_no_medium_is_offered_for_another(word: str) -> None:
    assert offers("segments", "medium", word) is None


def test_sewage_and_storm_water_are_media_of_their_own() -> None:
    read = understood("segments", "medium", ["污水", "WS", "雨水", "YS", "雨污合流", "HS", "排水"])
    assert read == (["sewage", "sewage", "storm", "storm", "drain", "drain", "drain"], [])


@pytest.mark.parametrize(("word", "offered"), [("球墨铁管", "ductile_iron"), ("木头", None), ("塑木", None)])
def test_a_material_is_offered_only_where_it_is_like(word: str, offered: str | None) -> None:
    told = offers("segments", "material", word)
    assert (told is None) if offered is None else (offered in str(told))


@pytest.mark.parametrize(
    ("kind", "column", "wide", "narrow"),
    [
        ("segments", "material", "ＰＥ１００", "pe100"),
        ("segments", "cover_depth_m", "１．２", 1.2),
        ("segments", "diameter_mm", "ＤＮ２００", 200.0),
        ("segments", "installed_year_min", "１９９４年", 1994),
        ("segments", "is_encroached", "１", True),
        ("leaks", "leaked_on", "２０２４－０３－０５", date(2024, 3, 5)),
    ],
)
def test_full_width_forms_are_read_as_what_they_are(kind: str, column: str, wide: str, narrow: object) -> None:
    assert understood(kind, column, [wide]) == ([narrow], [])


def test_full_width_forms_of_free_text_stay_as_they_are() -> None:
    assert understood("segments", "street_name", ["Ａ路", 3]) == (["Ａ路", "3"], [])


@pytest.mark.parametrize("written", ["10²", "inf", "-Infinity", "1e999"])
def test_what_is_no_plain_number_is_a_fault(written: str) -> None:
    assert understood("segments", "cover_depth_m", [written]) == ([None], ["not_a_number"])
    assert understood("risers", "household_count", [written]) == ([None], ["not_a_number"])


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("1020-01-01", ["day_out_of_range"]),
        ("1849-12-31", ["day_out_of_range"]),
        (date(1020, 1, 1), ["day_out_of_range"]),
        ("2201-01-01", ["day_out_of_range"]),
        ("1850-01-01", []),
    ],
)
def test_days_before_there_were_pipes_are_out_of_range(written: object, codes: list[str]) -> None:
    assert understood("leaks", "leaked_on", [written])[1] == codes


WORDS = [
    "铸铁",
    "钢",
    " PE80 ",
    "灰铸",
    "DN200",
    "１６０",
    "2027年",
    "80年代",
    "2027-03-05",
    "是",
    "不明",
    "",
    "-",
    "12.5",
]


@given(
    st.sampled_from([("segments", name) for name in fields()["segments"] if name != "geometry"]),
    st.lists(st.sampled_from([*WORDS, None]), min_size=1, max_size=40),
    st.permutations(WORDS),
)
def test_a_column_of_repeated_words_is_understood_as_the_words_are(
    field: tuple[str, str], written: list[str | None], listed: list[str]
) -> None:
    kind, column = field
    seen: list[tuple[list[Any], list[Any]]] = []
    for raw in (
        pd.Series(written, dtype="str"),
        pd.Series(pd.Categorical(written, categories=listed)),
    ):
        findings = Findings(len(raw))
        values = convert(raw, fields()[kind][column], findings, {}, 1.0)
        faults = findings.table()[["position", "column_name", "code", "value", "offered"]]
        seen.append((values.to_pylist(), faults.astype(object).where(faults.notna(), None).to_numpy().tolist()))
    assert seen[0] == seen[1]
