"""What a plan may renew: by class, by grade from the threshold of the policy, and never what is out of service."""

from __future__ import annotations

import pandas as pd

from planner.groups import GRADE_ORDER, candidate_segments
from planner.policy import read_policy
from tests.planner.frames import segments_of


def test_a_pipe_out_of_service_is_no_candidate_whatever_its_grade() -> None:
    policy = read_policy()
    wanted = policy.candidates
    assert wanted.minimum_grade is not None
    place = GRADE_ORDER.index(wanted.minimum_grade)
    below, at = GRADE_ORDER[place - 1], GRADE_ORDER[place]
    rows = [
        ("in_use", "mandatory", "low", True),
        ("in_use", "keep", at, True),
        ("in_use", "keep", "severe", True),
        ("in_use", "keep", below, False),
        (None, "keep", at, True),
        *((status, "mandatory", "severe", False) for status in wanted.excluded_statuses),
    ]
    segments = segments_of(*({"status": status} for status, *_ in rows))
    scores = pd.DataFrame({"policy_class": [row[1] for row in rows], "grade": [row[2] for row in rows]}, segments.index)
    assert len(rows) > 5
    assert candidate_segments(segments, scores, policy).tolist() == [row[3] for row in rows]
