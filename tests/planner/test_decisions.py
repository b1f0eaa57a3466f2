"""Which decision stands for a pair, against one that reads the list decision by decision."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.decisions import standing_decisions
from registry.fields import check_frame, columns_of
from tests.planner.frames import frame_of
from tests.planner.test_predecessors import Part, successions_of

HALVES: tuple[Part, ...] = (("OLD", "S0000", "split", 0, 50, 0, 50), ("OLD", "S0001", "split", 50, 100, 0, 50))


def decisions_of(*rows: dict[str, Any]) -> pd.DataFrame:
    default = {"verdict": "together", "decided_on": "2026-03-05", "decided_by": "联动会商"}
    filled = [{"decision_id": f"J{number}"} | default | row for number, row in enumerate(rows)]
    made = frame_of("decisions", filled, columns_of("decisions"))
    return pd.DataFrame(made.drop(columns=made.geometry.name))


def pairs_of(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(pairs), columns=["segment_id", "project_id"], dtype="str")


def stands(decisions: pd.DataFrame, pairs: pd.DataFrame, *parts: Part) -> dict[tuple[str, str], str]:
    told = standing_decisions(decisions, pairs, successions_of(*parts))
    check_frame(told, "pair_decisions")
    return {(row["segment_id"], row["project_id"]): row["decision_id"] for row in told.to_dict("records")}


def test_a_decision_about_a_split_pipe_holds_for_its_parts() -> None:
    pairs = pairs_of(("S0000", "P"), ("S0001", "P"), ("S0001", "Q"))
    decided = decisions_of({"project_id": "P", "segment_id": "OLD"})
    assert stands(decided, pairs, *HALVES) == {("S0000", "P"): "J0", ("S0001", "P"): "J0"}
    replaced: Part = ("OLD", "S0000", "replace", 0, 50, 0, 50)
    assert stands(decided, pairs, replaced) == {}


def test_one_about_the_segment_goes_before_one_about_the_project_of_that_day() -> None:
    pairs = pairs_of(("S0000", "P"), ("S0001", "P"))
    decided = decisions_of({"project_id": "P", "segment_id": "S0000"}, {"project_id": "P"})
    assert stands(decided, pairs) == {("S0000", "P"): "J0", ("S0001", "P"): "J1"}
    later = decisions_of({"project_id": "P", "segment_id": "S0000"}, {"project_id": "P", "decided_on": "2026-03-06"})
    assert set(stands(later, pairs).values()) == {"J1"}


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["P", "Q"]),
            st.sampled_from([None, "S0000", "S0001", "OLD", "GONE"]),
            st.sampled_from([date(2026, 3, 5), date(2026, 3, 6)]),
        ),
        max_size=6,
    )
)
def test_as_reading_the_list_decision_by_decision(rows: list[tuple[str, str | None, date]]) -> None:
    names = [(segment, project) for segment in ("S0000", "S0001") for project in ("P", "Q")]
    decided = decisions_of(
        *({"project_id": project, "segment_id": segment, "decided_on": str(day)} for project, segment, day in rows)
    )
    expected: dict[tuple[str, str], tuple[date, bool, int]] = {}
    for number, (project, segment, day) in enumerate(rows):
        for name in names:
            if name[1] == project and segment in {None, "OLD", name[0]}:
                rank = (day, segment is not None, number)
                expected[name] = max(expected.get(name, rank), rank)
    told = stands(decided, pairs_of(*names), *HALVES)
    assert told == {name: f"J{rank[2]}" for name, rank in expected.items()}
