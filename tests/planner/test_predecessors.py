"""Leaks of pipes that are gone reach the pipe in their place, apart from its own, and none is lost or doubled."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.policy import read_policy
from planner.predecessors import predecessor_links
from planner.score import Told, score_segments
from registry.fields import check_frame, columns_of
from tests.conftest import TODAY
from tests.planner.frames import leaks_of, segments_of

Part = tuple[str, str, str, float, float, float, float]
LENGTH_M = 100.0


def successions_of(*rows: Part) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns_of("successions"))
    return frame.astype(dict.fromkeys(("parent_id", "child_id", "relation"), "str")).astype(
        {name: "float64" for name in frame.columns if name.endswith("_m")}
    )


def links_of(*rows: tuple[str, str, float, float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["leak_id", "segment_id", "probability", "measure_m"])
    types: dict[str, Any] = {"leak_id": "str", "segment_id": "str", "probability": "float64", "measure_m": "float64"}
    return frame.astype(types).assign(distance_m=1.0)[columns_of("leak_links")]


def passed_on(links: pd.DataFrame, *rows: Part, today: int = 1) -> dict[tuple[str, str], tuple[float, float]]:
    told = predecessor_links(links, successions_of(*rows), segments_of(*({} for _ in range(today))))
    check_frame(told, "leak_links")
    return {
        (row["leak_id"], row["segment_id"]): (row["probability"], row["measure_m"]) for row in told.to_dict("records")
    }


REPLACED: Part = ("OLD", "S0000", "replace", 0, LENGTH_M, 0, LENGTH_M)


def test_a_replaced_pipe_passes_its_leaks_on_with_their_measure() -> None:
    links = links_of(("L", "OLD", 0.8, 30.0), ("L", "S0000", 0.1, 30.0), ("M", "AWAY", 0.5, 1.0))
    assert passed_on(links, REPLACED) == {("L", "S0000"): (0.8, 30.0)}


def test_what_was_only_split_is_no_predecessor() -> None:
    assert passed_on(links_of(("L", "OLD", 0.8, 30.0)), ("OLD", "S0000", "split", 0, 50, 0, 50)) == {}


@pytest.mark.parametrize(("measure_m", "child"), [(0.0, "S0000"), (39.9, "S0000"), (40.0, "S0001"), (100.0, "S0001")])
def test_a_successor_that_was_split_shares_by_measure(measure_m: float, child: str) -> None:
    split: list[Part] = [("NEW", "S0000", "split", 0, 40, 0, 40), ("NEW", "S0001", "split", 40, 100, 0, 60)]
    whole: Part = ("OLD", "NEW", "replace", 0, LENGTH_M, 0, LENGTH_M)
    told = passed_on(links_of(("L", "OLD", 1.0, measure_m)), whole, *split, today=2)
    assert list(told) == [("L", child)]
    assert told["L", child][1] == pytest.approx(measure_m if child == "S0000" else measure_m - 40)


def test_without_a_measure_a_leak_is_shared_by_length_and_a_turned_child_counts_from_its_own_start() -> None:
    parts: list[Part] = [("OLD", "S0000", "replace", 0, 25, 0, 25), ("OLD", "S0001", "replace", 25, 100, 75, 0)]
    told = passed_on(links_of(("L", "OLD", 0.8, None), ("M", "OLD", 1.0, 40.0)), *parts, today=2)
    assert told["L", "S0000"][0] == pytest.approx(0.2)
    assert told["L", "S0001"][0] == pytest.approx(0.6)
    assert told["M", "S0001"] == pytest.approx((1.0, 60.0))


def test_an_id_that_leads_back_to_itself_ends() -> None:
    ring: list[Part] = [("A", "B", "replace", 0, 9, 0, 9), ("B", "A", "replace", 0, 9, 0, 9)]
    assert passed_on(links_of(("L", "A", 1.0, 1.0)), *ring) == {}


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=5),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6),
)
def test_every_metre_of_a_replaced_pipe_has_one_successor(lengths: list[int], leaks: list[tuple[float, float]]) -> None:
    """The slow oracle: go along the successors until the measure is reached."""
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(float)
    parts: list[Part] = [
        ("OLD", f"S{number:04d}", "replace", start, stop, 0, stop - start)
        for number, (start, stop) in enumerate(pairwise(ends))
    ]
    rows = [(f"L{number}", "OLD", share, at * ends[-1]) for number, (share, at) in enumerate(leaks)]
    told = passed_on(links_of(*rows), *parts, today=len(lengths))
    for leak, _, share, measure in rows:
        number = next((n for n, stop in enumerate(ends[1:]) if measure < stop), len(lengths) - 1)
        assert told[leak, f"S{number:04d}"] == pytest.approx((share, measure - ends[number]))
    assert len(told) == len(rows)


def test_leaks_of_predecessors_stand_apart_in_the_score_and_never_raise_it() -> None:
    segments, leaks = segments_of({}, {}), leaks_of({}, {"cause": "third_party"})
    old = links_of(("L0000", "OLD", 0.9, 5.0), ("L0001", "OLD", 0.9, 5.0))
    told = Told(predecessor_links(old, successions_of(REPLACED), segments))
    scores = score_segments(segments, old, leaks, None, read_policy(), TODAY, told=told)
    assert scores["predecessor_leak_count"].tolist() == [0.9, 0.0]
    assert scores["leak_count"].tolist() == [0.0, 0.0]
    plain = score_segments(segments, old, leaks, None, read_policy(), TODAY)
    assert scores["risk_per_year"].tolist() == plain["risk_per_year"].tolist()
    assert plain["predecessor_leak_count"].isna().all()
