"""Limits of edited plans: broken is what slow loops and the independent checker find worse than before."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.bans import find_bans
from planner.choice import Effort
from planner.conditions import NONE, find_conditions
from planner.edit_effects import Effects, edit_effects, edited_summary
from planner.edit_limits import funds_of
from planner.groups import candidate_segments
from planner.households import Supplied
from planner.leaks import link_leaks
from planner.limits import Limits
from planner.overlap import find_overlaps
from planner.plan import Bearing, make_plan
from planner.plan_edit import Draft, Edit, Source, edit_plan, priced
from planner.policy import Policy, read_policy
from planner.score import score_segments
from planner.verify_findings import Finding
from planner.verify_limits import check_budget, check_caps, check_floors, check_second_cuts
from planner.verify_plan import PlanView
from registry.errors import Phrase
from registry.fields import check_frame, columns_of
from tests.planner.frames import EAST, NORTH, leaks_of, line, moratoria_of, roads_of
from tests.planner.programme.test_plan_edit import Town, without_locks
from tests.planner.test_plan import AS_OF, town

YEARS = range(2027, 2031)
TRIALS = 25
# by the code of a breach the rule of the independent checker
RULES = {
    "plan_breach_budget": "budget",
    "plan_breach_budget_carried": "budget",
    "plan_breach_km": "km",
    "plan_breach_district_km": "km_district",
    "plan_breach_district_households": "households",
    "plan_breach_district_floor": "floor",
    "plan_breach_second_cut": "second_cut",
    "plan_breach_least_risk": "risk",
    "plan_breach_least_repair_cny": "repair_cny",
    "plan_breach_least_methane_t": "methane_t",
}
# a rule, the place and the year that it is broken at
Where = tuple[str, str | None, int | None]


@dataclass(frozen=True)
class Made(Town):
    closed_years: int


def policy_of(closed_years: int) -> Policy:
    content = read_policy().to_dict()
    content["timing"]["joint_horizon_years"]["value"] = closed_years
    content["timing"]["near_miss_years"]["value"] = 1
    return Policy.from_dict(content)


def districts_of(crs: Any) -> gpd.GeoDataFrame:
    boxes = [shapely.box(EAST + x, NORTH - 500, EAST + x + 590, NORTH + 900) for x in (-500, 90)]
    index = pd.Index(["D1", "D2"], name="district_id")
    return gpd.GeoDataFrame({"name": ["Left", "Right"]}, geometry=boxes, index=index, crs=crs)


def made_of(limits: Limits, closed_years: int = 2, seed: int = 2) -> Made:
    """A town of two districts in which every street is a road, planned under limits."""
    policy = policy_of(closed_years)
    segments, projects = town(seed, 4)
    roads = roads_of(
        *({"geometry": line((0, 60 * i), (180, 60 * i)), "name": f"east {i}"} for i in range(4)),
        *({"geometry": line((60 * i, 0), (60 * i, 180)), "name": f"north {i}"} for i in range(4)),
    )
    leaks = leaks_of(*({"geometry": shapely.Point(EAST + 33 * k, NORTH + 59)} for k in range(9)))
    scores = score_segments(segments, link_leaks(leaks, segments, policy), leaks, None, policy, AS_OF)
    bans = find_bans(roads.iloc[:0], projects.iloc[:0], moratoria_of().iloc[:0], policy, AS_OF)
    classes = scores["policy_class"]
    districts = districts_of(segments.crs)
    gas = {"methane_saved_t_per_year": 0.1 + np.arange(len(segments)) % 3 * 0.5}
    source = Source(
        segments=segments,
        scores=scores,
        pairs=find_overlaps(segments, projects, limits.years, policy),
        projects=projects,
        bans=bans,
        supplied=Supplied.from_frames(None, pd.Series(3.0 + np.arange(len(segments)) % 4, segments.index)),
        decisions=None,
        policy=policy,
        as_of=AS_OF,
        limits=limits,
        conditions=find_conditions(segments, classes, bans, roads, districts, limits.years, policy, AS_OF),
        emissions=pd.DataFrame(gas, index=segments.index),
    )
    bearing = Bearing(
        conditions=source.conditions,
        emissions=source.emissions,
        batches_per_segment=2,
        effort=Effort(gap_share=0.02),
    )
    plan = make_plan(segments, scores, source.pairs, projects, policy, limits, source.supplied, bearing)
    source = replace(source, candidate_ids=plan.reasons.index)
    draft = priced(plan.batches, plan.batch_segments, without_locks(), source)
    return Made(plan, source, draft, closed_years)


def tight(closed_years: int) -> Made:
    """A plan whose limits leave little room beside it."""
    budgets = (240e3, 300e3, 180e3, 400e3)
    first = Limits(YEARS, budgets, 0.3, 0.5, district_km_per_year=0.2, district_households_per_year=20.0)
    summary = made_of(first, closed_years).plan.summary
    # what the plan reaches anyway is asked of it
    least = {f"least_{part}": 0.96 * summary[part] for part in ("risk", "repair_cny", "methane_t")}
    return made_of(replace(first, district_floor_share=0.4, **least), closed_years)


@pytest.fixture(scope="module", params=[2, 5])
def made(request: pytest.FixtureRequest) -> Made:
    return tight(request.param)


def some_edits(draft: Draft, source: Source, rng: np.random.Generator) -> Draft:
    """Move and drop a few batches, and make one of segments that lie in others or that were no candidates."""
    names = [str(one) for one in rng.choice(draft.batches.index, int(rng.integers(1, 4)), replace=False)]
    years = [None if rng.random() < 0.4 else int(rng.choice(YEARS)) for _ in names]
    edits = [Edit("move" if year else "drop", (name,), year) for name, year in zip(names, years, strict=True)]
    if rng.random() < 0.4:
        added = rng.choice(source.segments.index, int(rng.integers(1, 4)), replace=False)
        edits.append(Edit("add", tuple(str(one) for one in added), int(rng.choice(YEARS))))
    return edit_plan(draft, edits, source)[0]


def avoided(draft: Draft, source: Source) -> dict[str, float]:
    """Risk, repairs and methane, pipe by pipe and year by year."""
    planning, prices = source.policy.planning, source.policy.prices.value
    assert prices is not None
    assert source.emissions is not None
    price = {entry.code: entry.value for entry in prices.repair_cny_per_leak}
    medium, scores = source.segments["medium"].to_dict(), source.scores.to_dict("index")
    methane_t = source.emissions["methane_saved_t_per_year"].to_dict()
    sums: dict[str, float] = dict.fromkeys(("risk", "repair_cny", "methane_t"), 0.0)
    for segment, year in draft.batch_segments["year"].dropna().items():
        score: dict[Any, Any] = scores[segment]
        leaks = score["likelihood_per_km_year"] * score["length_m"] / 1000.0
        yearly = {
            "risk": score["risk_per_year"] * planning.removed_share.value,
            "repair_cny": leaks * planning.removed_share.value * price[medium[segment]],
            "methane_t": methane_t[segment],
        }
        for later in range(int(year) - YEARS.start, round(planning.horizon_years.value)):
            for part, amount in yearly.items():
                sums[part] += amount / (1.0 + planning.discount_share_per_year.value) ** later
    return sums


def names_of(codes: Any, names: pd.Index, segments: gpd.GeoDataFrame) -> pd.Series:
    return pd.Series([None if code == NONE else str(names[code]) for code in codes], segments.index, dtype="object")


def found_in(draft: Draft, made: Made, limits: Limits) -> list[Finding]:
    """What a plan breaks by the independent checker, and by loops where it knows no rule."""
    source, conditions = made.source, made.source.conditions
    assert conditions is not None
    segments = source.segments
    plan = PlanView(segments, draft.batches, draft.batch_segments)
    districts = names_of(conditions.district, conditions.district_names, segments)
    streets = names_of(conditions.section, conditions.section_names, segments)
    costs = {placed.batch_id: placed.stated_cost_cny for placed in plan.placed}
    found = list(check_budget(plan, YEARS, limits.budget_cny, limits.carried_share, costs, 0.0, {}))
    by_district = {"Left", "Right"}
    found += check_caps(
        plan,
        limits.km_per_year,
        {name: float(limits.district_km_per_year or np.inf) for name in by_district},
        {name: float(limits.district_households_per_year or np.inf) for name in by_district},
        districts,
    )
    found += check_second_cuts(plan, streets, made.closed_years)
    metres: defaultdict[str, float] = defaultdict(float)
    is_candidate = candidate_segments(segments, source.scores, source.policy)
    for segment in segments.index[is_candidate]:
        if districts[segment] is not None:
            metres[districts[segment]] += segments["length_m"][segment]
    share = limits.district_floor_share or 0.0
    floors = [{"district": name, "measure": "km", "floor": share * m / 1000.0} for name, m in metres.items()]
    found += check_floors(plan, pd.DataFrame(floors), districts)
    sums = avoided(draft, source)
    for part, least in limits.least().items():
        if sums[part] < least * (1 - 1e-6):
            found.append(Finding(part, value=sums[part], limit=least))
    return found


def expected(before: list[Finding], after: list[Finding]) -> set[Where]:
    """Which limits are broken after the edits and were not, or less."""
    worse: set[Where] = set()
    cuts = [_second_cuts(side) for side in (before, after)]
    worse |= {
        ("second_cut", place, min(now - cuts[0][place]))
        for place, now in cuts[1].items()
        if len(now) > len(cuts[0][place])
    }
    was = {(one.code, one.place, one.year): _over(one) for one in before if one.code != "second_cut"}
    for one in after:
        key = (one.code, one.place, one.year)
        if one.code != "second_cut" and _over(one) > was.get(key, 0.0) + 1e-9 * abs(float(one.limit or 0.0)):
            worse.add(key)
    return worse


def _over(one: Finding) -> float:
    return abs(float(one.value or 0.0) - float(one.limit or 0.0))


def _second_cuts(found: list[Finding]) -> defaultdict[str, set[int]]:
    again: defaultdict[str, set[int]] = defaultdict(set)
    for one in found:
        if one.code == "second_cut":
            again[str(one.place)].add(int(one.year or 0))
    return again


def told_in(breaches: tuple[Phrase, ...]) -> set[Where]:
    told: set[Where] = set()
    for breach in breaches:
        if breach.code in RULES:
            place, year = breach.parameters.get("place"), breach.parameters.get("year")
            # a street is told with its name before its id
            name = None if place is None else str(place).split()[-1]
            told.add((RULES[breach.code], name, None if year is None else int(str(year))))
    return told


def place_ids(made: Made, told: set[Where]) -> set[Where]:
    """Compounds are named by themselves: take back what was cut off of their names."""
    conditions = made.source.conditions
    assert conditions is not None
    names = {str(name).split()[-1]: str(name) for name in conditions.section_names}
    return {(rule, names.get(str(place), place) if rule == "second_cut" else place, year) for rule, place, year in told}


def test_what_edits_break_is_what_slow_checks_find_worse(made: Made, rng: np.random.Generator) -> None:
    limits, seen, unheld = made.source.limits, set(), 0
    assert found_in(made.draft, made, limits) == []
    after = made.draft
    for _ in range(TRIALS):
        before = made.draft if rng.random() < 0.5 else some_edits(made.draft, made.source, rng)
        after = some_edits(before, made.source, rng)
        effects = edit_effects(before, after, made.source)
        broken = [found_in(side, made, limits) for side in (before, after)]
        told = place_ids(made, told_in(effects.breaches))
        assert told == expected(*broken)
        seen |= {rule for rule, _, _ in told}
        # broken before as much or more: not held against the edits
        unheld += len({one.code for one in broken[1]} - {rule for rule, _, _ in told})
        check_frame(effects.limits, "plan_edit_limits")
        check_frame(effects.by_year, "plan_edit_years")
        for side, draft in ((effects.before, before), (effects.after, after)):
            for part, amount in avoided(draft, made.source).items():
                assert side[part] == pytest.approx(amount)
    assert seen == set(RULES.values())
    assert unheld
    # nothing is worse than itself
    same = edit_effects(after, after, made.source)
    assert same.breaches == ()
    assert same.limits.empty


def test_the_frame_tells_what_changes_and_no_more(made: Made, rng: np.random.Generator) -> None:
    for _ in range(20):
        after = some_edits(made.draft, made.source, rng)
        effects = edit_effects(made.draft, after, made.source)
        told = effects.limits
        assert (told["before"] != told["after"]).all()
        codes = {
            code.removeprefix("plan_breach_") for code in RULES if "budget" not in code and code != "plan_breach_km"
        }
        assert set(told["limit"]) <= codes
        broken = told[told["is_broken"]]
        assert {f"plan_breach_{limit}" for limit in broken["limit"]} == {
            one.code for one in effects.breaches if one.code.removeprefix("plan_breach_") in codes
        }
        for breach in effects.breaches:
            for language in ("en", "zh"):
                assert not set(breach.say(language)) & set("{}")


def by_year(made: Made, year: int) -> pd.DataFrame:
    return made.draft.batches[made.draft.batches["year"] == year]


def breaches(effects: Effects, *codes: str) -> list[Phrase]:
    return [one for one in effects.breaches if one.code in {f"plan_breach_{code}" for code in codes}]


@pytest.fixture(scope="module")
def free() -> Made:
    """A plan with money for some of its work."""
    return made_of(Limits(YEARS, (120e3, 150e3, 90e3, 200e3), carried_share=1.0), 2)


def test_money_that_is_carried_may_be_spent_and_not_twice(free: Made) -> None:
    """The costs of two years and the cost of one batch more: budgets are set so that only carried money pays for it."""
    left_out = free.draft.batches.index[free.draft.batches["year"].isna()][0]
    after, _ = edit_plan(free.draft, [Edit("add", (left_out,), 2028)], free.source)
    costs = after.batches.groupby("year")["cost_cny"].sum().reindex(list(YEARS), fill_value=0.0)
    more = float(after.batches["cost_cny"][left_out])
    assert more > 0
    ample = [float(cost) * 2 + 1e6 for cost in costs]

    def told(in_2027: float, in_2028: float, share: float, edited: Draft) -> list[Phrase]:
        budgets = (float(costs[2027]) + in_2027, float(costs[2028]) + in_2028, *ample[2:])
        source = replace(free.source, limits=Limits(YEARS, budgets, carried_share=share))
        return breaches(edit_effects(free.draft, edited, source), "budget", "budget_carried")

    # 2028 costs more than its budget, and 2027 leaves what is missing
    assert told(more, -more / 2, 1.0, after) == []
    assert told(more, -more / 2, 0.51, after) == []
    (short,) = told(more, -more / 2, 0.49, after)
    assert short.code == "plan_breach_budget_carried"
    assert short.parameters["carried"] == pytest.approx(0.49 * more)
    assert short.parameters["fund"] == pytest.approx(float(costs[2028]) - more / 2 + 0.49 * more)
    # nothing is carried: the budget alone counts
    (alone,) = told(more, -more / 2, 0.0, after)
    assert alone.code == "plan_breach_budget"
    for phrase in (short, alone):
        for language in ("en", "zh"):
            assert not set(phrase.say(language)) & set("{}")


def test_a_year_is_broken_by_the_year_before_that_spends_its_money(free: Made) -> None:
    """What is spent in 2027 is missing in 2028, whose own cost stays as it is."""
    costs = free.draft.batches.groupby("year")["cost_cny"].sum().reindex(list(YEARS), fill_value=0.0)
    left_out = free.draft.batches.index[free.draft.batches["year"].isna()][0]
    after, _ = edit_plan(free.draft, [Edit("add", (left_out,), 2027)], free.source)
    more = float(after.batches["cost_cny"][left_out])
    budgets = (float(costs[2027]) + more, float(costs[2028]) - more, *(float(cost) + 1e6 for cost in costs[2:]))
    source = replace(free.source, limits=Limits(YEARS, budgets, carried_share=1.0))
    effects = edit_effects(free.draft, after, source)
    assert [one.parameters["year"] for one in breaches(effects, "budget", "budget_carried")] == [2028]
    assert effects.by_year["cost_after_cny"][1] == effects.by_year["cost_before_cny"][1]
    assert effects.by_year["fund_before_cny"][1] == pytest.approx(float(costs[2028]))
    assert effects.by_year["fund_after_cny"][1] == pytest.approx(float(costs[2028]) - more)
    told = edited_summary(free.plan.summary, effects, "id", "plan")["edited"]
    assert told["funds_cny"] == pytest.approx(list(effects.by_year["fund_after_cny"]))
    assert told["breaches"][0]["code"] == "plan_breach_budget"
    assert told["limits"] == effects.limits.to_dict("records")


def test_money_is_lent_by_no_year(rng: np.random.Generator) -> None:
    for _ in range(50):
        costs, budgets = rng.uniform(0, 100, 4), rng.uniform(1, 100, 4)
        share = float(rng.choice([0.0, 0.3, 1.0]))
        funds = funds_of(costs, Limits(YEARS, tuple(budgets.tolist()), carried_share=share))
        left = 0.0
        for year in range(4):
            assert funds[year] == pytest.approx(budgets[year] + share * left)
            assert funds[year] >= budgets[year]
            left = max(funds[year] - costs[year], 0.0)


def test_pipes_that_were_no_candidates_make_no_floor_higher(made: Made) -> None:
    """Neither where they are added nor in later edits of the plan that has them."""
    strangers = made.source.segments.index.difference(made.plan.reasons.index)
    assert len(strangers)
    source = replace(made.source, limits=replace(made.source.limits, district_floor_share=0.9))
    with_them, _ = edit_plan(made.draft, [Edit("add", tuple(strangers), 2028)], source)
    placed = with_them.batches["year"].dropna().index
    without, _ = edit_plan(with_them, [Edit("drop", (str(name),)) for name in placed], source)
    empty, _ = edit_plan(
        made.draft, [Edit("drop", (str(name),)) for name in placed if name in made.draft.batches.index], source
    )
    asked = []
    for before, after in ((made.draft, with_them), (with_them, without), (made.draft, empty)):
        floors = edit_effects(before, after, source).limits.query("limit == 'district_floor'")
        asked.append(floors.set_index("place")["asked"].to_dict())
    assert len(asked[2]) == 2
    for one in asked:
        assert one
        assert one.items() <= asked[2].items()


def test_a_plan_that_knew_no_limit_is_held_to_none(made: Made, rng: np.random.Generator) -> None:
    limits = Limits.per_year(YEARS, 1e12)
    source = replace(made.source, limits=limits, is_cut_once=False)
    for _ in range(10):
        effects = edit_effects(made.draft, some_edits(made.draft, source, rng), source)
        assert effects.limits.empty
        assert list(effects.limits.columns) == columns_of("plan_edit_limits")
        assert {one.code for one in effects.breaches} <= {"plan_breach_mandatory", "plan_breach_ban"}
        assert effects.by_year[["fund_before_cny", "fund_after_cny"]].isna().all(axis=None)


def test_the_summary_of_an_edited_plan_tells_what_every_plan_tells(made: Made, rng: np.random.Generator) -> None:
    same = edited_summary(made.plan.summary, edit_effects(made.draft, made.draft, made.source), "id", "plan")
    for name in ("risk", "repair_cny", "methane_t", "joint_km"):
        assert same[name] == pytest.approx(made.plan.summary[name])
        for mine, parents in zip(same["by_year"], made.plan.summary["by_year"], strict=True):
            assert mine[name] == pytest.approx(parents[name])
            assert set(mine) == set(parents)
    after = some_edits(made.draft, made.source, rng)
    edited = edited_summary(made.plan.summary, edit_effects(made.draft, after, made.source), "id", "plan")
    for part, amount in avoided(after, made.source).items():
        assert edited[part] == pytest.approx(amount)
        assert edited[part] != pytest.approx(made.plan.summary[part])
        assert edited[part] == pytest.approx(sum(row[part] for row in edited["by_year"]))
