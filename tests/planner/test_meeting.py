"""From the census to the table of pairs: every pair has its times and its amounts, also in a city without roads."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from planner.ground import road_classes
from planner.meeting import City, prepare_meeting, prepare_pairs
from planner.policy import read_policy
from planner.score import score_segments
from registry.fields import check_frame
from tests.planner.frames import frame_of, leaks_of, line, moratoria_of, named_links, projects_of, roads_of, segments_of
from tests.planner.test_decisions import decisions_of
from tests.planner.test_predecessors import successions_of

POLICY = read_policy()
AS_OF = date(2026, 11, 1)
YEARS = range(2027, 2030)


def city(**parts: Any) -> City:
    default: dict[str, Any] = {
        "segments": segments_of({"street_name": "罗峰大街"}, {"street_name": "罗峰大街"}),
        "roads": roads_of(),
        "pavements": frame_of("pavements", []),
        "projects": projects_of({"geometry": line((0, 0), (60, 0))}),
        "moratoria": moratoria_of(),
        "decisions": decisions_of({"project_id": "P0000"}),
        "successions": successions_of(),
    }
    return City(**(default | parts))


def test_every_pair_is_related_priced_and_decided_also_without_roads() -> None:
    town = city()
    leaks = leaks_of()
    links = named_links(leaks, "S0000")
    scores = score_segments(town.segments, links, leaks, None, POLICY, AS_OF)
    pairs = prepare_pairs(town, YEARS, POLICY)
    made = prepare_meeting(town, scores, pairs, POLICY, AS_OF)
    for name in ("pairs", "pair_times", "pair_values", "neighbours"):
        check_frame(getattr(made, name), name)
    check_frame(made.table, "overlap_table")
    assert len(made.table) == len(made.pair_times) == len(made.pair_values) == len(pairs) > 0
    assert set(made.table["verdict"]) == {"together"}
    assert made.table["saving_cny"].notna().all()


def test_the_class_of_a_street_is_that_of_most_of_its_roads() -> None:
    roads = roads_of(*({"name": "罗峰大街", "road_class": name} for name in ("branch", "arterial", "arterial")))
    segments = segments_of({"street_name": "罗峰大街"}, {"street_name": "别的路"}, {})
    found = road_classes(segments, roads)
    assert found.iloc[0] == "arterial"
    assert found.iloc[1:].isna().all()
    assert road_classes(segments, roads_of()).isna().all()
    assert isinstance(road_classes(segments, roads_of()).dtype, pd.StringDtype)
