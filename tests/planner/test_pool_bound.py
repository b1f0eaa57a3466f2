"""The bound over all connected groups: never below the best choice among all of them, and tight where it can be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.pool_bound import pool_free_bound, site_shares
from tests.planner.frames import line, segments_of
from tests.planner.pool_oracle import all_groups, best_choice, street_town
from tests.planner.test_pool import MOBILISATION_CNY, bounded

RELIEF = np.array([18.0, 17.2])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [0.2, 0.5])
def test_no_choice_among_all_groups_is_worth_more(seed: int, share: float) -> None:
    town = street_town(seed + 300, 3, 4, 0.8)
    policy = bounded(500)
    budget = np.full(2, share / 2 * (town.cost_cny.sum() + MOBILISATION_CNY * len(town.segments) / 3))
    groups = all_groups(town.segments, 500)
    best, _ = best_choice(groups, town.worth, town.cost_cny, MOBILISATION_CNY, budget, RELIEF)
    shares = site_shares(town.segments, policy)
    value, cost = town.worth[:, None] * RELIEF, np.repeat(town.cost_cny[:, None], 2, axis=1)
    bound = pool_free_bound(value, cost, shares, MOBILISATION_CNY, budget)
    assert best > 0
    assert best <= bound.value * (1 + 1e-9)
    assert bound.value <= best * 1.6
    assert (bound.worth_per_cny >= 0).all()
    # a share of what is left over can only help, and one pot for both years is the most that it can do
    carried = [pool_free_bound(value, cost, shares, MOBILISATION_CNY, budget, part).value for part in (0.0, 0.5, 1.0)]
    assert (np.diff(carried) >= -1e-6 * carried[0]).all()


def test_the_charges_of_a_batch_never_exceed_one_site() -> None:
    town = street_town(11, 4, 4, 0.7)
    shares = site_shares(town.segments, bounded(500))
    for group in all_groups(town.segments, 500):
        assert shares[list(group)].sum() <= 1 + 1e-9


def test_a_compound_and_a_lonely_pipe_carry_their_whole_site() -> None:
    segments = segments_of(
        {"tier": "courtyard", "compound_name": "a", "geometry": line((0, 0), (300, 0))},
        {"tier": "courtyard", "compound_name": "a", "geometry": line((0, 50), (900, 50))},
        {"street_name": "x", "geometry": line((0, 90), (50, 90))},
        {"street_name": "y", "geometry": line((0, 200), (200, 200))},
        {"street_name": "y", "geometry": line((200, 200), (1000, 200))},
        {"street_name": "z", "geometry": line((0, 900), (2000, 900))},
        {"street_name": "y", "geometry": line((200, 200), (200, 210)), "medium": "water"},
    )
    shuffled = np.random.default_rng(0).permutation(len(segments))
    shares = pd.Series(site_shares(segments.iloc[shuffled], bounded(800)), segments.index[shuffled])
    np.testing.assert_allclose(shares[segments.index], [0.25, 0.75, 1.0, 0.25, 1.0, 1.0, 1.0])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 9), st.floats(0.1, 9)), min_size=1, max_size=6),
    st.floats(0.1, 20),
    st.floats(0.1, 20),
    st.floats(0, 1),
)
def test_no_way_to_spend_with_carry_over_beats_it(
    items: list[tuple[float, float, float]], first: float, second: float, carried: float
) -> None:
    """Every assignment of single segments to two years or none, by counting."""
    value = np.array([[early, late] for early, late, _ in items])
    cost = np.repeat(np.array([[own] for *_, own in items]), 2, axis=1)
    bound = pool_free_bound(value, cost, np.ones(len(items)), 0.5, np.array([first, second]), carried)
    best = 0.0
    for code in range(3 ** len(items)):
        year = np.array([code // 3**place % 3 for place in range(len(items))])
        spent = [float((cost[year == t, 0] + 0.5).sum()) for t in range(2)]
        if spent[0] <= first and spent[1] <= second + carried * (first - spent[0]):
            best = max(best, float(value[year == 0, 0].sum() + value[year == 1, 1].sum()))
    assert best <= bound.value * (1 + 1e-9)


def test_with_money_for_all_it_is_the_whole_value_and_closed_years_count_nothing() -> None:
    value = np.array([[3.0, 2.0], [-np.inf, 5.0], [-np.inf, -np.inf]])
    cost = np.ones((3, 2))
    assert pool_free_bound(value, cost, np.ones(3), 1.0, np.full(2, 99.0)).value == pytest.approx(8.0)
    assert pool_free_bound(value[2:], cost[2:], np.ones(1), 1.0, np.full(2, 99.0)).value == 0.0
