"""Measures of a forecast: slow obvious oracles, and laws that hold whatever the city."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from planner.factors import Floats
from planner.forecast.measures import (
    calibration,
    calibration_by,
    capture,
    ceiling,
    lift_steps,
    never_leaked,
    poisson_deviance,
    secondary_auc,
)

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5, 0.9)


@dataclass
class Window:
    rate: Floats
    length_km: Floats
    leaks: Floats

    def take(self, rows: NDArray[np.int64]) -> Window:
        return Window(self.rate[rows], self.length_km[rows], self.leaks[rows])


@st.composite
def windows(draw: st.DrawFn, most: int = 12) -> Window:
    count = draw(st.integers(1, most))
    # few different rates, so that ties are common
    rate = draw(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 2.0]), min_size=count, max_size=count))
    length = draw(st.lists(st.floats(0.01, 3.0), min_size=count, max_size=count))
    leaks = draw(st.lists(st.sampled_from([0.0, 0.0, 0.3, 1.0, 2.0]), min_size=count, max_size=count))
    return Window(np.array(rate), np.array(length), np.array(leaks))


def in_order(length_km: list[float], leaks: list[float], budget_km: float) -> float:
    """Walk along the segments until the budget is spent; the last one counts pro rata."""
    found = 0.0
    for length, leak in zip(length_km, leaks, strict=True):
        taken = min(max(budget_km, 0.0), length)
        found += leak * taken / length
        budget_km -= length
    return found


def slow_capture(window: Window, share: float) -> float:
    """The same rate is one long segment: it is walked through as a whole."""
    lengths, leaks = [], []
    for rate in sorted(set(window.rate.tolist()), reverse=True):
        tied = [row for row in range(len(window.rate)) if window.rate[row] == rate]
        lengths.append(sum(float(window.length_km[row]) for row in tied))
        leaks.append(sum(float(window.leaks[row]) for row in tied))
    return in_order(lengths, leaks, share * sum(lengths)) / sum(leaks)


@given(windows(), st.sampled_from(SHARES))
def test_capture_is_what_a_walk_from_the_worst_segment_finds(window: Window, share: float) -> None:
    assume(window.leaks.sum() > 0)
    assert capture(window.rate, window.length_km, window.leaks, [share])[0] == pytest.approx(
        slow_capture(window, share), abs=1e-9
    )


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=5), st.floats(0.0, 1.0))
def test_ties_of_equal_length_are_the_mean_over_every_order(leaks: list[float], share: float) -> None:
    assume(sum(leaks) > 0)
    orders = list(itertools.permutations(leaks))
    lengths = [0.4] * len(leaks)
    mean = sum(in_order(lengths, list(order), share * sum(lengths)) for order in orders) / len(orders)
    found = capture(np.ones(len(leaks)), np.array(lengths), np.array(leaks), [share])[0]
    assert found == pytest.approx(mean / sum(leaks), abs=1e-9)


def test_ties_of_unequal_length_are_the_mean_over_every_order_of_their_metres() -> None:
    lengths, leaks = (1, 3, 2), (2.0, 1.0, 0.0)
    metres = [leak / length for length, leak in zip(lengths, leaks, strict=True) for _ in range(length)]
    orders = list(itertools.permutations(metres))
    mean = sum(in_order([1.0] * 6, list(order), 2.5) for order in orders) / len(orders)
    found = capture(np.zeros(3), np.array(lengths, dtype=float), np.array(leaks), [2.5 / 6])[0]
    assert found == pytest.approx(mean / 3.0)


@given(windows())
def test_no_ranking_beats_the_ceiling_and_a_perfect_one_reaches_it(window: Window) -> None:
    assume(window.leaks.sum() > 0)
    best = ceiling(window.length_km, window.leaks, SHARES)
    assert (capture(window.rate, window.length_km, window.leaks, SHARES) <= best + 1e-9).all()
    leaking = window.length_km[window.leaks > 0].sum() / window.length_km.sum()
    perfect = capture(window.leaks / window.length_km, window.length_km, window.leaks, [leaking, leaking * 0.99])
    assert perfect[0] == pytest.approx(1.0)
    assert perfect[1] < 1.0


@given(windows())
def test_one_rate_for_all_captures_the_share(window: Window) -> None:
    assume(window.leaks.sum() > 0)
    found = capture(np.full(len(window.rate), 0.7), window.length_km, window.leaks, SHARES)
    np.testing.assert_allclose(found, SHARES)


def test_a_random_order_captures_the_share_on_average(rng: np.random.Generator) -> None:
    length, leaks = rng.uniform(0.01, 0.2, 400), rng.poisson(0.2, 400).astype(float)
    found = [capture(rng.random(400), length, leaks, [0.1, 0.2]) for _ in range(500)]
    np.testing.assert_allclose(np.mean(found, axis=0), [0.1, 0.2], atol=0.01)


@given(windows(), st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6))
def test_more_length_never_finds_less(window: Window, shares: list[float]) -> None:
    assume(window.leaks.sum() > 0)
    found = capture(window.rate, window.length_km, window.leaks, sorted(shares))
    assert (np.diff(found) >= -1e-12).all()
    assert capture(window.rate, window.length_km, window.leaks, [0.0, 1.0]).tolist() == [0.0, 1.0]


@given(windows(), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_a_rising_transform_matters(window: Window, random: object) -> None:
    assume(window.leaks.sum() > 0)
    rows = np.arange(len(window.rate), dtype=np.int64)
    random.shuffle(rows)  # type: ignore[attr-defined]
    turned = window.take(rows)
    plain = capture(window.rate, window.length_km, window.leaks, SHARES)
    np.testing.assert_allclose(capture(turned.rate, turned.length_km, turned.leaks, SHARES), plain, atol=1e-9)
    np.testing.assert_array_equal(capture(np.exp(window.rate) - 5, window.length_km, window.leaks, SHARES), plain)
    assert secondary_auc(turned.rate, turned.leaks) == pytest.approx(
        secondary_auc(window.rate, window.leaks), nan_ok=True
    )


@given(windows(), st.floats(0.1, 0.9))
def test_cutting_a_segment_in_two_changes_no_capture(window: Window, part: float) -> None:
    assume(window.leaks.sum() > 0)
    parts = [np.append(values, values[0] * (1 - part)) for values in (window.length_km, window.leaks)]
    for values in parts:
        values[0] *= part
    cut = capture(np.append(window.rate, window.rate[0]), parts[0], parts[1], SHARES)
    np.testing.assert_allclose(cut, capture(window.rate, window.length_km, window.leaks, SHARES), atol=1e-9)


def test_the_lift_curve_starts_at_nothing_and_ends_with_everything() -> None:
    lengths, found = lift_steps(np.array([2.0, 1.0, 2.0]), np.array([1.0, 2.0, 1.0]), np.array([1.0, 1.0, 0.0]))
    assert lengths.tolist() == [0.0, 0.5, 1.0]
    assert found.tolist() == [0.0, 0.5, 1.0]


def test_without_a_leak_nothing_can_be_said() -> None:
    none = np.zeros(3)
    assert np.isnan(capture(np.arange(3.0), np.ones(3), none, SHARES)).all()
    assert np.isnan(capture(none[:0], none[:0], none[:0], SHARES)).all()
    assert math.isnan(calibration(np.ones(3), none))
    assert math.isnan(secondary_auc(np.arange(3.0), none))


def test_half_a_leak_of_its_own_ends_the_time_without_leaks() -> None:
    past = np.array([[0.2, 0.2], [0.25, 0.25], [0.0, 0.0], [1.0, 0.0]])
    assert never_leaked(past).tolist() == [True, False, True, False]


@given(windows())
def test_auc_counts_the_pairs_that_stand_right(window: Window) -> None:
    won = pairs = 0.0
    for one, other in itertools.permutations(range(len(window.rate)), 2):
        weight = min(window.leaks[one], 1.0) * (1.0 - min(window.leaks[other], 1.0))
        pairs += weight
        won += weight * (0.5 if window.rate[one] == window.rate[other] else window.rate[one] > window.rate[other])
    assume(pairs > 1e-6)
    assert secondary_auc(window.rate, window.leaks) == pytest.approx(won / pairs)


@given(windows())
def test_deviance_is_twice_the_likelihood_that_is_missing(window: Window) -> None:
    predicted = window.rate * window.length_km + 0.01
    total = 0.0
    for mean, leaks in zip(predicted.tolist(), window.leaks.tolist(), strict=True):
        best = leaks * math.log(leaks) - leaks if leaks > 0 else 0.0
        total += 2.0 * (best - (leaks * math.log(mean) - mean))
    assert poisson_deviance(predicted, window.leaks) == pytest.approx(total)
    assert poisson_deviance(window.leaks, window.leaks) == pytest.approx(0.0)


def test_a_leak_where_none_was_thought_possible_is_an_infinite_surprise() -> None:
    assert poisson_deviance(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == math.inf
    assert poisson_deviance(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == 0.0


def test_calibration_by_material_adds_up_to_that_of_the_city() -> None:
    material = pd.Series(["steel", None, "steel", "pe"], name="material")
    predicted, leaks = np.array([1.0, 0.5, 0.5, 2.0]), np.array([1.0, 1.0, 0.0, 0.0])
    table = calibration_by(predicted, leaks, material)
    assert table.index.tolist() == ["pe", "steel", "unknown"]
    assert table["leaks"].tolist() == [0.0, 1.0, 1.0]
    assert table["predicted_leaks"].tolist() == [2.0, 1.5, 0.5]
    assert table["segment_count"].tolist() == [1, 2, 1]
    assert calibration(predicted, leaks) == table["predicted_leaks"].sum() / table["leaks"].sum() == 2.0
