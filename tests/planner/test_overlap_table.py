"""The pair table keeps every pair and every metre, and its views add up to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.overlap_table import KEY, Meeting, by_project, by_street, by_year, overlap_table
from registry.fields import check_frame, columns_of
from tests.planner.frames import projects_of, segments_of

RELATIONS = ("together", "near_miss", "race", "conflict", "too_late", "undated")


def frame_with(contract: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Build a frame without an index of its own; what a row leaves out is missing."""
    table = pd.DataFrame(rows, columns=columns_of(contract))
    days = [
        name
        for name in columns_of(contract)
        if name.endswith(("_on", "_from", "_until")) and not name.startswith("joining")
    ]
    return table.astype(dict.fromkeys(days, "datetime64[s]"))


def meeting_of(rows: list[dict[str, Any]], **parts: Any) -> Meeting:
    """A meeting about pairs; each row may say what its pair is in any of the frames."""
    segments = segments_of(*({"street_name": f"街{number % 2}"} for number in range(3)))
    keyed = [{"segment_id": row["segment_id"], "project_id": row["project_id"]} for row in rows]
    pairs = pd.DataFrame(keyed, columns=KEY, dtype="str").assign(
        project_kind="road_overhaul",
        overlap_m=[float(row.get("overlap_m", 10.0)) for row in rows],
        overlap_share=0.1,
        project_share=0.5,
        course="parallel",
        side="left",
    )
    scores = pd.DataFrame(
        {"policy_class": "due", "grade": "high", "risk_per_year": 0.1, "gap_count": 1, "expected_household_count": 3.0},
        index=segments.index,
    )
    default: dict[str, Any] = {
        "pairs": pairs,
        "times": frame_with("pair_times", [key | row for key, row in zip(keyed, rows, strict=True)]),
        "amounts": frame_with("pair_values", [key | row for key, row in zip(keyed, rows, strict=True)]),
        "decisions": frame_with("pair_decisions", []),
        "neighbours": frame_with("neighbours", []),
        "segments": segments,
        "scores": scores,
        "projects": projects_of({"geometry": None}, {"geometry": None}),
    }
    return Meeting(**(default | parts))


def pair(segment: int, project: int, **values: Any) -> dict[str, Any]:
    return {"segment_id": f"S000{segment}", "project_id": f"P000{project}"} | values


def test_the_dearest_pair_comes_first_and_what_is_not_known_last() -> None:
    rows = [pair(0, 0), pair(1, 0, at_stake_cny=5.0), pair(2, 0, overlap_m=20.0), pair(2, 1, at_stake_cny=9.0)]
    table = overlap_table(meeting_of(rows))
    check_frame(table, "overlap_table")
    assert list(table["pair_id"]) == ["S0002@P0001", "S0001@P0000", "S0002@P0000", "S0000@P0000"]


def test_decision_batch_and_neighbours_come_along() -> None:
    told = [{"segment_id": "S0000", "project_id": "P0000", "verdict": "together", "decided_by": "会商"}]
    near = [{"segment_id": "S0000", "project_id": "P0001"}, {"segment_id": "S0001", "project_id": "P0001"}]
    planned = pd.DataFrame({"batch_id": ["B", "B"], "year": [2028, 2028]}, index=["S0000", "S0001"])
    parts = {"decisions": frame_with("pair_decisions", told), "neighbours": frame_with("neighbours", near)}
    meeting = meeting_of([pair(0, 0, overlap_m=50.0), pair(2, 1)], planned=planned, **parts)
    first, other = overlap_table(meeting).to_dict("records")
    assert (first["verdict"], first["batch_id"], first["plan_year"], first["neighbour_count"]) == (
        "together",
        "B",
        2028,
        1,
    )
    # the batch is two segments of 100 m
    assert first["batch_share"] == pytest.approx(0.25)
    assert pd.isna(other["verdict"])
    assert pd.isna(other["batch_id"])
    assert other["neighbour_count"] == 0
    assert list(by_project(overlap_table(meeting), meeting.neighbours)["neighbour_count"]) == [0, 2]


def test_a_plan_without_batches_leaves_the_batch_empty() -> None:
    planned = pd.DataFrame({"batch_id": [], "year": []}, index=pd.Index([], dtype="str")).astype(
        {"batch_id": "str", "year": "Int64"}
    )
    table = overlap_table(meeting_of([pair(0, 0)], planned=planned))
    check_frame(table, "overlap_table")
    assert table[["batch_id", "batch_share", "plan_year"]].isna().all(axis=None)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(0, 1),
            st.sampled_from(RELATIONS),
            st.floats(1.0, 100.0),
            st.none() | st.floats(-50.0, 50.0),
            st.none() | st.integers(2027, 2029),
        ),
        unique_by=lambda row: row[:2],
    )
)
def test_views_add_up_to_the_table(drawn: list[tuple[int, int, str, float, float | None, int | None]]) -> None:
    rows = [
        pair(
            segment, project, relation=relation, overlap_m=metres, at_stake_cny=stake, saving_cny=stake, best_year=year
        )
        for segment, project, relation, metres, stake, year in drawn
    ]
    meeting = meeting_of(rows)
    table = overlap_table(meeting)
    check_frame(table, "overlap_table")
    assert sorted(table["pair_id"]) == sorted(f"{row['segment_id']}@{row['project_id']}" for row in rows)
    views = {
        "overlap_projects": by_project(table, meeting.neighbours),
        "overlap_streets": by_street(table),
        "overlap_years": by_year(table),
    }
    for name, view in views.items():
        check_frame(view, name)
        assert view["pair_count"].sum() == len(rows)
        assert view["overlap_m"].sum() == pytest.approx(table["overlap_m"].sum())
        metres = view[[f"{relation}_m" for relation in RELATIONS[:-1]]].to_numpy().sum()
        assert metres == pytest.approx(sum(row["overlap_m"] for row in rows if row["relation"] != "undated"))
        assert np.nansum(view["at_stake_cny"]) == pytest.approx(sum(row["at_stake_cny"] or 0.0 for row in rows))


def test_the_calendar_of_each_pair_comes_along() -> None:
    told = {"open_days": 0, "season": "closed", "closures": "exam_days"}
    table = overlap_table(meeting_of([pair(0, 0, **told), pair(1, 0)]))
    assert table[list(told)].to_dict("records")[0] == told
    assert table[["season", "closures", "file_by"]].iloc[1:].isna().all(axis=None)
