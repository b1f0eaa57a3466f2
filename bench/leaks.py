"""Leaks to segments: digonce against geopandas.sjoin_nearest with the measure along the line.

Run with `python -m bench.leaks [--segments N] [--leaks M] [--repeats K] [--without-numba]`. The peer finds the one
nearest segment within 30 m; digonce finds all within reach with their probability, from nine columns, and the
finished frame. Printed are medians and ratios of one run, and how often our search and the peer find the same nearest.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from bench.overlap import CRS, make_ground
from planner.leaks import link_leaks
from planner.near import find_near
from planner.policy import read_policy

SCATTER_M = 4.0
PEER_RADIUS_M = 30.0


@dataclass(frozen=True)
class Ground:
    """The inputs of one run."""

    segments: gpd.GeoDataFrame
    leaks: gpd.GeoDataFrame


def make_leak_ground(segment_count: int, leak_count: int, seed: int = 1) -> Ground:
    """Make segments with the attributes that links weigh, and leaks scattered round some of them."""
    rng = np.random.default_rng(seed)
    segments = make_ground(segment_count, seed).segments
    count = len(segments)
    year = rng.integers(1960, 2026, count)
    materials = rng.choice(["grey_iron", "steel", "pe80", "pe100", "unknown"], count)
    columns = {
        "medium": pd.Series("gas", segments.index, dtype="str"),
        "tier": pd.Series(rng.choice(["municipal", "courtyard"], count), segments.index, dtype="str"),
        "material": pd.Series(materials, segments.index, dtype="str"),
        "diameter_mm": pd.Series(rng.choice([63.0, 110.0, 200.0], count), segments.index),
        "installed_year_min": pd.Series(year, segments.index, dtype="Int64"),
        "installed_year_max": pd.Series(year + rng.integers(0, 6, count), segments.index, dtype="Int64"),
    }
    segments = segments.assign(**columns)
    of = rng.integers(0, count, leak_count)
    true_at = shapely.line_interpolate_point(segments.geometry.to_numpy()[of], rng.random(leak_count), normalized=True)
    at = shapely.get_coordinates(true_at) + rng.normal(0, SCATTER_M, (leak_count, 2))
    index = pd.Index([f"L{number}" for number in range(leak_count)], dtype="str", name="leak_id")
    days = np.datetime64("2008-01-01") + rng.integers(0, 6800, leak_count).astype("timedelta64[D]")
    told = pd.Series(materials[of], index, dtype="str")
    words = {
        "leaked_on": pd.Series(days.astype("datetime64[s]"), index),
        "medium": pd.Series("gas", index, dtype="str"),
        "material": told.mask(rng.random(leak_count) < 0.5),
        "diameter_mm": pd.Series(segments["diameter_mm"].to_numpy()[of], index).mask(rng.random(leak_count) < 0.5),
        "position_quality": pd.Series(
            rng.choice(["surveyed", "address", "unknown"], leak_count, p=[0.67, 0.27, 0.06]), index, dtype="str"
        ),
    }
    return Ground(segments, gpd.GeoDataFrame(words, geometry=shapely.points(at), crs=CRS, index=index))


def run_digonce(ground: Ground) -> pd.DataFrame:
    """Time what a user calls: all candidates with probability, distance and measure."""
    return link_leaks(ground.leaks, ground.segments, read_policy())


def run_shapely(ground: Ground) -> pd.DataFrame:
    """The fall-back of digonce without numba."""
    return link_leaks(ground.leaks, ground.segments, read_policy(), engine="shapely")


def run_peer(ground: Ground) -> pd.DataFrame:
    """geopandas.sjoin_nearest, then the measure along the line; at a tie the lowest id."""
    joined = gpd.sjoin_nearest(
        ground.leaks[["geometry"]],
        ground.segments[["geometry"]],
        max_distance=PEER_RADIUS_M,
        distance_col="distance_m",
    )
    joined = joined.sort_values("segment_id")
    joined = joined[~joined.index.duplicated()]
    lines = np.asarray(ground.segments.geometry.loc[joined["segment_id"]].array)
    joined["measure_m"] = shapely.line_locate_point(lines, np.asarray(joined.geometry.array))
    return pd.DataFrame(joined.drop(columns="geometry"))


def compare(ground: Ground, repeats: int, runs: dict[str, Callable[[Ground], pd.DataFrame]]) -> None:
    """Run all variants in turn and print medians and ratios."""
    first = {name: run(ground) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            began = time.perf_counter()
            run(ground)
            times[name].append(time.perf_counter() - began)
    ours = statistics.median(times["digonce"])
    for name, result in first.items():
        seconds = statistics.median(times[name])
        print(f"  {name:32s} {seconds:8.2f} s  {seconds / ours:6.2f} x digonce  {len(result):9,} rows")
    peer = first["geopandas.sjoin_nearest"]["distance_m"]
    print(f"  nearest line equal to the peer's within 1e-6 m: {_equal_share(ground, peer):.4%} of leaks")


def _equal_share(ground: Ground, peer_m: pd.Series) -> float:
    """Compare what our search finds nearest with the peer; the links leave out pipes that cannot have leaked."""
    count = len(ground.leaks)
    points, lines = ground.leaks.geometry.to_numpy(), ground.segments.geometry.to_numpy()
    near = find_near(points, lines, np.full(count, PEER_RADIUS_M), np.full(count, SCATTER_M))
    least = np.full(count, np.inf)
    np.minimum.at(least, near.place, near.distance_m)
    theirs = peer_m.reindex(ground.leaks.index).fillna(np.inf).to_numpy()
    return float(np.isclose(least, theirs, rtol=0.0, atol=1e-6).mean())


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--leaks", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--without-numba", action="store_true", help="time the fall-back as well")
    options = parser.parse_args()
    runs: dict[str, Callable[[Ground], pd.DataFrame]] = {
        "digonce": run_digonce,
        "geopandas.sjoin_nearest": run_peer,
    }
    if options.without_numba:
        runs["digonce without numba"] = run_shapely
    ground = make_leak_ground(options.segments, options.leaks)
    print(f"leaks: {len(ground.leaks):,} leaks, {len(ground.segments):,} segments, {options.repeats} repeats")
    compare(ground, options.repeats, runs)


if __name__ == "__main__":
    main()
