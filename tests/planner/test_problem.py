"""Which plans a problem allows: within every limit, with all forced work, and with choices that fit a year at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from planner.optimise import make_problem

# three batches, two years of 10 yuan and 2 km; the last batch costs more than any year has
PROBLEM = make_problem(
    np.array([[3.0, 2.0], [3.0, 2.0], [9.0, 8.0]]),
    np.array([[10.0, 5.0], [5.0, 5.0], [11.0, 11.0]]),
    np.array([10.0, 10.0]),
    np.array([1.0, 1.5, 1.0]),
    2.0,
)


@pytest.mark.parametrize(
    ("year", "is_allowed"),
    [
        ((0, 1, -1), True),
        ((1, 0, -1), True),
        ((0, 0, -1), False),  # 15 yuan in a year of 10
        ((1, 1, -1), False),  # 10 yuan, but 2.5 km
        ((-1, -1, 0), False),
        ((-1, -1, -1), True),
    ],
)
def test_a_plan_keeps_every_limit_of_every_year(year: tuple[int, ...], is_allowed: bool) -> None:
    assert PROBLEM.allows(np.array(year)) is is_allowed


def test_a_plan_that_leaves_forced_work_out_is_none() -> None:
    forced = replace(PROBLEM, is_forced=np.array([True, False, False]))
    assert forced.allows(np.array([0, -1, -1]))
    assert not forced.allows(np.array([-1, 0, -1]))
