from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.threads import row_slices, side_by_side


@given(st.integers(0, 500), st.integers(1, 60))
def test_slices_hold_every_row_once_and_in_order(count: int, at_once: int) -> None:
    slices = row_slices(count, at_once)
    assert [row for rows in slices for row in range(count)[rows]] == list(range(count))
    assert all(0 < rows.stop - rows.start <= at_once for rows in slices)


@given(st.lists(st.integers(), max_size=20))
def test_results_come_in_the_order_of_the_pieces(pieces: list[int]) -> None:
    assert side_by_side(lambda piece: piece * 2, pieces) == [piece * 2 for piece in pieces]


def test_no_thread_is_left_and_the_first_error_is_raised() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda piece: 1 // piece, [3, 2, 1, 0])
    assert threading.active_count() == before
