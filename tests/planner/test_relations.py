from __future__ import annotations

from dataclasses import fields as parts_of
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.bans import find_bans
from planner.freedom import project_freedom
from planner.overlap import find_overlaps
from planner.policy import Policy, read_policy
from planner.relations import RELATIONS, Limits, Sides, relate, relation_table
from registry.errors import PlanningError
from registry.fields import check_frame, value_list
from tests.planner.frames import line, moratoria_of, projects_of, roads_of, segments_of
from tests.planner.test_bans import policy_with

AS_OF = date(2026, 11, 1)
LIMITS = Limits(near_miss_days=100, horizon_days=300)
ORIGIN = date(2027, 1, 1)
NEVER = "NaT"


def day(number: int | None) -> np.datetime64:
    return np.datetime64(NEVER if number is None else ORIGIN + timedelta(days=number), "D")


def sides(
    due: tuple[int, int] | None = (1000, 1100),
    project: tuple[int, int] | None = (1000, 1100),
    *,
    ours: tuple[int, int] = (0, 0),
    theirs: tuple[int, int] = (0, 0),
    is_over: bool = False,
    is_closed: bool = False,
    locks_due: bool = False,
) -> Sides:
    """Make one pair; `ours` and `theirs` are by how many days each side may move to earlier and to later."""
    first, last = due or (None, None)
    start, end = project or (None, None)
    days: dict[str, int | None] = {
        "due_from": first,
        "due_until": last,
        "reach_from": None if first is None else first - ours[0],
        "reach_until": None if last is None else last + ours[1],
        "project_from": start,
        "project_until": end,
        "project_earliest": None if start is None else start - theirs[0],
        "project_latest": None if end is None else end + theirs[1],
    }
    parts: dict[str, Any] = {name: np.array([day(number)]) for name, number in days.items()}
    flags = {"is_over": is_over, "is_closed": is_closed, "locks_due": locks_due}
    return Sides(**parts, **{name: np.array([flag]) for name, flag in flags.items()})


def told(pair: Sides, limits: Limits = LIMITS) -> dict[str, Any]:
    row = relation_table(pair, limits).iloc[0]
    return {name: None if pd.isna(row[name]) else row[name] for name in row.index}


