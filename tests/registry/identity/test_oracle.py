"""The matching against a slow and obvious one: every pair is weighed in a loop, every assignment is tried."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.identity import match_census, read_identity_settings
from tests.registry.identity.streets import found_pairs, pipes

WEIGHTS = read_identity_settings()
Pair = tuple[str, str]


def attribute_log_odds(ours: Any, theirs: Any) -> float:
    """Material and diameter only: what the networks below have."""
    material, diameter = (
        next(rule for rule in WEIGHTS.attributes if rule.column == name) for name in ("material", "diameter_mm")
    )
    total = material.agree if ours["material"] == theirs["material"] else material.differ
    total += diameter.agree if ours["diameter_mm"] == theirs["diameter_mm"] else diameter.differ
    return total


def log_odds(ours: Any, theirs: Any) -> float | None:
    """Return the log-odds of one pair, None where the two do not have one course."""
    line, other = ours.geometry, theirs.geometry
    share = line.intersection(other.buffer(WEIGHTS.within_m)).length / line.length
    back = other.intersection(line.buffer(WEIGHTS.within_m)).length / other.length
    if min(share, back) < WEIGHTS.whole_share:
        return None
    offsets = [
        np.mean([a.interpolate(at, normalized=True).distance(b) for at in (0.25, 0.5, 0.75)])
        for a, b in ((line, other), (other, line))
    ]
    z = min(offsets) / WEIGHTS.scatter_m
    density = math.sqrt(2 / math.pi) / WEIGHTS.scatter_m * math.exp(-z * z / 2)
    course = math.log(density * WEIGHTS.within_m)
    return WEIGHTS.prior_log_odds + course + attribute_log_odds(ours, theirs)


def assignments(names: list[str], free: frozenset[str], worth: dict[Pair, float]) -> Iterator[dict[Pair, float]]:
    """Yield every way to pair some of the names with different known ids."""
    if not names:
        yield {}
        return
    head, *rest = names
    yield from assignments(rest, free, worth)
    for known in sorted(free):
        if (head, known) in worth:
            for other in assignments(rest, free - {known}, worth):
                yield other | {(head, known): worth[head, known]}


def weighed(known: gpd.GeoDataFrame, delivered: gpd.GeoDataFrame) -> dict[Pair, float]:
    every = {(a, b): log_odds(known.loc[b], delivered.loc[a]) for a in delivered.index for b in known.index}
    return {pair: value for pair, value in every.items() if value is not None and value > 0.0}


def network(count: int, seed: int, prefix: str) -> gpd.GeoDataFrame:
    """Return pipes in one trench and some across it, surveyed with an error."""
    rng = np.random.default_rng(seed)
    kinds = np.random.default_rng(count)
    courses = {}
    for number in range(count):
        east, north = (0.0, 0.6 * number) if number < 4 else (20.0 * number, -30.0)
        error = rng.normal(0.0, 0.25, (2, 2))
        ends = np.array([[east, north], [east + (60.0 if number < 4 else 0.0), north + (0.0 if number < 4 else 60.0)]])
        courses[f"{prefix}{number}"] = [(float(x), float(y)) for x, y in ends + error]
    return pipes(
        courses,
        material=kinds.choice(["steel", "pe80"], count),
        diameter_mm=kinds.choice([100.0, 200.0], count),
    )


@settings(max_examples=40, deadline=None)
@given(count=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_the_assignment_is_the_best_of_all(count: int, seed: int) -> None:
    known, delivered = network(count, seed, "K"), network(count, seed + 1, "D")
    worth = weighed(known, delivered)
    best = max(assignments(list(delivered.index), frozenset(known.index), worth), key=lambda way: sum(way.values()))
    matches = match_census(known, delivered)
    found = {(a, b) for a, b, _ in found_pairs(matches)}
    assert sum(worth[pair] for pair in found) == pytest.approx(sum(best.values()))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_of_two_pipes_in_a_trench_the_probability_is_that_of_all_ways(seed: int) -> None:
    known, delivered = network(2, seed, "K"), network(2, seed + 1, "D")
    ways = list(assignments(list(delivered.index), frozenset(known.index), weighed(known, delivered)))
    weights = np.array([math.exp(sum(way.values())) for way in ways])
    for row in match_census(known, delivered).pairs.itertuples():
        is_in = np.array([(row.delivered_id, row.known_id) in way for way in ways])
        # ways that leave a pipe without any partner though one is there are the only ones not counted
        assert row.probability == pytest.approx(weights[is_in].sum() / weights.sum(), abs=0.03)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), spacing_m=st.sampled_from([None, 0.3]))
def test_shares_are_those_of_a_buffer(seed: int, spacing_m: float | None) -> None:
    rng = np.random.default_rng(seed)
    bend = [(0.0, 0.0), (40.0, float(rng.uniform(-2, 2))), (80.0, float(rng.uniform(-9, 9)))]
    known, delivered = pipes({"A": [(0.0, 0.0), (40.0, 0.0), (80.0, 0.0)]}), pipes({"A": bend})
    if spacing_m is not None:
        # a line of many vertices is measured by points along it
        known, delivered = (pipe.set_geometry(pipe.segmentize(spacing_m)) for pipe in (known, delivered))
    row = match_census(known, delivered).pairs.iloc[0]
    ours, theirs = known.union_all(), delivered.union_all()
    expected = [
        shapely.intersection(line, other.buffer(WEIGHTS.within_m)).length / line.length
        for line, other in ((theirs, ours), (ours, theirs))
    ]
    assert [row["share_of_delivered"], row["share_of_known"]] == pytest.approx(
        expected, abs=1e-6 if spacing_m is None else 0.01
    )
