"""The leak record counts leaks of mains only, up to the as-of day, without causes that renewal would not remove."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from planner.record import make_record
from tests.planner.frames import frame_of, line, segments_of


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, 0.75),
        ({"part": "main"}, 0.75),
        ({"part": "unknown"}, 0.75),
        ({"part": "service"}, 0.0),
        ({"part": "riser"}, 0.0),
        ({"cause": "third_party"}, 0.0),
        ({"cause": "corrosion"}, 0.75),
        ({"leaked_on": "2026-11-01"}, 0.75),
        ({"leaked_on": "2026-11-02"}, 0.0),
    ],
)
def test_what_counts_as_a_leak_of_the_segment(facts: dict[str, Any], expected: float) -> None:
    segments = segments_of({"segment_id": "A", "geometry": line((0, 0), (50, 0))})
    place = line((0, 0), (1, 0)).centroid
    leak: dict[str, Any] = {"leak_id": "L", "leaked_on": "2020-01-01", "geometry": place} | facts
    leak["leaked_on"] = pd.Timestamp(str(leak["leaked_on"]))
    links = pd.DataFrame({"leak_id": ["L"], "segment_id": ["A"], "probability": [0.75]})
    record = make_record(segments, links, frame_of("leaks", [leak]), date(2026, 11, 1), ["third_party"])
    assert record.expected_leaks().tolist() == [expected]