CASES: list[tuple[str, dict[str, Any], str, str | None, int | None]] = [
    # together: one day in common is enough, at either end
    ("same window", {}, "together", None, None),
    ("inside", {"project": (1040, 1050)}, "together", None, None),
    ("around", {"project": (0, 5000)}, "together", None, None),
    ("first day in common", {"project": (900, 1000)}, "together", None, None),
    ("last day in common", {"project": (1100, 1200)}, "together", None, None),
    ("locked afterwards", {"locks_due": True}, "together", None, None),
    # near miss: up to the limit, and only if a side can move that far
    ("a day before, ours", {"project": (900, 999), "ours": (1, 0)}, "near_miss", "ours", 1),
    ("a day before, theirs", {"project": (900, 999), "theirs": (0, 1)}, "near_miss", "theirs", 1),
    ("a day after, ours", {"project": (1101, 1200), "ours": (0, 1)}, "near_miss", "ours", 1),
    ("a day after, theirs", {"project": (1101, 1200), "theirs": (1, 0)}, "near_miss", "theirs", 1),
    ("either", {"project": (1101, 1200), "theirs": (1, 0), "ours": (0, 1)}, "near_miss", "either", 1),
    ("the wrong way", {"project": (1101, 1200), "theirs": (0, 99), "ours": (99, 0)}, "conflict", "none", None),
    ("a day too little", {"project": (1110, 1200), "theirs": (9, 0), "ours": (0, 9)}, "conflict", "none", None),
    ("at the limit after", {"project": (1200, 1300), "ours": (0, 100)}, "near_miss", "ours", 100),
    ("beyond the limit after", {"project": (1201, 1300), "ours": (0, 101)}, "conflict", "ours", 101),
    ("at the limit before", {"project": (800, 900), "theirs": (0, 100)}, "near_miss", "theirs", 100),
    ("beyond the limit before", {"project": (800, 899), "theirs": (0, 101)}, "conflict", "theirs", 101),
    # race: before the due window, with a ban that is in force when it begins
    ("race", {"project": (900, 999), "locks_due": True}, "race", "none", None),
    ("race that we can win", {"project": (900, 999), "locks_due": True, "ours": (1, 0)}, "race", "ours", 1),
    ("race from afar", {"project": (0, 10), "locks_due": True}, "race", "none", None),
    ("a ban after the due window is no race", {"project": (1101, 1200), "locks_due": True}, "conflict", "none", None),
    # conflict: up to the horizon
    ("at the horizon", {"project": (1400, 1500)}, "conflict", "none", None),
    ("beyond the horizon", {"project": (1401, 1500)}, "not_due", None, None),
    ("at the horizon before", {"project": (600, 700)}, "conflict", "none", None),
    ("beyond the horizon before", {"project": (600, 699)}, "not_due", None, None),
    # what goes before all dates
    ("nothing asks for it", {"due": None}, "not_due", None, None),
    ("nothing asks for it, closed", {"due": None, "is_closed": True}, "not_due", None, None),
    ("closed", {"is_closed": True}, "too_late", None, None),
    ("closed by works that are over", {"is_closed": True, "is_over": True}, "too_late", None, None),
    ("closed, project undated", {"is_closed": True, "project": None}, "too_late", None, None),
    ("over", {"is_over": True}, "not_due", None, None),
    ("over and undated", {"is_over": True, "project": None}, "not_due", None, None),
    ("undated", {"project": None}, "undated", None, None),
]


@pytest.mark.parametrize(("name", "pair", "relation", "mover", "move_days"), CASES, ids=[case[0] for case in CASES])
def test_the_table_of_all_cases(
    name: str, pair: dict[str, Any], relation: str, mover: str | None, move_days: int | None
) -> None:
    found = told(sides(**pair))
    assert (found["relation"], found["mover"], found["move_days"]) == (relation, mover, move_days), name


def test_the_cases_and_the_list_have_every_relation() -> None:
    assert {case[2] for case in CASES} == set(RELATIONS) == set(value_list("time_relation"))
    assert {case[3] for case in CASES} - {None} == set(value_list("mover"))


@pytest.mark.parametrize(
    ("project", "overlap", "gap"),
    [((1000, 1100), 101, 0), ((1100, 1200), 1, 0), ((1101, 1200), 0, 1), ((900, 1000), 1, 0), ((900, 998), 0, 2)],
)
def test_days_are_counted_with_both_ends(project: tuple[int, int], overlap: int, gap: int) -> None:
    found = told(sides(project=project))
    assert (found["overlap_days"], found["gap_days"]) == (overlap, gap)
    assert found["years_apart"] == pytest.approx(gap / 365.25)


SPAN = st.tuples(st.integers(0, 900), st.integers(0, 200)).map(lambda span: (span[0], span[0] + span[1]))
FREEDOM = st.tuples(st.integers(0, 400), st.integers(0, 400))
PAIR = st.builds(
    sides,
    due=st.none() | SPAN,
    project=st.none() | SPAN,
    ours=FREEDOM,
    theirs=FREEDOM,
    is_over=st.booleans(),
    is_closed=st.booleans(),
    locks_due=st.booleans(),
)


