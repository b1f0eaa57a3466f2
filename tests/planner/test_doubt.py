"""Doubtful leaks are listed with the reason; those that are clear are not."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from planner.doubt import doubtful_leaks
from planner.leaks import link_leaks
from planner.policy import read_policy
from registry.errors import PlanningError
from registry.fields import check_frame
from tests.planner.frames import leaks_of, line, segments_of
from tests.planner.test_leaks import point


def links_of(*rows: tuple[str, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["leak_id", "segment_id", "probability"])
    return table.astype({"leak_id": "str", "segment_id": "str", "probability": "float64"}).assign(
        distance_m=1.0, measure_m=1.0
    )


def row_of(*shares: float, **leak: Any) -> dict[str, Any] | None:
    """What the list says about one leak with these probabilities, or None."""
    links = links_of(*(("L0000", f"S{number}", share) for number, share in enumerate(shares)))
    listed = doubtful_leaks(links, leaks_of({"geometry": point(0, 0)} | leak), read_policy())
    check_frame(listed, "doubtful_leaks")
    if listed.empty:
        return None
    row = listed.iloc[0]
    return {str(name): None if pd.isna(row[name]) else row[name] for name in listed.columns}


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ((0.4, 0.1), "likely_not_held"),
        ((0.5, 0.4), "two_alike"),
        ((0.35, 0.35, 0.28), "two_alike"),
        ((0.4, 0.29, 0.29), "many_alike"),
        ((), "nothing_near"),
        ((0.699, 0.001), "two_alike"),
    ],
)
def test_the_reason_is_the_first_that_holds(shares: tuple[float, ...], reason: str) -> None:
    row = row_of(*shares)
    assert row is not None
    assert row["reason"] == reason
    best = ("S0", shares[0]) if shares else (None, None)
    second = ("S1", shares[1]) if len(shares) > 1 else (None, None)
    assert (row["segment_id"], row["probability"]) == best
    assert (row["second_segment_id"], row["second_probability"]) == second


def test_a_leak_at_the_threshold_is_clear() -> None:
    assert row_of(0.7, 0.3) is None
    assert row_of(1.0, segment_id="S0") is None


def test_a_named_segment_that_cannot_be_is_said() -> None:
    row = row_of(segment_id="GONE")
    assert row is not None
    assert row["reason"] == "named_not_possible"


def test_equal_probabilities_are_ranked_by_id() -> None:
    links = links_of(("L0000", "B", 0.45), ("L0000", "A", 0.45))
    listed = doubtful_leaks(links, leaks_of({"geometry": point(0, 0)}), read_policy())
    assert listed[["segment_id", "second_segment_id"]].to_numpy().tolist() == [["A", "B"]]


def test_links_lead_to_the_list_in_the_order_of_leaks() -> None:
    segments = segments_of({"geometry": line((0, 0), (100, 0))}, {"geometry": line((0, 6), (100, 6))})
    leaks = leaks_of(
        {"geometry": point(50, 900)}, {"geometry": point(50, -1)}, {"geometry": point(50, 3)}, {"segment_id": "GONE"}
    )
    policy = read_policy()
    listed = doubtful_leaks(link_leaks(leaks, segments, policy), leaks, policy)
    assert listed["reason"].to_dict() == {"L0000": "nothing_near", "L0002": "two_alike", "L0003": "named_not_possible"}


def test_links_of_other_leaks_are_refused() -> None:
    with pytest.raises(PlanningError) as fault:
        doubtful_leaks(links_of(("L7", "S0", 0.4)), leaks_of({"geometry": point(0, 0)}), read_policy())
    assert fault.value.code == "plan_links_without_leaks"


def test_no_leaks_give_an_empty_list() -> None:
    listed = doubtful_leaks(links_of(), leaks_of({"geometry": point(0, 0)}).iloc[:0], read_policy())
    check_frame(listed, "doubtful_leaks")
    assert listed.empty
