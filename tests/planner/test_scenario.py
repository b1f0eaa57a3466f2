"""Scenarios: what the file says, what the plan then sees, and what takes the place of what is not said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from planner.bans import find_bans
from planner.choice import Effort
from planner.limits import Limits
from planner.meeting import City
from planner.plan_request import Asked, settle
from planner.policy import read_policy
from planner.scenario import Scenario, apply_scenario, scenario_of_run, written_scenario
from planner.scenario_faults import unknown_names
from planner.scenario_words import made_from_phrases
from registry.errors import PlanningError, PolicyError, UsageError
from registry.fields import check_frame
from tests.planner.frames import frame_of, line, segments_of
from tests.planner.test_plan import AS_OF
from tests.planner.towns import YEARS, small_town

POLICY = read_policy()
WRITTEN = """
name = "late works"
note = "for December"
lift = ["R1"]

[limits]
budget_cny = { 2027 = 5e5, 2029 = 7e5 }
carry_over = 0.5
km = 2

[weights]
methane = 0.25

[projects.P0000]
starts_on = 2029-01-01
ends_on = 2029-06-30

[projects.P0001]
cancelled = true

[[bans]]
street = "east 0"
first = 2027-01-01
last = 2027-12-31
"""


def city() -> City:
    town = small_town()
    roads = frame_of(
        "roads",
        [
            {
                "road_id": f"R{number}",
                "name": f"east {number}",
                "geometry": line((-9, y), (300, y)),
                "overhauled_on": on,
            }
            for number, (y, on) in enumerate(((0, None), (60, "2025-03-01"), (120, "2025-05-01")))
        ],
        ("name", "overhauled_on", "opened_on", "overlaid_on", "width_m"),
    )
    nothing = frame_of("moratoria", [], ("starts_on", "ends_on", "street_name", "road_id", "cause"))
    empty = segments_of().iloc[:0]
    return City(town.segments, roads, empty, town.projects, nothing, empty, empty)


def scenario(tmp_path: Path, text: str = WRITTEN) -> Scenario:
    path = tmp_path / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return Scenario.from_dict(written_scenario(path), str(path))


def test_the_plan_sees_what_the_scenario_says_and_the_city_stays_as_it_was(tmp_path: Path) -> None:
    before = city()
    copy = replace(before, projects=before.projects.copy(), moratoria=before.moratoria.copy())
    seen, told = apply_scenario(before, scenario(tmp_path), POLICY, AS_OF)
    for name in ("projects", "moratoria", "roads"):
        pd.testing.assert_frame_equal(getattr(before, name), getattr(copy, name))
    assert seen.projects["ends_on"]["P0000"] == pd.Timestamp("2029-06-30")
    assert seen.projects["state"]["P0001"] == "cancelled"
    check_frame(seen.moratoria, "moratoria", ["starts_on"])
    found, old = seen.bans(POLICY, AS_OF), before.bans(POLICY, AS_OF)
    assert "R1" in set(old["source_id"])
    assert "R1" not in set(found["source_id"])
    assert "P0001" not in set(found["source_id"])
    added = found[found["source_kind"] == "moratorium"]
    assert added["street_name"].tolist() == ["east 0"]
    assert added.geometry.intersects(line((0, 0), (200, 0))).tolist() == [True]
    assert [(change["what"], change.get("name")) for change in told] == [
        ("project", "a project"),
        ("project", "a project"),
        ("closed", "east 0"),
        ("lifted", "R1"),
    ]
    assert told[-1]["count"] == 1


def test_an_order_is_seen_and_told_and_its_names_are_looked_up(tmp_path: Path) -> None:
    before = city()
    street = str(before.segments["street_name"].dropna().iloc[0])
    one = str(before.segments.index[-1])
    text = f'name = "o"\n[[order]]\nfirst = ["{one}"]\nthen = ["{street}"]\n'
    made = scenario(tmp_path, text)
    seen, told = apply_scenario(before, made, POLICY, AS_OF)
    check_frame(seen.order, "plan_order")
    assert set(seen.order["first_id"]) == {one}
    assert set(seen.order["then_id"]) == set(before.segments.index[before.segments["street_name"] == street]) - {one}
    assert before.order.empty
    summary = {"scenario": {"content": made.to_dict(), "changes": told}}
    for language, words in (("en", f"Order: {street} not before {one}."), ("zh", f"{street} 不早于 {one}")):
        assert any(words in phrase.say(language) for phrase in made_from_phrases(summary, language))
    with pytest.raises(PlanningError, match="no such street"):
        apply_scenario(before, scenario(tmp_path, text.replace(street, "no such street")), POLICY, AS_OF)
    with pytest.raises(PolicyError, match=r"\[\[order\]\] #1: then = \[\]: it must not be empty"):
        scenario(tmp_path, f'name = "o"\n[[order]]\nfirst = ["{one}"]\nthen = []\n')


def test_a_ban_gets_other_days_by_its_id(tmp_path: Path) -> None:
    before = city()
    ban = next(name for name in before.bans(POLICY, AS_OF).index if name.startswith("road:R2"))
    text = f'name = "m"\n[[bans]]\nban = "{ban}"\nfirst = 2026-01-01\nlast = 2030-12-31\n'
    seen, told = apply_scenario(before, scenario(tmp_path, text), POLICY, AS_OF)
    days = seen.bans(POLICY, AS_OF).loc[[ban], ["starts_on", "ends_on"]].iloc[0].tolist()
    assert days == [pd.Timestamp("2026-01-01"), pd.Timestamp("2030-12-31")]
    assert (told[0]["what"], told[0]["last"]) == ("moved", "2030-12-31")


def test_an_empty_scenario_changes_nothing(tmp_path: Path) -> None:
    before = city()
    seen, told = apply_scenario(before, scenario(tmp_path, 'name = "same"'), POLICY, AS_OF)
    assert told == []
    pd.testing.assert_frame_equal(seen.bans(POLICY, AS_OF), before.bans(POLICY, AS_OF))
    pd.testing.assert_frame_equal(seen.projects, before.projects)
    assert seen.moratoria is before.moratoria


def test_a_stored_scenario_comes_back_as_it_was(tmp_path: Path) -> None:
    made = scenario(tmp_path)
    assert scenario_of_run({"scenario": {"content": made.to_dict(), "changes": []}}) == made
    assert scenario_of_run({}) is None


def test_the_same_is_told_in_both_languages(tmp_path: Path) -> None:
    made = scenario(tmp_path)
    told = apply_scenario(city(), made, POLICY, AS_OF)[1]
    summary = {
        "scenario": {"content": made.to_dict(), "changes": told},
        "replanned": {"parent": "p1", "kept": 1, "out": 0, "outside": 0},
    }
    expected = {
        "en": ("p1", "2029-01-01", "does not come", "2027-12-31", "CNY 0.50 million"),
        "zh": ("50.00 万元", "取消"),
    }
    for language, words in expected.items():
        text = "\n".join(phrase.say(language) for phrase in made_from_phrases(summary, language))
        for word in words:
            assert word in text, text


FAULTS = (
    ("[limits]\nkm = -1", "limits.km"),
    ("[limits]\nbudget = 3", "limits.budget"),
    ("[limits]\nbudget_cny = 1\nbudget_total_cny = 2", "not both"),
    ("[projects.P]", "starts_on"),
    ("[projects.P]\ncancelled = true\nends_on = 2029-01-01", "no days"),
    ("[[bans]]\nfirst = 2027-01-01\nlast = 2028-01-01", "one of street"),
    ('[[bans]]\nstreet = "a"\nfirst = 2028-01-02\nlast = 2028-01-01', "before the first"),
    ("name =", "cannot be read"),
    ('[limits]\nbudget_cny = "much"', 'limits.budget_cny = "much": it must be a finite number'),
    ("[limits]\nbudget_cny = { 2027 = -1, soon = 3 }", "limits.budget_cny.2027 = -1: it must be more than 0"),
    ("[limits]\nbudget_cny = { 2027 = 1, soon = 3 }", 'limits.budget_cny.soon = "soon": it must be a year'),
    ('[projects."P 1"]\nends_on = "soon"', 'projects."P 1".ends_on = "soon": it must be a day'),
    ("[[bans]]\nlast = 3", "[[bans]] #1: first: this key is missing"),
    ("[[bans]]\nlast = 3", "[[bans]] #1: last = 3: it must be a day"),
    ("[weights]\nmethane = 1e9", "at most 1,000,000"),
    ("lift = [3]", "lift #1 = 3: it must be text"),
    ("[limits]\nkm = inf", "a finite number"),
    ("[limits]\nkilometres = 3", "no such key"),
)
INTERNALS = ("constrained", "Value error", "Input should", "dict[", "{", "(file)", "…")


@pytest.mark.parametrize(("text", "word"), FAULTS)
def test_a_file_that_cannot_be_used_names_file_key_and_mend(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(PolicyError, match=r"scenario\.toml") as fault:
        scenario(tmp_path, f'name = "x"\n{text}\n')
    assert word in str(fault.value)
    told = [fault.value.message(language) for language in ("en", "zh")]
    if "cannot be read" not in told[0]:
        assert not [word for word in INTERNALS for message in told if word in message]


def test_names_are_told_with_the_keys_and_a_missing_file_plainly(tmp_path: Path) -> None:
    content = {"projects": {"P9": {}, "P0000": 3}, "bans": [{"road": "R9"}, {"street": "east 0"}, {"street": 3}, 4]}
    made = city()
    (told,) = unknown_names(content, made.projects, made.roads)
    assert "P9, R9:" in told.say("en")
    assert unknown_names({"projects": 3, "bans": {}}, made.projects, made.roads) == ()
    with pytest.raises(PolicyError) as fault:
        written_scenario(tmp_path / "none.toml")
    assert fault.value.code == "scenario_absent"
    assert "Errno" not in str(fault.value)


def test_what_nobody_knows_is_listed_at_once(tmp_path: Path) -> None:
    text = (
        'name = "x"\nlift = ["nowhere"]\n[projects.P9]\ncancelled = true\n'
        '[[bans]]\nroad = "R9"\nfirst = 2027-01-01\nlast = 2027-12-31\n'
    )
    with pytest.raises(PlanningError) as fault:
        apply_scenario(city(), scenario(tmp_path, text), POLICY, AS_OF)
    for word in ("nowhere", "P9", "R9"):
        assert word in str(fault.value)
    turned = 'name = "x"\n[projects.P0000]\nends_on = 2020-01-01\n'
    with pytest.raises(PlanningError, match="before it starts"):
        apply_scenario(city(), scenario(tmp_path, turned), POLICY, AS_OF)
    done = city()
    over = replace(done, projects=done.projects.assign(state="done"))
    with pytest.raises(PlanningError, match="are done"):
        apply_scenario(over, scenario(tmp_path, 'name = "x"\n[projects.P0000]\ncancelled = true\n'), POLICY, AS_OF)


PARENT = {
    "years": [2027, 2028],
    "budget_cny": [1e6, 2e6],
    "km_per_year": 3.0,
    "carried_share": 0.25,
    "worth": {"risk": 1.0, "repair_cny": 1e-5, "methane_t": 0.0},
    "effort": {"gap_share": 1e-3, "node_limit": 20, "seed": 7, "time_limit_s": 5.0},
}


def test_options_come_before_the_scenario_and_the_scenario_before_the_parent(tmp_path: Path) -> None:
    stated = scenario(tmp_path)
    of_parent = settle(Asked(), None, PARENT)
    assert of_parent.limits == Limits(range(2027, 2029), (1e6, 2e6), 3.0, 0.25)
    assert (of_parent.worth.repair_cny, of_parent.effort.seed, of_parent.effort.time_limit_s) == (1e-5, 7, None)
    longer = settle(Asked(years=range(2027, 2030)), stated, PARENT)
    assert longer.limits == Limits(range(2027, 2030), (5e5, 2e6, 7e5), 2.0, 0.5)
    assert (longer.worth.repair_cny, longer.worth.methane_t) == (1e-5, 0.25)
    asked = settle(Asked(range(2027, 2030), 9e5, km=1.0, carry_over=0.0, seed=3, gap=0.01), stated, PARENT)
    assert asked.limits == Limits(range(2027, 2030), (9e5,) * 3, 1.0, 0.0)
    assert asked.effort == Effort(0.01, 20, 3, None)
    kept = PARENT | {"pool": {"keeps_isolation": True}}
    asked_for = (None, True, False)
    told = [[settle(Asked(one_isolation=one), None, of).keeps_isolation for one in asked_for] for of in (PARENT, kept)]
    assert told == [[False, True, False], [True, True, False]]
    later = settle(Asked(years=range(2028, 2031)), None, PARENT)
    assert later.limits.budget_cny == (2e6, 2e6, 2e6)


@pytest.mark.parametrize(
    ("asked", "has_scenario", "parent", "code"),
    [
        (Asked(), False, None, "plan_years_absent"),
        (Asked(years=YEARS), False, None, "plan_budget_twice"),
        (Asked(YEARS, 1.0, 2.0), False, PARENT, "plan_budget_twice"),
        (Asked(years=YEARS), True, None, "scenario_budget_absent"),
        (Asked(), True, PARENT, "scenario_budget_outside"),
        (Asked(YEARS, -1.0), False, None, "plan_budget_unusable"),
        (Asked(YEARS, 1e6, weight_methane=float("inf")), False, None, "plan_weight_unusable"),
        (Asked(YEARS, 1e6, weight_methane=float("nan")), False, None, "plan_weight_unusable"),
        (Asked(YEARS, 1e6, weight_repair=1e300), False, None, "plan_weight_unusable"),
    ],
)
def test_what_is_said_nowhere_or_twice_is_a_usage_fault(
    tmp_path: Path, asked: Asked, has_scenario: bool, parent: dict[str, object] | None, code: str
) -> None:
    with pytest.raises(UsageError) as fault:
        settle(asked, scenario(tmp_path) if has_scenario else None, parent)
    assert fault.value.code == code


def test_more_bans_never_remove_more_and_more_money_never_less(tmp_path: Path) -> None:
    town = small_town()
    before = city()
    text = 'name = "c"\n' + "".join(
        f'[[bans]]\nstreet = "east {n}"\nfirst = 2027-01-01\nlast = {y}-12-31\n' for n, y in ((0, 2028), (2, 2029))
    )
    closed, _ = apply_scenario(before, scenario(tmp_path, text), POLICY, AS_OF)
    few: list[gpd.GeoDataFrame] = [
        find_bans(one.roads, one.projects.iloc[:0], one.moratoria, POLICY, AS_OF) for one in (before, closed)
    ]
    rich = Limits.per_year(YEARS, 3_000_000.0)
    open_plan, closed_plan = (town.plan(rich, town.bearing(bans=bans)) for bans in few)
    assert closed_plan.summary["bound"] < open_plan.summary["bound"]
    assert closed_plan.summary["objective"] <= open_plan.summary["bound"] * (1 + 1e-9)
    poor = town.plan(Limits.per_year(YEARS, 1_500_000.0), town.bearing(bans=few[0]))
    assert poor.summary["objective"] <= open_plan.summary["objective"] * (1 + 1e-9)