@given(pair=PAIR)
def test_each_pair_has_one_relation_and_its_figures_agree(pair: Sides) -> None:
    found = told(pair)
    assert found["relation"] in RELATIONS
    both = not (np.isnat(pair.due_from[0]) or np.isnat(pair.project_from[0]))
    assert (found["gap_days"] is not None) == both
    if both:
        shared = set(range_of(pair.due_from, pair.due_until)) & set(range_of(pair.project_from, pair.project_until))
        assert found["overlap_days"] == len(shared)
        assert (found["gap_days"] == 0) == bool(shared)
    if found["relation"] == "together":
        assert found["gap_days"] == 0
    if found["relation"] in {"near_miss", "conflict", "race"}:
        assert found["gap_days"] > 0
        assert (found["move_days"] is None) == (found["mover"] == "none")
    if found["relation"] == "near_miss":
        assert found["mover"] != "none"


def range_of(first: Any, last: Any) -> list[date]:
    return list(np.arange(first[0], last[0] + np.timedelta64(1, "D")).tolist())


@given(pair=PAIR, shift=st.integers(-2000, 2000))
def test_shifting_both_windows_changes_nothing(pair: Sides, shift: int) -> None:
    days = {part.name: getattr(pair, part.name) for part in parts_of(Sides)}
    moved = {
        name: value + np.timedelta64(shift, "D") if value.dtype.kind == "M" else value for name, value in days.items()
    }
    columns = ["relation", "overlap_days", "gap_days", "years_apart", "mover", "move_days"]
    before, after = (relation_table(Sides(**made), LIMITS)[columns] for made in (days, moved))
    pd.testing.assert_frame_equal(before, after)


@given(pair=PAIR, ours=FREEDOM, theirs=FREEDOM)
def test_more_freedom_turns_conflicts_into_near_misses_and_nothing_else(
    pair: Sides, ours: tuple[int, int], theirs: tuple[int, int]
) -> None:
    wider = replace(
        pair,
        reach_from=pair.reach_from - np.timedelta64(ours[0], "D"),
        reach_until=pair.reach_until + np.timedelta64(ours[1], "D"),
        project_earliest=pair.project_earliest - np.timedelta64(theirs[0], "D"),
        project_latest=pair.project_latest + np.timedelta64(theirs[1], "D"),
    )
    before, after = told(pair), told(wider)
    assert after["relation"] == before["relation"] or (before["relation"], after["relation"]) == (
        "conflict",
        "near_miss",
    )
    assert after["gap_days"] == before["gap_days"]
    if before["mover"] == "either":
        assert after["mover"] == "either"


@given(pair=PAIR)
def test_moving_the_mover_by_the_days_told_brings_both_together(pair: Sides) -> None:
    found = told(pair)
    if found["relation"] != "near_miss":
        return
    towards = 1 if pair.project_from[0] > pair.due_until[0] else -1
    step = np.timedelta64(int(found["move_days"]) * towards, "D")
    ours = replace(pair, due_from=pair.due_from + step, due_until=pair.due_until + step)
    theirs = replace(pair, project_from=pair.project_from - step, project_until=pair.project_until - step)
    for moved in {"ours": [ours], "theirs": [theirs], "either": [ours, theirs]}[found["mover"]]:
        again = told(moved)
        assert (again["relation"], again["overlap_days"]) == ("together", 1)
    if found["mover"] in {"theirs", "either"}:
        assert theirs.project_from[0] >= pair.project_earliest[0]
        assert theirs.project_until[0] <= pair.project_latest[0]


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        ({}, ["2028-03-01", "2028-10-31", "2028-03-01", "2028-10-31"]),
        (
            {"earliest_on": "2027-05-01", "latest_on": "2029-06-30"},
            ["2028-03-01", "2028-10-31", "2027-05-01", "2029-06-30"],
        ),
        # nothing starts in the past, and a stated freedom within the window is none
        ({"earliest_on": "2025-05-01"}, ["2028-03-01", "2028-10-31", "2026-11-01", "2028-10-31"]),
        (
            {"earliest_on": "2028-05-01", "latest_on": "2028-06-30"},
            ["2028-03-01", "2028-10-31", "2028-03-01", "2028-10-31"],
        ),
        (
            {"state": "under_way", "earliest_on": "2027-01-01", "latest_on": "2029-06-30"},
            ["2028-03-01", "2028-10-31", "2028-03-01", "2029-06-30"],
        ),
        ({"starts_on": None}, ["2028-10-31"] * 4),
        ({"ends_on": None}, ["2028-03-01"] * 4),
        ({"starts_on": None, "ends_on": None}, ["NaT"] * 4),
        (
            {"starts_on": None, "ends_on": None, "batch_year": 2028},
            ["2028-01-01", "2028-12-31", "2028-01-01", "2028-12-31"],
        ),
        (
            {"starts_on": None, "ends_on": None, "earliest_on": "2027-05-01", "latest_on": "2029-06-30"},
            ["2027-05-01", "2029-06-30", "2027-05-01", "2029-06-30"],
        ),
        ({"starts_on": None, "ends_on": None, "earliest_on": "2027-05-01"}, ["NaT"] * 4),
        ({"starts_on": "2028-11-01"}, ["NaT"] * 4),
    ],
)
def test_the_window_of_a_project_and_its_freedom(project: dict[str, Any], expected: list[str]) -> None:
    found = project_freedom(projects_of(project | {"geometry": line((0, 0), (9, 0))}), AS_OF)
    assert found.iloc[0].map(lambda one: "NaT" if pd.isna(one) else f"{one:%Y-%m-%d}").tolist() == expected


