"""Precision and recall on whole cities: a synthetic one, and the real mains of Kitchener and Vancouver.

Counted are only pairs that no id can find: renumbered pipes, pieces of splits, parts of merges; what kept its id would
flatter the figures.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from registry.city import make_city, write_city
from registry.identity import Matches, match_census
from registry.settings import Settings
from registry.store import Registry, open_registry
from tests.conftest import REPOSITORY, TODAY, real_data
from tests.registry.identity.disturb import Edits, disturb
from tests.registry.identity.streets import count_found

ISSUE = {"renumber": 0.3, "jitter_m": 0.3, "split": 0.03, "merge": 0.02}
LEAST = 0.98


@pytest.mark.parametrize("seed", [1, 2])
def test_a_synthetic_city_is_found_again(registry: Registry, tmp_path: Path, seed: int) -> None:
    write_city(make_city(2000, seed), tmp_path)
    registry.import_file("segments", tmp_path / "segments.gpkg", today=TODAY)
    known = registry.frame("segments", as_of=TODAY)
    delivered, edits = disturb(known, seed, **ISSUE, alter=0.02, drop=0.02, add=0.02, move=0.02)
    matches = match_census(known, delivered)
    count = count_found(matches, edits)
    assert min(count.precision, count.recall, count.sure_precision) >= LEAST, count
    assert count.sure_recall >= 0.9, count
    moved = matches.pairs[matches.pairs["delivered_id"].isin(edits.moved) & ~matches.pairs["is_doubtful"]]
    assert len(moved) >= 0.8 * len(edits.moved)
    assert set(moved["relation"]) <= {"moved", "same"}
    assert set(edits.added) == {*matches.new["delivered_id"]} & set(edits.added)
    assert len(set(edits.dropped) & {*matches.gone["known_id"]}) >= 0.9 * len(edits.dropped)


@pytest.mark.real_data
def test_mains_with_true_lines_are_found_again() -> None:
    mains = gpd.read_parquet(real_data("vancouver", "tidy", "mains_top5000_predicted_2025.parquet")).to_crs(
        "EPSG:26910"
    )
    year = mains["installation_year"].astype("Int64").array
    known = gpd.GeoDataFrame(
        {
            "medium": "water",
            "diameter_mm": mains["diameter_mm"].where(mains["diameter_mm"] >= 10).to_numpy(),
            "installed_year_min": year,
            "installed_year_max": year,
        },
        geometry=mains.geometry.array,
        index=pd.Index(mains["pipe_id"].astype("str"), name="segment_id"),
    )
    for seed in (1, 2):
        delivered, edits = disturb(known, seed, **ISSUE)
        count = count_found(match_census(known, delivered), edits)
        assert min(count.precision, count.recall, count.sure_precision, count.sure_recall) >= LEAST, count


@pytest.fixture
def kitchener(kitchener_settings: Settings) -> gpd.GeoDataFrame:
    """The mains of 2023-05 as the registry has them after import."""
    path = real_data("kitchener", "tidy", "mains_2023-05.parquet")
    with open_registry(kitchener_settings) as registry:
        mapping = REPOSITORY / "tests" / "kitchener" / "segments.toml"
        registry.import_file("segments", path, map_path=mapping, today=TODAY)
        mains: gpd.GeoDataFrame = registry.frame("segments", as_of=TODAY)
    return mains


def twins(segments: gpd.GeoDataFrame) -> pd.Series:
    """Return id -> number of its class: pipes of one class are equal in course and every attribute."""
    attributes = segments.drop(columns="geometry").astype("str")
    course = pd.Series(shapely.to_wkb(shapely.normalize(np.asarray(segments.geometry.array)), hex=True), segments.index)
    return pd.Series(pd.factorize(pd.MultiIndex.from_frame(attributes.assign(course=course)))[0], segments.index)


def right_up_to_twins(matches: Matches, edits: Edits, classes: pd.Series) -> tuple[float, float]:
    """Return precision and recall where a twin is as right as the pipe itself: no survey tells the two apart."""
    found = matches.pairs[matches.pairs["delivered_id"] != matches.pairs["known_id"]]
    truth = {(delivered, int(classes[known])) for delivered, known in edits.changed_pairs}
    said = list(zip(found["delivered_id"], classes[found["known_id"]], strict=True))
    right = [pair in truth for pair in said]
    return float(np.mean(right)), len({pair for pair in said if pair in truth}) / len(truth)


@pytest.mark.real_data
def test_kitchener_is_found_again(kitchener: gpd.GeoDataFrame) -> None:
    """Most mains of this file lie on one chord with others, and four of five have a twin in every attribute.

    Up to twins all is found; what only a twin contradicts is sent to review; what is called sure is right to the id.
    """
    classes = twins(kitchener)
    assert classes.duplicated(keep=False).mean() > 0.7
    for seed in (1, 2):
        delivered, edits = disturb(kitchener, seed, **ISSUE)
        matches = match_census(kitchener, delivered)
        assert min(right_up_to_twins(matches, edits, classes)) >= LEAST
        # nothing was dropped: every known pipe, and with it every leak, has a place in the new census
        assert matches.gone.empty
        count = count_found(matches, edits)
        assert count.sure_precision >= LEAST, count
        assert count.review_share < 0.6, count
        # of pipes whose open twins are none, the id itself is found
        alone = _without_open_twins(edits, classes)
        found = {*zip(matches.pairs["delivered_id"], matches.pairs["known_id"], strict=True)}
        assert len(alone) > 1000
        assert len(alone & found) >= LEAST * len(alone)


def _without_open_twins(edits: Edits, classes: pd.Series) -> set[tuple[str, str]]:
    """Return the changed pairs whose known pipe is the only one of its class that lost its id."""
    open_ids = sorted({known for _, known in edits.changed_pairs})
    counts = classes[open_ids].value_counts()
    return {(delivered, known) for delivered, known in edits.changed_pairs if counts[classes[known]] == 1}


@pytest.mark.real_data
def test_the_probabilities_hold(kitchener: gpd.GeoDataFrame) -> None:
    """Of the one-to-one pairs that are said to be right with a probability, about that share is."""
    delivered, edits = disturb(kitchener, 3, **ISSUE)
    pairs = match_census(kitchener, delivered).pairs
    pairs = pairs[pairs["relation"] == "renumbered"]
    truth = set(edits.renumbered.items())
    right = pd.Series([p in truth for p in zip(pairs["delivered_id"], pairs["known_id"], strict=True)], pairs.index)
    band = pd.cut(pairs["probability"], [0.0, 0.4, 0.6, 1.0])
    for _, rows in pairs.assign(right=right).groupby(band, observed=True):
        assert len(rows) > 100
        assert rows["right"].mean() == pytest.approx(rows["probability"].mean(), abs=0.08)
