"""House numbers and cross streets of a real city: floors under what `bench.places` prints."""

from __future__ import annotations

import pytest

from bench.places import measure_breaks, measure_plain_join, measure_stretches
from tests.conftest import SHARED_DATA, real_data

pytestmark = pytest.mark.real_data


def test_house_numbers_are_found_no_worse_than_by_a_plain_join() -> None:
    real_data("kitchener")
    ours, plain = measure_breaks(SHARED_DATA), measure_plain_join(SHARED_DATA)
    assert ours.asked == plain.asked == 2_666
    assert ours.located >= 0.99 > plain.located
    assert ours.median_m <= 24.0 < plain.median_m
    assert ours.near >= 0.81 > plain.near
    # a number within a known range is surer than one beyond, and the confidence says so
    assert ours.sure_located >= 0.98
    assert ours.sure_near > ours.near


def test_cross_streets_are_right_where_they_have_one_answer() -> None:
    real_data("kitchener")
    stretches = measure_stretches(SHARED_DATA)
    assert stretches.located >= 0.74
    assert stretches.right >= 0.99