def related(
    segments: gpd.GeoDataFrame,
    projects: gpd.GeoDataFrame,
    classes: list[str],
    roads: gpd.GeoDataFrame | None = None,
    moratoria: gpd.GeoDataFrame | None = None,
    policy: Policy | None = None,
) -> pd.DataFrame:
    policy = policy or read_policy()
    pairs = find_overlaps(segments, projects, range(2027, 2036), policy)
    scores = pd.DataFrame({"policy_class": pd.array(classes, dtype="str")}, index=segments.index)
    bans = find_bans(
        roads_of() if roads is None else roads,
        projects,
        moratoria_of() if moratoria is None else moratoria,
        policy,
        AS_OF,
    )
    times = relate(pairs, scores, segments, projects, bans, policy, AS_OF)
    check_frame(times, "pair_times")
    assert times["segment_id"].tolist() == pairs["segment_id"].tolist()
    return times


STREET = line((0, 0), (100, 0))


def test_a_renewal_due_after_an_overhaul_is_a_race_with_the_ban() -> None:
    """Assessed within a year, due until 2030; works of 2027 close the street for 5 years, for 3, or not at all."""
    dates = {"starts_on": "2027-03-01", "ends_on": "2027-10-31", "geometry": STREET}
    projects = projects_of(*(dates | {"kind": kind} for kind in ("road_building", "road_overhaul", "road_overlay")))
    times = related(segments_of({}), projects, ["assess"])
    assert times["relation"].tolist() == ["race", "race", "near_miss"]
    assert times["mover"].tolist() == ["ours"] * 3
    assert times["move_days"].tolist() == [1] * 3
    assert times["locked_from"].astype("str").tolist()[:2] == ["2027-11-01"] * 2
    assert times["locked_until"].astype("str").tolist()[:2] == ["2032-10-31", "2030-10-31"]
    assert times["rule_code"].fillna("").tolist() == ["cn_new_road", "cn_overhaul", ""]
    assert times["exceptions"].fillna("-").tolist() == ["special_approval"] * 2 + ["-"]


@pytest.mark.parametrize(
    ("ends_on", "relation"),
    [("2024-10-31", "near_miss"), ("2024-11-01", "race"), ("2026-10-31", "race"), ("2027-11-01", "together")],
)
def test_the_road_is_a_race_if_it_is_closed_on_the_first_due_day(ends_on: str, relation: str) -> None:
    """Due from 2027-11-01; an overhaul closes the road for three years, its last forbidden day included."""
    late = {"starts_on": "2024-03-01", "ends_on": ends_on, "latest_on": "2028-12-31", "state": "under_way"}
    times = related(segments_of({}), projects_of(late | {"geometry": STREET}), ["assess"])
    assert times["relation"].tolist() == [relation]


