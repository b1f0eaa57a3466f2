"""Plans that must avoid a least amount of risk, repairs or methane while the objective seeks something else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner.benefits import PARTS, Worth
from planner.choice import Effort
from planner.impossible import lowered
from planner.limits import LEAST_OPTIONS, Limits
from planner.plan import Plan, make_plan
from planner.plan_request import Asked, settle
from planner.scenario import Scenario
from planner.why_text import why_in_words
from registry.errors import PlanningError, UsageError
from tests.planner.test_late import POLICY, floor_parts
from tests.planner.verified import assert_kept

YEARS = range(2027, 2029)
BUDGET_CNY = 330_000.0


def town_plan(worth: Worth | None = None, **limits: Any) -> Plan:
    """A plan of a town in which some pipes lose methane and others do not."""
    segments, scores, pairs, projects, policy, limit, supplied, bearing = floor_parts(
        None, budget_cny=BUDGET_CNY, **limits
    )
    scores = scores.assign(policy_class="keep", grade="severe")
    gas = pd.DataFrame({"methane_saved_t_per_year": np.arange(len(segments)) % 3 * 0.5}, index=segments.index)
    effort = Effort(gap_share=0.0)
    bearing = replace(bearing, emissions=gas, worth=worth or Worth(), effort=effort, conditions=None)
    made = make_plan(segments, scores, pairs, projects, policy, limit, supplied, bearing)
    assert_kept(segments, scores, made, projects, policy, limit)
    return made


def methane_t(made: Plan) -> float:
    """Methane of a plan, year by year and pipe by pipe."""
    planning = POLICY.planning
    total = 0.0
    placed = made.batch_segments[made.batch_segments["year"].notna()]
    segments = floor_parts(None)[0]
    for segment, year in placed["year"].items():
        yearly = list(segments.index).index(segment) % 3 * 0.5
        for later in range(int(year) - YEARS.start, round(planning.horizon_years.value)):
            total += yearly / (1.0 + planning.discount_share_per_year.value) ** later
    return total


@pytest.fixture(scope="module")
def plain() -> Plan:
    return town_plan()


@pytest.fixture(scope="module")
def most_methane_t() -> float:
    return float(town_plan(Worth(risk=0.0, methane_t=1.0)).summary["methane_t"])


@pytest.mark.parametrize("part", PARTS)
def test_what_the_best_plan_for_a_part_avoids_can_be_asked_of_any_plan(part: str, plain: Plan) -> None:
    best = town_plan(Worth(**{name: float(name == part) for name in PARTS})).summary
    made = town_plan(**{f"least_{part}": best[part] * (1 - 1e-6)}).summary
    assert made[part] >= best[part] * (1 - 1e-6)
    # what is asked for is never a gain to the objective
    assert made["objective"] <= plain.summary["objective"] * (1 + 1e-9)
    assert made["bound"] >= made["objective"] * (1 - 1e-9)


def test_methane_that_is_asked_for_is_avoided_and_costs_risk(plain: Plan, most_methane_t: float) -> None:
    assert methane_t(plain) == pytest.approx(plain.summary["methane_t"])
    assert plain.summary["methane_t"] < most_methane_t
    reached = [plain.summary["objective"]]
    for share in (0.5, 0.9, 0.999):
        least = plain.summary["methane_t"] + share * (most_methane_t - plain.summary["methane_t"])
        made = town_plan(least_methane_t=least)
        assert methane_t(made) >= least * (1 - 1e-9)
        assert made.summary["least_methane_t"] == least
        reached.append(made.summary["objective"])
    assert reached == sorted(reached, reverse=True)
    assert reached[-1] < reached[0]


def test_pipes_that_only_the_least_amount_brings_in_say_so(plain: Plan, most_methane_t: float) -> None:
    assert "floor" not in set(plain.reasons["reason"])
    made = town_plan(least_methane_t=most_methane_t * 0.999)
    asked = made.reasons[made.reasons["reason"] == "floor"]
    assert len(asked)
    outside = plain.reasons["year"].isna()
    assert set(asked.index) & set(plain.reasons.index[outside])
    for language, word in (("en", "least amount"), ("zh", "最低量")):
        texts = why_in_words(asked, made.batches, made.batch_segments, language)
        assert texts.str.contains(word).all()
        assert not texts.str.contains(r"[{}]").any()


def test_what_is_out_of_reach_is_told_with_what_can_be_reached(most_methane_t: float) -> None:
    with pytest.raises(PlanningError) as fault:
        town_plan(least_methane_t=2 * most_methane_t)
    for language, word, rule in (("en", "methane avoided", "the money"), ("zh", "减排甲烷", "资金")):
        text = fault.value.message(language)
        assert word in text
        assert rule in text
        assert f"{most_methane_t:,.4g}" in text
        assert not set(text) & set("{}")
    options: Any = fault.value.parameters["options"]
    name, amount = str(options.parameters["options"]).split()
    assert name == "--least-methane-t"
    assert 0.99 * most_methane_t < float(amount) <= most_methane_t
    # what is advised lets a plan be made, as it is told
    assert town_plan(least_methane_t=float(amount)).summary["methane_t"] >= float(amount) * (1 - 1e-9)


def test_several_floors_are_lowered_together_and_rounded_down() -> None:
    asked = Limits(YEARS, (1.0, 1.0), district_floor_share=0.9, least_methane_t=123.456, least_repair_cny=9.99999e7)
    lower = lowered(asked, 0.5)
    assert lower.district_floor_share == 0.45
    assert lower.least() == pytest.approx({"methane_t": 61.72, "repair_cny": 4.999e7})
    assert lowered(asked, 0.0).least() == {}
    assert lowered(Limits(YEARS, (1.0, 1.0)), 0.5) == Limits(YEARS, (1.0, 1.0))


def test_options_come_before_the_scenario_and_that_before_the_saved_plan() -> None:
    saved = Limits(YEARS, (1e6, 2e6), carried_share=0.25, least_risk=1.0, least_repair_cny=2.0, least_methane_t=3.0)
    assert Limits.of_summary(saved.facts()) == saved
    scenario = Scenario.from_dict({"name": "s", "limits": {"least_repair_cny": 20.0, "least_methane_t": 30.0}})
    limits = settle(Asked(least_methane_t=300.0), scenario, saved.facts()).limits
    assert limits.least() == {"risk": 1.0, "repair_cny": 20.0, "methane_t": 300.0}
    assert settle(Asked(least_risk=0.0), scenario, saved.facts()).limits.least() == {
        "repair_cny": 20.0,
        "methane_t": 30.0,
    }


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("least", [-1.0, np.inf, np.nan])
def test_a_least_amount_that_is_none_is_refused(part: str, least: float) -> None:
    stated: dict[str, Any] = {f"least_{part}": least}
    asked = Asked(YEARS, budget_cny=1e6, **stated)
    with pytest.raises(UsageError) as fault:
        settle(asked)
    for language in ("en", "zh"):
        assert LEAST_OPTIONS[part] in fault.value.message(language)
