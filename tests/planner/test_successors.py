"""Who names a pipe by its old id means the one at that place today; the oracle follows each record by itself."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.leaks import link_leaks
from planner.successors import name_successors
from tests.planner.frames import leaks_of, line, segments_of
from tests.planner.test_leaks import POLICY, point
from tests.planner.test_predecessors import Part, successions_of

HALVES: tuple[Part, ...] = (("OLD", "S0000", "split", 0, 50, 0, 50), ("OLD", "S0001", "split", 50, 100, 0, 50))


def halves() -> gpd.GeoDataFrame:
    return segments_of({"geometry": line((0, 0), (50, 0))}, {"geometry": line((50, 0), (100, 0))})


def named(segments: gpd.GeoDataFrame, parts: tuple[Part, ...], *leaks: dict[str, Any]) -> list[str | None]:
    told = name_successors(leaks_of(*leaks), segments, successions_of(*parts))
    return [None if pd.isna(value) else str(value) for value in told["segment_id"]]


@pytest.mark.parametrize(("x", "child"), [(0.0, "S0000"), (49.0, "S0000"), (50.0, "S0000"), (51.0, "S0001")])
def test_a_leak_that_names_a_split_pipe_lies_on_the_part_at_its_place(x: float, child: str) -> None:
    leak = {"geometry": point(x, 3), "segment_id": "OLD"}
    assert named(halves(), HALVES, leak) == [child]
    links = link_leaks(name_successors(leaks_of(leak), halves(), successions_of(*HALVES)), halves(), POLICY)
    assert links[["segment_id", "probability"]].to_numpy().tolist() == [[child, 1.0]]


def test_a_record_without_a_place_follows_only_where_one_segment_is_left() -> None:
    renumbered: Part = ("OLD", "S0000", "renumber", 0, 50, 0, 50)
    assert named(halves(), (renumbered,), {"segment_id": "OLD"}) == ["S0000"]
    assert named(halves(), HALVES, {"segment_id": "OLD"}) == ["OLD"]


def test_what_was_replaced_or_leads_nowhere_keeps_its_id() -> None:
    replaced: Part = ("OLD", "S0000", "replace", 0, 50, 0, 50)
    circle: tuple[Part, ...] = (("A", "B", "renumber", 0, 1, 0, 1), ("B", "A", "renumber", 0, 1, 0, 1))
    leaks = [{"geometry": point(1, 1), "segment_id": name} for name in ("OLD", "A", "NEVER")]
    assert named(halves(), (replaced, *circle), *leaks) == ["OLD", "A", "NEVER"]


def test_who_names_a_segment_that_is_there_or_none_is_left_alone() -> None:
    parts: tuple[Part, ...] = (*HALVES, ("S0000", "S0001", "merge", 0, 50, 0, 50))
    leaks: list[dict[str, Any]] = [{"geometry": point(80, 1), "segment_id": name} for name in ("S0000", None)]
    assert named(halves(), parts, *leaks) == ["S0000", None]


@settings(deadline=None)
@given(st.data())
def test_as_following_each_record_by_itself(data: st.DataObject) -> None:
    count = 4
    segments = segments_of(*({} for _ in range(count)))
    ids = st.sampled_from(["A", "B", "C", *segments.index])
    kinds = st.sampled_from(["split", "merge", "renumber", "replace"])
    steps = data.draw(st.lists(st.tuples(ids, ids, kinds), max_size=8))
    parts: list[Part] = [(parent, child, relation, 0.0, 1.0, 0.0, 1.0) for parent, child, relation in steps]
    places = st.one_of(st.none(), st.builds(point, st.integers(0, 99), st.integers(-10, 80)))
    leaks = leaks_of(
        *({"segment_id": name, "geometry": place} for name, place in data.draw(st.lists(st.tuples(ids, places))))
    )
    before = leaks.copy()
    told = name_successors(leaks, segments, successions_of(*parts))
    pd.testing.assert_frame_equal(leaks, before)
    for row, name in enumerate(told["segment_id"]):
        assert name == _followed(before["segment_id"].iloc[row], before.geometry.iloc[row], segments, steps)


def _followed(name: str, place: Any, segments: gpd.GeoDataFrame, steps: list[tuple[str, str, str]]) -> str:
    if name in segments.index:
        return name
    ends: set[str] = set()
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        for parent, child, relation in steps:
            if parent != current or relation == "replace":
                continue
            if child in segments.index:
                ends.add(child)
            elif child not in seen:
                seen.add(child)
                waiting.append(child)
    if len(ends) == 1:
        return ends.pop()
    if not ends or place is None:
        return name
    return min(sorted(ends), key=lambda end: np.float64(segments.geometry[end].distance(place)))