def test_a_ban_over_the_whole_due_window_is_too_late_and_one_day_less_is_not() -> None:
    segments = segments_of({"geometry": STREET})
    project = projects_of({"kind": "utility", "starts_on": "2027-03-01", "ends_on": "2027-04-30", "geometry": STREET})
    # opened for traffic on the last day of 2022-10: closed until 2027-11-01, the last due day of a mandatory renewal
    for opened, relation in (("2022-11-01", "too_late"), ("2022-10-31", "together")):
        times = related(segments, project, ["mandatory"], roads=roads_of({"opened_on": opened}))
        assert times["relation"].tolist() == [relation]
        assert times["locked_until"].astype("str").tolist() == [f"2027-{opened[5:]}"]
        assert times["rule_code"].tolist() == ["cn_new_road"]


def test_bans_that_follow_each_other_close_a_window_together() -> None:
    segments = segments_of({"geometry": STREET})
    project = projects_of({"kind": "utility", "starts_on": "2027-03-01", "ends_on": "2027-04-30", "geometry": STREET})
    first = {"starts_on": "2026-01-01", "ends_on": "2027-02-28", "geometry": STREET}
    for start, relation in (("2027-03-01", "too_late"), ("2027-03-02", "together")):
        second = {"starts_on": start, "ends_on": None, "geometry": STREET}
        times = related(segments, project, ["mandatory"], moratoria=moratoria_of(first, second))
        assert times["relation"].tolist() == [relation]
        assert times["locked_from"].astype("str").tolist() == ["2026-01-01"]
        assert times["locked_until"].isna().all()


def test_only_bans_on_the_ground_of_the_segment_count() -> None:
    """A street that the pipe crosses closes it; one that its end just touches does not."""
    crossing = {"geometry": line((50, -100), (50, 100)), "width_m": 10.0, "opened_on": "2025-01-01"}
    touching = {"geometry": line((105.1, -100), (105.1, 100)), "width_m": 10.0, "opened_on": "2025-01-01"}
    project = projects_of({"kind": "utility", "starts_on": "2027-03-01", "ends_on": "2027-04-30", "geometry": STREET})
    for road, relation in ((crossing, "too_late"), (touching, "together")):
        times = related(segments_of({"geometry": STREET}), project, ["mandatory"], roads=roads_of(road))
        assert times["relation"].tolist() == [relation]


def test_finished_works_close_the_pipe_under_them_and_are_over() -> None:
    done = {"state": "done", "starts_on": "2026-03-01", "ends_on": "2026-09-30", "geometry": STREET}
    times = related(segments_of({}), projects_of(done, done | {"kind": "utility"}), ["mandatory"])
    assert times["relation"].tolist() == ["too_late", "too_late"]
    times = related(segments_of({}), projects_of(done | {"kind": "utility"}), ["mandatory"])
    assert times["relation"].tolist() == ["not_due"]
    assert times["rule_code"].isna().all()


def test_works_to_come_lock_only_their_own_pair() -> None:
    coming = {"starts_on": "2027-01-01", "ends_on": "2027-03-31", "geometry": STREET}
    times = related(
        segments_of({}), projects_of(coming | {"kind": "road_building"}, coming | {"kind": "utility"}), ["due"]
    )
    assert times["relation"].tolist() == ["together", "together"]
    assert times["locked_until"].isna().tolist() == [False, True]


