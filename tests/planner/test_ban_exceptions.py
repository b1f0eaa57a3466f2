from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from planner.ban_exceptions import applicable_exceptions, label_exceptions, quote_exceptions
from planner.policy import Policy, read_policy
from tests.planner.test_bans import ban_set, policy_with

US_CODES = "emergency_repair|special_approval|trenchless|before_resurfacing"


def applying(policy: Policy, **case: Any) -> str:
    return str(applicable_exceptions(pd.DataFrame([{"exceptions": US_CODES} | case]), policy).iloc[0])


def us_policy(methods: tuple[str, ...] = ("open_trench", "trenchless"), **conditions: Any) -> Policy:
    """The example of the United States, with other conditions of its trenchless exception."""
    policy = policy_with("us-example")
    changed = tuple(
        exception.model_copy(update=conditions) if exception.code == "trenchless" else exception
        for exception in policy.bans.exceptions
    )
    timing = policy.timing.model_copy(update={"renewal_methods": methods})
    return policy.model_copy(update={"bans": policy.bans.model_copy(update={"exceptions": changed}), "timing": timing})


@pytest.mark.parametrize(
    ("case", "codes"),
    [
        ({}, "special_approval|trenchless"),
        ({"method": "open_trench"}, "special_approval"),
        ({"method": "trenchless"}, "special_approval|trenchless"),
        ({"method": "emergency"}, "emergency_repair|special_approval"),
        ({"project_kind": "road_overlay", "days_until_works": 1.0}, "special_approval|trenchless|before_resurfacing"),
        ({"project_kind": "road_overlay", "days_until_works": 730.0}, "special_approval|trenchless|before_resurfacing"),
        ({"project_kind": "road_overlay", "days_until_works": 731.0}, "special_approval|trenchless"),
        ({"project_kind": "road_overlay", "days_until_works": 0.0}, "special_approval|trenchless"),
        ({"project_kind": "road_overlay"}, "special_approval|trenchless"),
        ({"project_kind": "utility", "days_until_works": 9.0}, "special_approval|trenchless"),
        ({"exceptions": "emergency_repair"}, ""),
    ],
)
def test_an_exception_applies_where_its_conditions_hold(case: dict[str, Any], codes: str) -> None:
    assert applying(us_policy(), **case) == codes


def test_an_owner_who_digs_only_trenches_has_no_trenchless_exception() -> None:
    assert applying(us_policy(methods=("open_trench",))) == "special_approval"


@pytest.mark.parametrize(
    ("conditions", "case", "applies"),
    [
        ({"maximum_diameter_mm": 200.0}, {"diameter_mm": 200.0}, True),
        ({"maximum_diameter_mm": 200.0}, {"diameter_mm": 200.1}, False),
        ({"maximum_diameter_mm": 200.0}, {"diameter_mm": None}, True),
        ({"media": ("gas",)}, {"medium": "gas"}, True),
        ({"media": ("gas",)}, {"medium": "water"}, False),
        ({"policy_classes": ("mandatory",)}, {"policy_class": "due"}, False),
        ({"policy_classes": ("mandatory",)}, {"policy_class": "mandatory"}, True),
        ({"policy_classes": ("mandatory",)}, {}, True),
    ],
)
def test_conditions_on_the_segment(conditions: dict[str, Any], case: dict[str, Any], applies: bool) -> None:
    assert ("trenchless" in applying(us_policy(**conditions), **case)) == applies


def test_no_ban_has_no_exceptions_and_one_without_has_none_that_applies() -> None:
    cases = pd.DataFrame({"exceptions": pd.Series([None, "", "special_approval"], [7, 8, 9], dtype="str")})
    told = applicable_exceptions(cases, read_policy())
    assert told.index.tolist() == [7, 8, 9]
    assert told.isna().tolist() == [True, False, False]
    assert told.iloc[1:].tolist() == ["", "special_approval"]


def test_exceptions_are_quoted_in_both_languages() -> None:
    bans = ban_set("cn-national")
    chinese = quote_exceptions("special_approval|emergency_repair", bans, "zh")
    assert chinese[0] == "特殊情况经政府批准：“因特殊情况需要挖掘的，须经县级以上城市人民政府批准。”"
    assert "24小时" in chinese[1]
    english = quote_exceptions("special_approval|emergency_repair", bans, "en")
    assert english[0].startswith("Special approval by the government: “Where digging is needed")
    assert label_exceptions("emergency_repair", bans, "zh") == ["管线故障紧急抢修"]
    assert quote_exceptions("", bans, "en") == []
