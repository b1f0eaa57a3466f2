"""Laws of the matching that hold for every network."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from registry.identity import Matches, match_census
from tests.registry.identity.disturb import disturb
from tests.registry.identity.streets import found_pairs, grid

seeds = st.integers(0, 10_000)
sides = st.integers(1, 4)
few = settings(max_examples=15, deadline=None)


def disturbed(side: int, seed: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    known = grid(side, seed)
    copy, _ = disturb(
        known, seed, drop=0.1, add=0.1, alter=0.1, move=0.1, renumber=0.3, split=0.1, merge=0.05, jitter_m=0.3
    )
    return known, copy


def assert_same(first: Matches, second: Matches) -> None:
    for name in ("pairs", "new", "gone"):
        assert_frame_equal(getattr(first, name), getattr(second, name))


@few
@given(side=sides, seed=seeds)
def test_a_census_matched_to_itself_is_all_the_same(side: int, seed: int) -> None:
    known = grid(side, seed)
    matches = match_census(known, known)
    assert found_pairs(matches) == {(name, name, "same") for name in known.index}
    assert not matches.pairs["is_doubtful"].any()
    assert matches.pairs["probability"].min() > 0.99
    assert matches.pairs[["share_of_delivered", "share_of_known"]].min().min() == 1.0
    assert len(matches.new) == len(matches.gone) == 0


@few
@given(side=sides, seed=seeds)
def test_every_pipe_is_accounted_for_once(side: int, seed: int) -> None:
    known, delivered = disturbed(side, seed)
    matches = match_census(known, delivered)
    pairs = matches.pairs
    assert {*pairs["delivered_id"]} | {*matches.new["delivered_id"]} == {*delivered.index}
    assert {*pairs["known_id"]} | {*matches.gone["known_id"]} == {*known.index}
    assert not {*pairs["delivered_id"]} & {*matches.new["delivered_id"]}
    assert not {*pairs["known_id"]} & {*matches.gone["known_id"]}
    single = pairs[pairs["relation"].isin(["same", "renumbered", "moved"])]
    assert single["delivered_id"].is_unique
    assert single["known_id"].is_unique
    assert pairs.loc[pairs["relation"] == "split", "delivered_id"].is_unique
    assert pairs.loc[pairs["relation"] == "merged", "known_id"].is_unique
    assert (pairs["is_doubtful"] == pairs["reason"].notna()).all()


@few
@given(side=sides, seed=seeds)
def test_the_order_of_rows_changes_nothing(side: int, seed: int) -> None:
    known, delivered = disturbed(side, seed)
    rng = np.random.default_rng(seed)
    shuffled = match_census(known.iloc[rng.permutation(len(known))], delivered.iloc[rng.permutation(len(delivered))])
    assert_same(match_census(known, delivered), shuffled)


@few
@given(side=sides, seed=seeds)
def test_the_direction_of_lines_changes_nothing(side: int, seed: int) -> None:
    known, delivered = disturbed(side, seed)
    turned = delivered.geometry.array.copy()
    which = np.random.default_rng(seed).random(len(delivered)) < 0.5
    turned[which] = shapely.reverse(np.asarray(turned)[which])
    assert_same(match_census(known, delivered), match_census(known, delivered.set_geometry(turned, crs=known.crs)))


@few
@given(side=sides, seed=seeds, jitter_m=st.sampled_from([0.0, 0.1, 0.3]))
def test_pipes_that_lie_apart_are_all_found_under_new_ids(side: int, seed: int, jitter_m: float) -> None:
    known = grid(side, seed)
    delivered, edits = disturb(known, seed, renumber=1.0, jitter_m=jitter_m)
    matches = match_census(known, delivered)
    assert found_pairs(matches) == {(new, old, "renumbered") for new, old in edits.renumbered.items()}


@few
@given(side=st.integers(2, 4), seed=seeds)
def test_a_split_taken_back_is_a_merge(side: int, seed: int) -> None:
    known = grid(side, seed)
    delivered, edits = disturb(known, seed, split=0.3)
    there, back = match_census(known, delivered), match_census(delivered, known)
    splits = {(part, whole, "split") for part, whole in edits.split.items()}
    assert splits
    assert {pair for pair in found_pairs(there) if pair[2] != "same"} == splits
    assert {pair for pair in found_pairs(back) if pair[2] != "same"} == {(b, a, "merged") for a, b, _ in splits}


@few
@given(side=sides, seed=seeds)
def test_unknown_attributes_neither_help_nor_harm(side: int, seed: int) -> None:
    known, delivered = disturbed(side, seed)
    bare = match_census(known[["medium", "geometry"]], delivered[["medium", "geometry"]])
    silent = delivered.assign(material="unknown", diameter_mm=np.nan, street_name="unknown")
    silent = silent.assign(installed_year_min=np.nan, installed_year_max=np.nan)
    assert_same(bare, match_census(known, silent))
    assert bare.pairs["attribute_agreement"].isna().all()