def test_digging_before_a_resurfacing_is_told_where_the_rule_allows_it() -> None:
    policy = policy_with("us-example")
    closed = roads_of({"overlaid_on": "2024-05-01"})
    coming = projects_of(
        {"kind": "road_overlay", "starts_on": "2027-06-01", "ends_on": "2027-07-01", "geometry": STREET},
        {"kind": "utility", "starts_on": "2027-06-01", "ends_on": "2027-07-01", "geometry": STREET},
        {"kind": "road_overlay", "starts_on": "2029-06-01", "ends_on": "2029-07-01", "geometry": STREET},
    )
    times = related(segments_of({}), coming, ["mandatory"], roads=closed, policy=policy)
    assert times["relation"].tolist() == ["too_late"] * 3
    assert times["exceptions"].tolist() == [
        "special_approval|trenchless|before_resurfacing",
        "special_approval|trenchless",
        "special_approval|trenchless",
    ]


def test_rows_are_those_of_the_pairs_whatever_their_order() -> None:
    segments = segments_of({}, {"geometry": line((0, 2), (100, 2))}, {"geometry": line((0, 4), (100, 4))})
    projects = projects_of(
        {"geometry": STREET}, {"geometry": STREET, "starts_on": "2031-01-01", "ends_on": "2031-05-01"}
    )
    policy = read_policy()
    pairs = find_overlaps(segments, projects, range(2027, 2036), policy)
    scores = pd.DataFrame({"policy_class": pd.array(["mandatory", "due", "assess"], dtype="str")}, index=segments.index)
    bans = find_bans(roads_of({"opened_on": "2025-01-01"}), projects, moratoria_of(), policy, AS_OF)
    times = relate(pairs, scores, segments, projects, bans, policy, AS_OF)
    order = [4, 1, 5, 0, 3, 2]
    again = relate(
        pairs.iloc[order],
        scores.iloc[::-1],
        segments.iloc[[2, 0, 1]],
        projects.iloc[::-1],
        bans.iloc[::-1],
        policy,
        AS_OF,
    )
    pd.testing.assert_frame_equal(times.iloc[order], again)


def test_without_pairs_there_are_no_times() -> None:
    times = related(segments_of({"geometry": line((0, 900), (9, 900))}), projects_of({"geometry": STREET}), ["due"])
    assert times.empty


def test_a_pair_of_something_unknown_is_told() -> None:
    segments, projects, policy = segments_of({}), projects_of({"geometry": STREET}), read_policy()
    pairs = find_overlaps(segments, projects, range(2027, 2030), policy)
    scores = pd.DataFrame({"policy_class": pd.array(["due"], dtype="str")}, index=segments.index)
    bans = find_bans(roads_of(), projects, moratoria_of(), policy, AS_OF)
    with pytest.raises(PlanningError, match=r"S0000.*scores"):
        relate(pairs, scores.iloc[:0], segments, projects, bans, policy, AS_OF)
    with pytest.raises(PlanningError, match=r"P0000.*projects"):
        relate(pairs, scores, segments, projects.iloc[:0], bans, policy, AS_OF)


@settings(max_examples=30, deadline=None)
@given(
    spans=st.lists(st.tuples(st.integers(-400, 400), st.integers(0, 500)), max_size=5),
    class_=st.sampled_from(["mandatory", "due", "assess"]),
)
def test_too_late_is_what_a_calendar_shows(spans: list[tuple[int, int]], class_: str) -> None:
    """Against a list of days: too late if and only if each due day is forbidden by one of the bans."""
    made = [(AS_OF + timedelta(days=start), AS_OF + timedelta(days=start + length)) for start, length in spans]
    rows = [{"starts_on": first, "ends_on": last, "geometry": STREET} for first, last in made]
    project = projects_of({"kind": "utility", "starts_on": "2026-11-01", "ends_on": "2031-12-31", "geometry": STREET})
    times = related(segments_of({}), project, [class_], moratoria=moratoria_of(*rows))
    due = range_of(*(times[name].to_numpy(dtype="datetime64[D]") for name in ("due_from", "due_until")))
    is_closed = all(any(first <= day <= last for first, last in made) for day in due)
    assert times["relation"].tolist() == ["too_late" if is_closed else "together"]
