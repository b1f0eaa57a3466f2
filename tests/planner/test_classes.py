from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from planner.classes import classify_segments
from planner.policy import read_policy
from tests.planner.frames import leaks_of, line, named_links, segments_of

TODAY = date(2026, 11, 1)


def classified(*rows: dict[str, Any], leak_days: tuple[str, ...] = (), as_of: date = TODAY) -> pd.DataFrame:
    leaks = leaks_of(*({"leaked_on": day} for day in leak_days))
    return classify_segments(segments_of(*rows), named_links(leaks, "S0000"), leaks, read_policy(), as_of)


def years(first: int | None, last: int | None = None) -> dict[str, Any]:
    return {"installed_year_min": first, "installed_year_max": last if last is not None else first}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"material": "grey_iron", **years(2020)}, ("mandatory", "gas_grey_iron")),
        ({"material": "grey_iron", "status": "abandoned"}, ("keep", "not_in_service")),
        ({"material": "pe100", "is_encroached": True, **years(2020)}, ("mandatory", "gas_encroached")),
        ({"material": "pe100", "assessment": "renew_now", **years(2020)}, ("mandatory", "renew_at_once")),
        ({"assessment": "renew_by", "assessed_on": "2015-01-01"}, ("due", "renew_by_date")),
        ({"material": "pe100", **years(2006)}, ("assess", "gas_aged")),
        ({"material": "pe100", **years(2007)}, ("keep", "below_age")),
        ({"material": "pe100", **years(2000, 2010)}, ("assess", "gas_age_open")),
        ({"material": "pe100", **years(None)}, ("assess", "gas_age_open")),
        ({"material": "pe100", "assessment": "safe", "assessed_on": "2025-01-01"}, ("keep", "passed_assessment")),
        ({"material": "pe100", "assessment": "safe", "assessed_on": "2020-01-01"}, ("assess", "gas_aged")),
        ({"material": "pe100", "assessment": "safe"}, ("assess", "gas_aged")),
        ({"material": "pe100", "assessment": "safe", "assessed_on": "2027-01-01"}, ("assess", "gas_aged")),
        ({"material": "ductile_iron", **years(2020)}, ("assess", "gas_ductile_iron")),
        ({"material": "cast_iron", **years(2020)}, ("assess", "gas_iron_kind_unknown")),
        ({"material": None, **years(2020)}, ("assess", "gas_material_unknown")),
        ({"medium": "water", "material": "asbestos_cement", **years(2020)}, ("mandatory", "water_asbestos")),
        ({"medium": "water", "material": "concrete", **years(2020)}, ("mandatory", "water_cement")),
        ({"medium": "water", "material": "grey_iron", **years(2020)}, ("mandatory", "water_grey_iron")),
        ({"medium": "water", "material": "cast_iron", **years(2020)}, ("assess", "water_iron_kind_unknown")),
        ({"medium": "water", "material": "ductile_iron", **years(1996)}, ("assess", "water_aged")),
        ({"medium": "water", "material": "ductile_iron", **years(1997)}, ("keep", "below_age")),
        ({"medium": "heat", **years(2006)}, ("due", "heat_aged")),
        ({"medium": "drain", "material": "concrete", **years(1976)}, ("due", "drain_aged")),
        ({"medium": "drain", "material": "concrete", **years(1977)}, ("keep", "below_age")),
        ({"medium": "other", "material": "steel", **years(2025)}, ("assess", "no_rule_applies")),
    ],
)
def test_each_rule_decides_its_case(row: dict[str, Any], expected: tuple[str, str]) -> None:
    result = classified(row).iloc[0]
    assert (result["policy_class"], result["policy_code"]) == expected


def test_a_leaking_old_water_main_is_due_and_only_by_leaks_of_the_window() -> None:
    row = {"medium": "water", "material": "steel", **years(1980)}
    assert classified(row, leak_days=("2019-01-01", "2020-01-01"))["policy_code"].tolist() == ["water_aged_leaking"]
    assert classified(row, leak_days=("2019-01-01",))["policy_code"].tolist() == ["water_aged"]
    assert classified(row, leak_days=("2009-01-01", "2010-01-01"))["policy_code"].tolist() == ["water_aged"]
    early = classified(row, leak_days=("2019-01-01", "2020-01-01"), as_of=date(2019, 6, 1))
    assert early["policy_code"].tolist() == ["water_aged"]


def test_the_flags_of_the_census() -> None:
    rows = [
        {"material": "grey_iron", **years(2020)},
        {"material": "pe100", **years(2000, 2011)},
        {"material": "pe100", **years(2000, 2013)},
        {"material": "pe100", "is_encroached": True, **years(2020)},
        {"material": "pe100", "assessment": "renew_by", **years(2020)},
        {"material": "pe100", **years(None)},
    ]
    flags = classified(*rows, leak_days=("2020-01-01", "2021-01-01"))
    assert flags["is_backward_material"].tolist() == [True, False, False, False, False, False]
    assert flags["is_long_service"].tolist() == [False, True, False, False, False, False]
    assert flags["has_hazard"].tolist() == [False, False, False, True, True, False]
    assert flags["is_heavy_leakage"].tolist() == [True, False, False, False, False, False]


def test_heavy_leakage_is_a_rate_so_a_long_pipe_needs_more_leaks() -> None:
    leaks = ("2020-01-01", "2021-01-01", "2022-01-01")
    short, long = ({"geometry": line((0, 0), (x, 0))} for x in (299.0, 301.0))
    assert classified(short, leak_days=leaks)["is_heavy_leakage"].tolist() == [True]
    assert classified(long, leak_days=leaks)["is_heavy_leakage"].tolist() == [False]


def test_every_rule_has_words_in_both_languages() -> None:
    for rule in read_policy().rules.rules:
        assert rule.label_en != rule.label_zh
        assert rule.source
