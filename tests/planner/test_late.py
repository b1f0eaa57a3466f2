"""Late work: what is said to stand in its way does, and what is said to help does, by slow checks of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import planner.plan
from planner import impossible
from planner.choice import Effort, Programme, choose_programme, make_model
from planner.closing import Ground, closing_bans
from planner.conditions import NONE, find_conditions
from planner.impossible import check_possible
from planner.late import Offer, find_late
from planner.late_frames import Late, nothing_late
from planner.late_text import late_in_words
from planner.limits import Limits
from planner.plan import Bearing, Plan, Problem, make_plan, plan_problem
from planner.policy import read_policy
from planner.solve.keep import broken_rules, keeps
from planner.verify import verify_plan
from registry.errors import PlanningError
from registry.fields import check_frame
from tests.planner.frames import EAST, NORTH, line, segments_of
from tests.planner.test_choice import YEARS, scored, small_city
from tests.planner.test_plan import AS_OF, town
from tests.planner.verified import promises_of

POLICY = read_policy()
# what the check of a model calls the rules that a person is told
BROKEN = {
    "ban": "closed",
    "coming_ban": "closed",
    "decision": "closed",
    "street": "street",
    "budget": "budget",
    "km": "cap",
    "district_km": "cap",
    "district_households": "cap",
}
LIMITS = (
    Limits.per_year(YEARS, 150_000.0),
    Limits(YEARS, (200_000.0, 90_000.0, 250_000.0), 0.25, 0.5, 0.2, 40.0),
)


def late_city(seed: int, limits: Limits) -> tuple[Offer, Programme, Late]:
    candidates, conditions, severity = small_city(seed, 8)
    # some of what is closed is closed by a ban, some by one to come, some by a decision
    rng = np.random.default_rng(seed)
    is_open = rng.random((9, 3)) < 0.9
    stays = is_open & (rng.random((9, 3)) < 0.9)
    conditions = replace(conditions, is_open=is_open, stays_open=stays)
    members = candidates.members
    candidates = replace(
        candidates,
        is_open=members.all_of(is_open),
        stays_open=candidates.stays_open & members.all_of(stays),
    )
    model, duties = make_model(candidates, conditions, severity, limits, POLICY)
    programme = choose_programme(model, duties, Effort(gap_share=0.0))
    names = pd.Index([f"S{number}" for number in range(9)], name="segment_id")
    segments = gpd.GeoDataFrame({"length_m": candidates.segment_length_m}, index=names, geometry=[shapely.Point()] * 9)
    offer = Offer(segments, candidates, conditions, YEARS)
    return offer, programme, find_late(offer, programme, POLICY)


def beside(offer: Offer, programme: Programme, item: int, batch: int, year: int) -> tuple[Any, np.ndarray[Any, Any]]:
    """The plan of what the law asks for as strictly, with the batch in the year in place of what it shares work with.

    The model keeps the years of the items that are in it, and all that is open to anyone.
    """
    duties, packing = programme.duties, programme.model.packing
    done = programme.item_years()
    counts = (duties.severity <= duties.severity[item]) & (duties.deadline != NONE) & (done != NONE)
    plan = np.full(len(programme.year), NONE)
    own = set(packing.item[packing.batch == batch].tolist())
    for group in range(len(plan)):
        held = packing.item[packing.batch == group].tolist()
        if programme.year[group] != NONE and any(counts[one] for one in held):
            plan[group] = programme.year[group] if own.isdisjoint(held) else NONE
    plan[batch] = year
    deadline = np.where(counts, done, NONE)
    deadline[item] = NONE
    model = replace(
        programme.model,
        is_open=offer.candidates.stays_open,
        packing=replace(packing, deadline=deadline),
        floors=(),
    )
    return model, plan


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("seed", range(8))
def test_what_is_said_to_stand_in_the_way_is_broken_by_the_plan_without_it(seed: int, limits: Limits) -> None:
    offer, programme, late = late_city(seed, limits)
    check_frame(late.work, "late_work")
    check_frame(late.years, "late_years")
    duties, done = programme.duties, programme.item_years()
    asked = duties.item_of_segment
    is_late = np.array(
        [
            item != NONE
            and duties.deadline[item] != NONE
            and (done[item] == NONE or done[item] > duties.deadline[item])
            for item in asked
        ],
        dtype=bool,
    )
    assert set(late.work.index) == set(offer.segments.index[is_late])
    for row, batch in zip(late.years.to_dict("records"), late.batch.tolist(), strict=True):
        item, year = int(asked[int(row["segment_id"][1:])]), int(row["year"]) - YEARS.start
        assert done[item] == NONE or year < done[item]
        model, plan = beside(offer, programme, item, batch, year)
        broken = set(broken_rules(model, plan))
        told = set(row["rules"].split("|"))
        assert {BROKEN[rule] for rule in told if rule in BROKEN} == broken - {"deadline"}
        assert ("neighbours" in told) == ("deadline" in broken)
        if "ban" in told:
            assert not offer.candidates.is_open[batch, year]
        if "mandatory_first" in told:
            assert programme.only_mandatory[year]
        assert pd.isna(row["missing_cny"]) != ("budget" in told)


@pytest.mark.parametrize("limits", LIMITS)
def test_paying_what_is_named_makes_it_fit_and_less_does_not(limits: Limits) -> None:
    paid = 0
    for seed in range(6):
        offer, programme, late = late_city(seed, limits)
        for name, row in late.work[late.work["extra_cny"].notna()].iterrows():
            item = int(programme.duties.item_of_segment[int(str(name)[1:])])
            packing, year = programme.model.packing, int(row["extra_year"]) - YEARS.start
            fits = []
            for share in (1.0, 0.99):
                budget = programme.model.budget_cny.copy()
                budget[year] += share * row["extra_cny"]
                tries = [beside(offer, programme, item, int(g), year) for g in packing.batch[packing.item == item]]
                fits.append(any(keeps(replace(model, budget_cny=budget), plan) for model, plan in tries))
            assert fits == [True, False]
            paid += 1
    assert paid


def test_in_an_open_year_it_would_fit() -> None:
    opened = 0
    for seed in range(6):
        offer, programme, late = late_city(seed, LIMITS[0])
        for name, row in late.work[late.work["open_year"].notna()].iterrows():
            item = int(programme.duties.item_of_segment[int(str(name)[1:])])
            packing, year = programme.model.packing, int(row["open_year"]) - YEARS.start
            tries = [beside(offer, programme, item, int(g), year) for g in packing.batch[packing.item == item]]
            assert any(keeps(replace(m, is_open=np.ones_like(m.is_open)), plan) for m, plan in tries)
            assert not any(keeps(m, plan) for m, plan in tries)
            opened += 1
    assert opened


def test_the_worst_stands_first_and_nothing_late_is_an_empty_frame() -> None:
    for seed in range(4):
        work = late_city(seed, LIMITS[0])[2].work
        badness = work["late_years"] * work["length_m"]
        order = [(str(kind) != "mandatory", -bad) for kind, bad in zip(work["policy_class"], badness, strict=True)]
        assert order == sorted(order)
    none = nothing_late()
    check_frame(none.work, "late_work")
    check_frame(none.years, "late_years")
    assert late_in_words(none.work, none.years, pd.DataFrame(), pd.DataFrame(), "en").empty


@pytest.fixture(scope="module")
def closed_town() -> dict[str, Any]:
    """A town with old iron under a street that is closed to the end of 2028, and money for little."""
    segments, projects = town(2, 4)
    segments.loc[segments.index[:3], "material"] = "grey_iron"
    shape = shapely.buffer(np.asarray(segments.geometry.array)[0], 3)
    bans = gpd.GeoDataFrame(
        {
            "source_kind": ["road"],
            "source_id": ["R1"],
            "rule_code": ["cn_overhaul"],
            "exceptions": [""],
            "is_planned": [False],
            "starts_on": pd.to_datetime(["2026-01-01"]),
            "ends_on": pd.to_datetime(["2028-12-31"]),
        },
        geometry=[shape],
        index=pd.Index(["road:R1:cn_overhaul"], name="ban_id"),
        crs=segments.crs,
    )
    scores = scored(segments)
    years, limits = range(2027, 2031), Limits.per_year(range(2027, 2031), 200_000.0)
    empty = gpd.GeoDataFrame({"name": [], "road_class": []}, geometry=[], crs=segments.crs)
    conditions = find_conditions(segments, scores["policy_class"], bans, empty, None, years, POLICY, AS_OF)
    bearing = Bearing(conditions=conditions, batches_per_segment=2, ground=Ground(bans, AS_OF))
    seen: dict[str, Any] = {}

    def watched(offer: Offer, programme: Programme, policy: Any) -> Late:
        seen.update(offer=offer, programme=programme)
        return find_late(offer, programme, policy)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planner.plan, "find_late", watched)
        pairs = pd.DataFrame()
        from planner.overlap import find_overlaps

        pairs = find_overlaps(segments, projects, years, POLICY)
        plan = make_plan(segments, scores, pairs, projects, POLICY, limits, bearing=bearing)
    return (
        seen
        | {"plan": plan, "segments": segments, "scores": scores, "projects": projects, "bans": bans}
        | {"limits": limits}
    )


def test_late_work_of_a_town_breaks_what_the_independent_checker_looks_at(closed_town: dict[str, Any]) -> None:
    """The batch in the year in question, put into the frames of the plan; the checker shares no code with the plan."""
    town_plan: Plan = closed_town["plan"]
    offer, segments, bans = closed_town["offer"], closed_town["segments"], closed_town["bans"]
    late = town_plan.late
    assert {"ban", "budget"} <= set("|".join(late.years["rules"]).split("|"))
    candidates = segments.loc[town_plan.batch_segments.index]
    promises = promises_of(
        candidates, closed_town["scores"], town_plan, closed_town["projects"], POLICY, closed_town["limits"]
    )
    promises = replace(promises, bans=bans, least_closed_m=1.0)
    checked = {"budget": "budget", "ban": "ban"}
    for row, batch in zip(late.years.to_dict("records"), late.batch.tolist(), strict=True):
        rows = offer.candidates.members.row[offer.candidates.members.batch == batch]
        names = offer.segments.index[rows]
        members = town_plan.batch_segments.copy()
        gone = members.loc[names, "batch_id"].unique()
        members.loc[members["batch_id"].isin(gone), "year"] = pd.NA
        members.loc[names, ["batch_id", "year"]] = ["moved", row["year"]]
        batches = town_plan.batches.copy()
        batches.loc[batches.index.isin(gone), "year"] = pd.NA
        moved = batches.loc[[gone[0]]].rename(index={gone[0]: "moved"}).assign(year=row["year"])
        held = members["batch_id"].value_counts()
        batches = pd.concat([batches, moved])
        batches = batches[batches.index.isin(held.index)].rename_axis("batch_id")
        batches["segment_count"] = held.reindex(batches.index).astype("Int64")
        batches["length_m"] = candidates["length_m"].groupby(members["batch_id"]).sum().reindex(batches.index)
        found = set(verify_plan(candidates, batches, members, promises)["code"])
        assert {checked[rule] for rule in row["rules"].split("|") if rule in checked} <= found


def test_bans_are_named_with_their_last_day_and_lifting_them_opens_the_year(closed_town: dict[str, Any]) -> None:
    late, offer, segments = closed_town["plan"].late, closed_town["offer"], closed_town["segments"]
    closed = late.years[late.years["rules"].str.split("|").map(lambda rules: "ban" in rules)]
    assert set(closed["year"]) == {2027, 2028}
    assert set(closed["bans"]) == {"road:R1:cn_overhaul"}
    assert set(closed["closed_until"]) == {pd.Timestamp("2028-12-31")}
    first = str(segments.index[0])
    assert late.work.loc[first, "late_years"] >= 2
    texts = {
        language: late_in_words(
            late.work, late.years, closed_town["plan"].batches, closed_town["plan"].batch_segments, language
        )
        for language in ("en", "zh")
    }
    assert "dig ban until 2028-12-31 (road register R1)" in texts["en"][first]
    assert "禁掘至 2028-12-31（道路台账 R1）" in texts["zh"][first]
    rows = np.arange(len(offer.segments))
    left = closing_bans(offer.segments, rows, Ground(closed_town["bans"].iloc[:0], AS_OF), offer.years, POLICY)
    assert left.empty


def test_a_ban_without_an_end_and_one_that_leaves_days() -> None:
    segments = segments_of({"geometry": line((0, 0), (100, 0))}, {"geometry": line((0, 50), (100, 50))})
    bans = gpd.GeoDataFrame(
        {
            "is_planned": [False, True, False],
            "starts_on": pd.to_datetime(["2027-06-01", "2027-01-01", "2026-12-31"]),
            "ends_on": [pd.NaT, *pd.to_datetime(["2027-05-31", "2027-11-30"])],
        },
        geometry=[
            shapely.box(EAST, NORTH - 5, EAST + 100, NORTH + 5),
            shapely.box(EAST, NORTH - 5, EAST + 100, NORTH + 5),
            shapely.box(EAST, NORTH + 45, EAST + 100, NORTH + 55),
        ],
        index=pd.Index(["a", "b", "c"], name="ban_id"),
        crs=segments.crs,
    )
    found = closing_bans(segments, np.array([0, 1]), Ground(bans, AS_OF), range(2027, 2029), POLICY)
    told = [
        (row["row"], row["year"], row["ban_id"], None if pd.isna(row["until"]) else str(row["until"])[:10])
        for row in found.to_dict("records")
    ]
    assert sorted(told, key=str) == [(0, 0, "a", None), (0, 0, "b", "2027-05-31"), (0, 1, "a", None)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_rule_and_option_is_said_without_a_gap(language: str) -> None:
    from planner.late import RULES
    from planner.late_frames import UNFOUND

    rules = [*RULES, UNFOUND]
    count = len(rules)
    names = [f"S{number}" for number in range(len(rules))]

    def whole(years: list[Any]) -> Any:
        return pd.array(years[:count], dtype="Int64")

    work = pd.DataFrame(
        {
            "policy_class": "mandatory",
            "length_m": 80.0,
            "due_year": 2027,
            "year": whole([2029, None] * 7),
            "late_years": 2,
            "extra_cny": ([420_001.0, np.nan, 8_000.0] * 5)[:count],
            "extra_year": whole([2027, None, 2028] * 5),
            "open_year": whole([2028, 2027, None] * 5),
            "open_rules": (["ban|decision", "coming_ban", None] * 5)[:count],
            "open_bans": (["project:P7:cn_overhaul|moratorium:M:1", None, None] * 5)[:count],
        },
        index=pd.Index(names, name="segment_id"),
    )
    years = pd.DataFrame(
        {
            "segment_id": names,
            "year": 2027,
            "rules": rules,
            "missing_cny": [420_001.0 if rule == "budget" else np.nan for rule in rules],
            "closed_until": pd.Series([pd.Timestamp("2028-12-31"), *[pd.NaT] * (count - 1)], dtype="datetime64[s]"),
            "bans": ["road:R1:cn_overhaul", "project:P7:x", *[None] * (count - 2)],
        }
    )
    batches = pd.DataFrame({"label": ["Long Street"]}, index=pd.Index(["B"], name="batch_id"))
    texts = late_in_words(work, years, batches, pd.DataFrame({"batch_id": "B"}, index=work.index), language)
    assert texts.nunique() == len(rules)
    assert not texts.str.contains(r"[{}]|nan|<NA>|None|NaT|plan_late").any()
    # money is rounded up: what is said has to suffice
    assert ("CNY 0.421 million" if language == "en" else "42.01 万元") in texts["S0"]
    assert ("project P7" if language == "en" else "相关工程 P7") in texts["S0"]
    assert "M:1" in texts["S0"]


def floor_city(share: float, **limits: Any) -> Plan:
    return make_plan(*floor_parts(share, **limits))


def floor_problem(share: float, **limits: Any) -> Problem:
    return plan_problem(*floor_parts(share, **limits))


def floor_parts(share: float | None, **limits: Any) -> tuple[Any, ...]:
    segments, projects = town(2, 3)
    scores = scored(segments)
    districts = gpd.GeoDataFrame(
        {"name": ["West", "East"]},
        geometry=[
            shapely.box(EAST - 500, NORTH - 500, EAST + 90, NORTH + 900),
            shapely.box(EAST + 90, NORTH - 500, EAST + 900, NORTH + 900),
        ],
        index=pd.Index(["D1", "D2"], name="district_id"),
        crs=segments.crs,
    )
    empty = gpd.GeoDataFrame({"name": [], "road_class": []}, geometry=[], crs=segments.crs)
    none = gpd.GeoDataFrame(
        {name: [] for name in ("is_planned", "starts_on", "ends_on")}, geometry=[], crs=segments.crs
    ).astype({"is_planned": bool, "starts_on": "datetime64[s]", "ends_on": "datetime64[s]"})
    years = range(2027, 2029)
    conditions = find_conditions(segments, scores["policy_class"], none, empty, districts, years, POLICY, AS_OF)
    asked = Limits(years, (limits.pop("budget_cny", 5e6),) * 2, district_floor_share=share, **limits)
    from planner.overlap import find_overlaps

    pairs = find_overlaps(segments, projects, years, POLICY)
    bearing = Bearing(conditions=conditions, batches_per_segment=2, effort=Effort(gap_share=1e-3))
    return segments, scores, pairs, projects, POLICY, asked, None, bearing


@pytest.mark.parametrize(
    ("limits", "word_en", "word_zh"),
    [
        ({"district_km_per_year": 0.2}, "caps on kilometres", "公里数与户数上限"),
        ({"budget_cny": 330_000.0}, "the money", "资金"),
    ],
)
def test_a_floor_out_of_reach_is_told_with_what_stands_in_the_way(
    limits: dict[str, Any], word_en: str, word_zh: str
) -> None:
    with pytest.raises(PlanningError) as fault:
        floor_city(0.9, **limits)
    for language, word in (("en", word_en), ("zh", word_zh)):
        text = fault.value.message(language)
        assert word in text
        assert "--district-floor 0." in text
        assert "East" in text or "West" in text
        assert not set(text) & set("{}")
    options: Any = fault.value.parameters["options"]
    share = float(options.parameters["options"].split()[-1])
    assert 0.0 < share < 0.9
    # the floor that is named lets a plan be made, as it is told
    assert floor_city(float(f"{share:.4f}"), **limits).summary["objective"] > 0


@pytest.mark.parametrize("budget_cny", [250_000.0, 330_000.0, 450_000.0])
def test_every_floor_up_to_the_one_that_is_advised_is_kept_beside_the_law(budget_cny: float) -> None:
    """Deadlines give way and floors do not: mandatory work that is left out for one never puts it out of reach."""
    with pytest.raises(PlanningError) as fault:
        floor_city(0.9, budget_cny=budget_cny)
    assert "In the way: the money." in fault.value.message("en")
    options: Any = fault.value.parameters["options"]
    most = float(options.parameters["options"].split()[-1])
    for part in (0.5, 0.7, 0.8, 0.9, 0.95, 1.0):
        assert floor_city(most * part, budget_cny=budget_cny).summary["objective"] > 0


def test_a_floor_is_advised_only_where_a_plan_was_found_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: dict[float, bool] = {}
    is_kept = impossible.leaves_a_plan

    def sometimes(raw: Any, limits: Limits, lower: Limits, *rest: Any) -> bool:
        # the first trials end without a plan
        tried[lower.district_floor_share or 0.0] = len(tried) > 1 and is_kept(raw, limits, lower, *rest)
        return tried[lower.district_floor_share or 0.0]

    monkeypatch.setattr(impossible, "leaves_a_plan", sometimes)
    with pytest.raises(PlanningError) as fault:
        floor_city(0.6, budget_cny=330_000.0)
    options: Any = fault.value.parameters["options"]
    share = float(options.parameters["options"].split()[-1])
    assert tried[share]
    assert list(tried.values())[:2] == [False, False]


def test_where_the_clock_ended_the_search_no_floor_is_said_to_be_out_of_reach() -> None:
    problem = floor_problem(0.6, budget_cny=330_000.0)
    programme = problem.choose(problem.bearing.effort)
    names = problem.priced.conditions.district_names
    for stopped in (
        replace(programme, stages=tuple(replace(stage, is_reproducible=False) for stage in programme.stages)),
        replace(programme, solution=replace(programme.solution, is_reproducible=False)),
    ):
        with pytest.raises(PlanningError) as fault:
            check_possible(stopped, *problem.model(), names, problem.limits, problem.bearing.effort)
        assert fault.value.code == "plan_no_time"
