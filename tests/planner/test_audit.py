"""What the audit finds, and at both ends of each rule what it leaves alone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.audit import Audited, audit
from planner.policy import read_policy
from registry.fields import check_frame, columns_of
from tests.planner.frames import CRS, EAST, NORTH, frame_of, line, projects_of, segments_of
from tests.planner.test_decisions import decisions_of
from tests.planner.test_leaks import point
from tests.planner.test_predecessors import Part, successions_of

POLICY = read_policy()
AS_OF = date(2026, 11, 1)
YEARS = range(2027, 2030)
BAN_FROM, BAN_UNTIL = date(2025, 3, 1), date(2028, 2, 29)


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    return shapely.box(EAST + x0, NORTH + y0, EAST + x1, NORTH + y1)


def bans_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    """Closed ground about the first segment; a ban of an overhaul where a row says nothing else."""
    default = {
        "source_id": "R1",
        "street_name": "罗峰大街",
        "rule_code": "overhaul",
        "starts_on": BAN_FROM,
        "ends_on": BAN_UNTIL,
        "geometry": box(0, -5, 100, 5),
    }
    table = pd.DataFrame([default | row for row in rows], columns=list(default))
    for name in ("starts_on", "ends_on"):
        table[name] = pd.to_datetime(table[name]).astype("datetime64[s]")
    return gpd.GeoDataFrame(table, geometry="geometry", crs=CRS)


def digs_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    default = {"kind": "excavation", "happened_on": "2026-05-01", "geometry": None, "owner": "自来水公司"}
    filled = [{"event_id": f"E{number}"} | default | row for number, row in enumerate(rows)]
    return frame_of("events", filled, ("kind", "happened_on", "segment_id", "owner"))


def audited(**parts: Any) -> Audited:
    segments = segments_of({}, {})
    scores = pd.DataFrame({"policy_class": "keep", "grade": "low"}, index=segments.index)
    links = pd.DataFrame({"event_id": [], "segment_id": [], "probability": []})
    default: dict[str, Any] = {
        "segments": segments,
        "projects": projects_of(),
        "events": digs_of(),
        "event_links": links.astype({"event_id": "str", "segment_id": "str", "probability": "float64"}),
        "scores": scores,
        "bans": bans_of({}),
        "decisions": decisions_of(),
        "successions": successions_of(),
        "announced": pd.DataFrame({"decision_id": [], "starts_on": [], "ends_on": []}),
        "held": pd.DataFrame({"project_id": [], "code": []}),
    }
    return Audited(**(default | parts))


def told(parts: Audited, column: str = "object_id") -> list[tuple[str, Any]]:
    found = audit(parts, YEARS, POLICY, AS_OF)
    check_frame(found, "audit_findings")
    return list(zip(found["code"], found[column], strict=True))


def test_nothing_to_answer_for_is_an_empty_frame_of_the_contract() -> None:
    found = audit(audited(), YEARS, POLICY, AS_OF)
    check_frame(found, "audit_findings")
    assert found.empty


@pytest.mark.parametrize(
    ("day", "is_told"),
    [
        (BAN_FROM - timedelta(days=1), False),
        (BAN_FROM, True),
        (BAN_UNTIL, True),
        (BAN_UNTIL + timedelta(days=1), False),
    ],
)
def test_a_dig_is_told_from_the_first_to_the_last_forbidden_day(day: date, is_told: bool) -> None:
    dig = {"geometry": point(50, 0), "happened_on": day}
    assert told(audited(events=digs_of(dig))) == [("dig_in_ban", "E0")] * is_told


def test_an_emergency_may_dig_and_is_told_apart_and_a_dig_without_a_place_lies_at_its_segment() -> None:
    digs = digs_of(
        {"geometry": point(50, 0), "kind": "emergency_excavation"},
        {"segment_id": "S0000"},
        {"segment_id": "S0001"},
        {"geometry": point(50, 0), "kind": "inspection"},
    )
    assert told(audited(events=digs)) == [("dig_in_ban", "E1"), ("emergency_in_ban", "E0")]


@settings(deadline=None)
@given(st.data())
def test_digs_in_bans_as_looking_at_each_dig_and_ban(data: st.DataObject) -> None:
    numbers = st.integers(-2, 12)
    corners = st.tuples(numbers, numbers, st.integers(1, 5), st.integers(-3, 6), st.integers(-3, 9) | st.none())
    bans = data.draw(st.lists(corners, min_size=1, max_size=4))
    digs = data.draw(st.lists(st.tuples(numbers, numbers, st.integers(-5, 12)), max_size=5))
    start = date(2026, 1, 1)
    grounds = bans_of(
        *(
            {
                "geometry": box(x, y, x + size, y + size),
                "starts_on": start + timedelta(days=first),
                "ends_on": None if last is None else start + timedelta(days=last),
            }
            for x, y, size, first, last in bans
        )
    )
    events = digs_of(*({"geometry": point(x, y), "happened_on": start + timedelta(days=day)} for x, y, day in digs))
    expected = {
        f"E{number}"
        for number, (x, y, day) in enumerate(digs)
        for left, low, size, first, last in bans
        if left <= x <= left + size and low <= y <= low + size and first <= day and (last is None or day <= last)
    }
    found = told(audited(events=events, bans=grounds))
    assert {name for _, name in found} == expected
    assert len(found) == len(expected)


def test_works_of_others_on_site_under_a_ban_are_told_but_not_those_that_closed_the_ground() -> None:
    works = {"kind": "utility", "state": "under_way", "geometry": line((50, -50), (50, 50)), "owner": "自来水公司"}
    cases = projects_of(
        works | {"starts_on": "2028-02-29", "ends_on": "2028-06-01"},
        works | {"starts_on": "2028-03-01", "ends_on": "2028-06-01"},
        works | {"starts_on": "2024-01-01", "ends_on": "2025-03-01", "state": "done"},
        works | {"starts_on": "2024-01-01", "ends_on": "2025-02-28", "state": "done"},
        works | {"state": "planned", "starts_on": "2027-01-01", "ends_on": "2027-02-01"},
        works | {"starts_on": "2027-01-01", "geometry": line((150, -50), (150, 50))},
        works | {"starts_on": "2027-01-01", "kind": "road_overhaul"},
    )
    assert told(audited(projects=cases), "project_id") == [("works_in_ban", "P0002"), ("works_in_ban", "P0000")]
    own = audited(projects=cases, bans=bans_of({"source_id": "P0000"}))
    assert told(own, "project_id") == [("works_in_ban", "P0002")]


@pytest.mark.parametrize(
    ("scored", "planned_year", "probability", "is_told"),
    [
        ({"policy_class": "mandatory", "grade": "low"}, None, 1.0, True),
        ({"policy_class": "keep", "grade": "high"}, None, 0.5, True),
        ({"policy_class": "keep", "grade": "high"}, None, 0.49, False),
        ({"policy_class": "assess", "grade": "moderate"}, None, 1.0, False),
        ({"policy_class": "assess", "grade": "low"}, 2026, 1.0, True),
        ({"policy_class": "assess", "grade": "low"}, 2027, 1.0, False),
    ],
)
def test_an_emergency_on_a_pipe_that_stood_high_was_foreseen(
    scored: dict[str, str], planned_year: int | None, probability: float, is_told: bool
) -> None:
    parts = audited(
        events=digs_of({"geometry": point(50, 20), "kind": "emergency_excavation"}),
        event_links=pd.DataFrame({"event_id": ["E0"], "segment_id": ["S0001"], "probability": [probability]}),
        scores=pd.DataFrame([scored], index=["S0001"]),
        planned=None if planned_year is None else pd.DataFrame({"year": [planned_year]}, index=["S0001"]),
    )
    assert told(parts) == [("emergency_foreseen", "E0")] * is_told


OLD_TO_0: Part = ("OLD", "S0000", "split", 0, 100, 0, 100)


@pytest.mark.parametrize(
    ("decision", "is_told"),
    [
        ({"segment_id": "S0000", "due_on": "2026-10-31"}, True),
        ({"segment_id": "S0000", "due_on": "2026-11-01"}, False),
        ({"segment_id": "OLD", "due_on": "2026-10-31"}, True),
        ({"segment_id": "GONE", "due_on": "2026-10-31"}, False),
        ({"segment_id": "S0000"}, True),
        ({"segment_id": "S0000", "verdict": "ours_moves"}, False),
        ({"segment_id": "S0000", "verdict": "separate", "due_on": "2026-10-31"}, False),
        ({"verdict": "theirs_moves", "due_on": "2026-10-31"}, True),
    ],
)
def test_a_decision_is_told_when_it_is_overdue_and_nothing_has_changed(decision: dict[str, Any], is_told: bool) -> None:
    projects = projects_of({"geometry": box(0, 0, 9, 9), "starts_on": "2026-03-01", "ends_on": "2026-10-30"})
    parts = audited(
        projects=projects,
        decisions=decisions_of({"project_id": "P0000"} | decision),
        successions=successions_of(OLD_TO_0),
        announced=pd.DataFrame({"decision_id": ["J0"], **projects[["starts_on", "ends_on"]].to_dict("list")}),
    )
    assert told(parts) == [("promise_broken", "J0")] * is_told


def test_a_project_that_moved_has_kept_the_promise_and_only_the_last_decision_counts() -> None:
    projects = projects_of({"geometry": box(0, 0, 9, 9)})
    then = pd.DataFrame(
        {"decision_id": ["J0"], "starts_on": [np.datetime64("2027-03-01")], "ends_on": [np.datetime64("2027-10-31")]}
    )
    moved = decisions_of({"project_id": "P0000", "verdict": "theirs_moves", "due_on": "2026-10-01"})
    assert told(audited(projects=projects, decisions=moved, announced=then)) == []
    both = decisions_of(
        {"project_id": "P0000", "segment_id": "S0000", "due_on": "2026-10-01"},
        {"project_id": "P0000", "segment_id": "S0000", "due_on": "2026-10-01", "verdict": "separate"},
    )
    assert told(audited(projects=projects, decisions=both)) == []


def test_gaps_of_programmes_are_told() -> None:
    area = {"geometry": box(0, 0, 9, 9)}
    projects = projects_of(
        area | {"starts_on": None, "owner": "热力公司"},
        area | {"ends_on": None, "state": "done", "owner": "热力公司"},
        area | {"starts_on": "2024-01-01", "ends_on": "2026-12-31", "owner": "自来水公司", "state": "done"},
        area | {"starts_on": "2024-01-01", "ends_on": "2027-01-01", "owner": "城建"},
        area | {"owner": "电力公司", "state": "cancelled"},
    )
    projects["owner"] = pd.array(["热力公司", "热力公司", "自来水公司", "城建", "电力公司"], dtype="str")
    held = pd.DataFrame({"project_id": ["P9", "P9", "P8"], "code": ["project_without_extent"] * 2 + ["id_repeated"]})
    found = audit(audited(projects=projects, held=held), YEARS, POLICY, AS_OF)
    rows = list(zip(found["code"], found["project_id"].fillna(""), found["party"].fillna(""), strict=True))
    assert rows == [
        ("project_without_extent", "P9", ""),
        ("project_without_dates", "P0000", "热力公司"),
        ("party_silent", "", "自来水公司"),
        ("party_silent", "", "电力公司"),
    ]
    assert list(found.columns) == columns_of("audit_findings")
