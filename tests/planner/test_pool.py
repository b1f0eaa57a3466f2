"""Candidate batches: connected, bounded, of one kind, many for each segment, and nearly as good as all groups."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest

from planner.groups import group_segments
from planner.policy import Policy, read_policy
from planner.policy_parts import Figure
from planner.pool import Pool, batch_ids, make_pool
from planner.pool_graph import Network, connected_groups, grow
from tests.planner.frames import line, segments_of
from tests.planner.pool_oracle import Flags, Town, all_groups, best_choice, groups_of, neighbours_of, street_town

MOBILISATION_CNY = 30_000.0
GRADE_ONLY = 0.3


def bounded(longest_m: float, shortest_m: float | None = None) -> Policy:
    policy = read_policy()
    figures = {"maximum_run_m": Figure(value=longest_m, source="test", confidence="derived")}
    if shortest_m is not None:
        figures["minimum_run_m"] = Figure(value=shortest_m, source="test", confidence="derived")
    return policy.model_copy(update={"groups": policy.groups.model_copy(update=figures)})


def pool_of(town: Town, policy: Policy | None = None, by_class: Flags | None = None, **options: object) -> Pool:
    flags = town.by_class if by_class is None else by_class
    return make_pool(town.segments, town.worth, town.cost_cny, flags, policy or read_policy(), **options)  # type: ignore[arg-type]


def members(pool: Pool, segments: gpd.GeoDataFrame) -> Iterator[tuple[str, list[str]]]:
    """Yield id and segment ids of each batch."""
    for place, batch in enumerate(pool.ids):
        yield str(batch), segments.index[pool.row[pool.batch == place]].tolist()


def graph_of(segments: gpd.GeoDataFrame) -> nx.Graph[str]:
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(segments.index)
    for one, beside in zip(segments.index, neighbours_of(segments), strict=True):
        graph.add_edges_from((str(one), str(other)) for other in segments.index[sorted(beside)])
    return graph


def with_compounds(town: Town, seed: int) -> Town:
    """Turn a third of the pipes to courtyard pipes of two compounds, and some to another medium."""
    rng = np.random.default_rng(seed)
    segments = town.segments.copy()
    inside = rng.random(len(segments)) < 0.3
    segments["tier"] = segments["tier"].where(~inside, "courtyard")
    segments["compound_name"] = pd.Series(rng.choice(["a", "b"], len(segments)), segments.index, dtype="str").where(
        inside
    )
    segments["medium"] = pd.Series(
        rng.choice(["gas", "water"], len(segments), p=[0.8, 0.2]), segments.index, dtype="str"
    )
    return replace(town, segments=segments)


@pytest.mark.parametrize("seed", range(4))
def test_batches_are_connected_bounded_and_of_one_medium_and_kind(seed: int) -> None:
    town = with_compounds(street_town(seed, 5, 5), seed)
    by_class = np.random.default_rng(seed).random(len(town.segments)) > GRADE_ONLY
    policy = bounded(700)
    pool = pool_of(town, policy, by_class)
    graph, segments = graph_of(town.segments), town.segments
    is_by_class = pd.Series(by_class, segments.index)
    kinds = dict(zip(pool.ids, pool.kind, strict=True))
    assert {"compound", "street"} == set(kinds.values())
    for batch, ids in members(pool, segments):
        assert len(set(segments.loc[ids, "medium"])) == 1
        assert len(set(is_by_class[ids])) == 1
        if kinds[batch] == "compound":
            assert len(set(segments.loc[ids, "compound_name"])) == 1
            continue
        assert segments.loc[ids, "compound_name"].isna().all()
        assert nx.is_connected(graph.subgraph(ids))
        assert len(ids) == 1 or segments.loc[ids, "length_m"].sum() <= 700
    sums = np.bincount(pool.batch, segments["length_m"].to_numpy()[pool.row])
    np.testing.assert_allclose(pool.length_m, sums)
    assert set(segments.index[pool.row]) == set(segments.index)


@pytest.mark.parametrize("seed", range(3))
def test_ids_are_sorted_digests_and_no_set_stands_twice(seed: int) -> None:
    town = with_compounds(street_town(seed, 5, 5), seed)
    pool = pool_of(town)
    sets = list(members(pool, town.segments))
    assert pool.ids.tolist() == sorted(set(pool.ids))
    assert len({tuple(ids) for _, ids in sets}) == len(sets)
    for batch, ids in sets:
        assert ids == sorted(ids)
        assert batch == "B-" + hashlib.sha256("\n".join(ids).encode()).hexdigest()[:10]


@pytest.mark.parametrize("seed", range(3))
def test_the_groups_without_overlap_are_always_in_the_pool(seed: int) -> None:
    town = with_compounds(street_town(seed, 6, 6), seed)
    by_class = np.random.default_rng(seed).random(len(town.segments)) > GRADE_ONLY
    for isolation in (None, pd.Series(town.segments.index.str[-1], town.segments.index)):
        pool = pool_of(town, by_class=by_class, isolation=isolation)
        sets = {tuple(ids) for _, ids in members(pool, town.segments)}
        for rows in (by_class, ~by_class):
            groups = group_segments(town.segments[rows], read_policy(), isolation)["group"]
            assert {tuple(sorted(part.index)) for _, part in groups.groupby(groups)} <= sets


@pytest.mark.parametrize("seed", range(4))
def test_each_segment_lies_in_ten_batches_or_in_all_that_there_are(seed: int) -> None:
    sparse = street_town(seed, 7, 7, 0.4)
    longest_m = 500.0
    pool = pool_of(sparse, bounded(longest_m))
    found = np.bincount(pool.row, minlength=len(sparse.segments))
    possible = np.zeros(len(sparse.segments), dtype=np.int64)
    for group in all_groups(sparse.segments, longest_m):
        possible[list(group)] += 1
    assert (possible < 10).any()
    assert (possible > 10).any()
    assert (found >= np.minimum(possible, 10)).all()
    assert pool.rule.fewest_batches == found.min()
    assert pool.rule.thin_segment_count == (found < 10).sum()


def test_the_order_of_rows_changes_nothing() -> None:
    town = with_compounds(street_town(7, 6, 6), 7)
    by_class = np.random.default_rng(7).random(len(town.segments)) > GRADE_ONLY
    shuffled = np.random.default_rng(1).permutation(len(town.segments))
    other = Town(town.segments.iloc[shuffled], town.worth[shuffled], town.cost_cny[shuffled])
    one, two = pool_of(town, by_class=by_class), pool_of(other, by_class=by_class[shuffled])
    assert list(members(one, town.segments)) == list(members(two, other.segments))
    assert one.rule == two.rule
    for name in ("kind", "place", "seed_rule"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()


def test_another_seed_gives_other_groups_and_an_equal_one_the_same() -> None:
    town = street_town(3, 8, 8)
    pools = [pool_of(town, seed=seed) for seed in (1, 1, 2)]
    assert pools[0].ids.tolist() == pools[1].ids.tolist()
    assert pools[0].ids.tolist() != pools[2].ids.tolist()


def test_grades_share_a_batch_only_where_they_may() -> None:
    town = street_town(2, 5, 5)
    by_class = np.arange(len(town.segments)) % 2 == 0
    apart, mixed = (pool_of(town, by_class=by_class, mixes_grades=mixes) for mixes in (False, True))
    kinds_in = [
        {len(set(by_class[pool.row[pool.batch == batch]])) for batch in range(len(pool.ids))} for pool in (apart, mixed)
    ]
    assert kinds_in == [{1}, {1, 2}]


def test_a_run_lies_in_one_isolation_section() -> None:
    town = street_town(5, 6, 6)
    sections = pd.Series(
        np.where(np.arange(len(town.segments)) % 3 == 0, "east", "west"), town.segments.index, dtype="str"
    )
    sections.iloc[::7] = np.nan
    pool = pool_of(town, isolation=sections)
    assert pool.rule.keeps_isolation
    assert {len(set(sections[ids].fillna("?"))) for _, ids in members(pool, town.segments)} == {1}


@pytest.mark.parametrize("seed", range(4))
def test_a_short_run_stays_only_where_no_neighbour_fits(seed: int) -> None:
    town = street_town(seed, 6, 6, 0.5)
    shortest_m, longest_m = 250.0, 500.0
    pool = pool_of(town, bounded(longest_m, shortest_m))
    neighbours, length_m = neighbours_of(town.segments), town.length_m
    short = 0
    for group in groups_of(pool.row, pool.batch):
        own_m = length_m[list(group)].sum()
        if own_m < shortest_m:
            short += 1
            beside = set().union(*(neighbours[one] for one in group)) - set(group)
            assert all(own_m + length_m[other] > longest_m for other in beside)
    assert short
    assert set(pool.row) == set(range(len(town.segments)))


def test_a_remnant_joins_its_neighbour_across_the_corner() -> None:
    """Three streets in a row; the middle one is too short to be a site of its own."""
    segments = segments_of(
        {"street_name": "long", "geometry": line((0, 0), (300, 0))},
        {"street_name": "corner", "geometry": line((300, 0), (300, 30))},
        {"street_name": "far", "geometry": line((300, 30), (700, 30))},
    )
    pool = make_pool(segments, np.array([3.0, 1.0, 1.0]), np.full(3, 1e5), np.ones(3, dtype=bool), bounded(700, 100))
    found = {
        ids: rule
        for (_, ids), rule in zip(((b, tuple(i)) for b, i in members(pool, segments)), pool.seed_rule, strict=True)
    }
    assert found[("S0000", "S0001")] == "merged"
    assert ("S0001",) not in found
    places = {tuple(ids): place for (_, ids), place in zip(members(pool, segments), pool.place, strict=True)}
    assert places["S0000", "S0001"] == "long"
    assert places["S0001", "S0002"] == "far"


def test_a_long_compound_is_offered_whole_and_in_connected_parts() -> None:
    pipes = [
        {"tier": "courtyard", "compound_name": "garden", "geometry": line((x, 0), (x + 200, 0))}
        for x in range(0, 1200, 200)
    ]
    segments = segments_of(*pipes, {"tier": "courtyard", "compound_name": "yard", "geometry": line((0, 50), (90, 50))})
    pool = make_pool(segments, np.ones(7), np.full(7, 1e5), np.ones(7, dtype=bool), bounded(700))
    assert set(pool.kind) == {"compound"}
    assert set(pool.place) == {"garden", "yard"}
    assert sorted(pool.length_m.tolist())[-3:] == [600, 600, 1200]
    assert sorted(pool.length_m.tolist())[0] == 90
    graph = graph_of(segments)
    assert all(nx.is_connected(graph.subgraph(ids)) for _, ids in members(pool, segments))


def test_digests_that_begin_alike_are_longer() -> None:
    names = [[f"S{number}"] for number in range(40)]
    ids = batch_ids(names, length=1)
    assert len(set(ids)) == len(names)
    assert set(batch_ids(names)) == {f"B-{hashlib.sha256(one[0].encode()).hexdigest()[:10]}" for one in names}


def test_growth_takes_the_best_neighbour_that_fits() -> None:
    # a path of five, and a spur at the second node
    network = Network.of_pairs(np.array([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]), np.array([0, 1, 1, 2, 2, 3, 3, 4, 1, 5]), 5)
    rank = [4, 3, 1, 0, 2]
    assert grow([0], network.preferring(rank), rank, [1.0] * 5, 4.0) == [0, 4, 1, 2]
    assert grow([0], network.preferring(rank), rank, [1.0, 1.0, 1.0, 1.0, 9.0], 4.0) == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(3))
def test_groups_around_a_segment_are_listed_each_once(seed: int) -> None:
    town = street_town(seed, 3, 4, 0.8)
    segment, ends = np.arange(len(town.segments)), neighbours_of(town.segments)
    pairs = [(one, other) for one in segment for other in ends[one] if one < other]
    # a node for every pair that touches: the same neighbours as by geometry
    network = Network.of_pairs(np.array(pairs).ravel(), np.repeat(np.arange(len(pairs)), 2), len(segment))
    expected = all_groups(town.segments, 600.0)
    for start in segment.tolist():
        listed = [tuple(sorted(group)) for group in connected_groups(start, network, town.length_m.tolist(), 600.0)]
        assert len(listed) == len(set(listed))
        assert set(listed) == {group for group in expected if start in group}


@pytest.mark.parametrize("seed", range(10))
def test_the_pool_loses_little_against_all_connected_groups(seed: int) -> None:
    town = street_town(seed + 200, 4, 4, 0.75)
    assert len(town.segments) <= 25
    longest_m = 600.0
    budget = np.array([0.3 * (town.cost_cny.sum() + MOBILISATION_CNY * len(town.segments) / 5)])
    every = all_groups(town.segments, longest_m)
    pool = list(groups_of(*(lambda p: (p.row, p.batch))(pool_of(town, bounded(longest_m)))))
    assert set(pool) <= set(every)
    best, ours = (
        best_choice(groups, town.worth, town.cost_cny, MOBILISATION_CNY, budget, np.array([18.0]))[0]
        for groups in (every, pool)
    )
    assert best > 0
    assert (best - ours) / best <= 0.01


def test_the_rule_is_told_in_words_and_json() -> None:
    rule = pool_of(street_town(1, 4, 4)).rule
    assert json.loads(json.dumps(rule.to_dict()))["longest_m"] == 800
    assert "800" in rule.text("en")
    assert "800" in rule.text("zh")
    assert sum(rule.batches_by_rule.values()) == rule.batch_count
