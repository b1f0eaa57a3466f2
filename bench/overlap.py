"""Overlap of segments with projects in memory: digonce against geopandas, and DuckDB and SedonaDB where installed.

Run with `python -m bench.overlap [--segments N ...] [--repeats K]`; one road work for 250 segments and one compound for
500. All variants get the same corridors and compounds, run in turn within one process, and must find the same pairs;
printed are medians, ratios and the largest difference. DuckDB and SedonaDB start from tables in their own memory with
ready corridors; the others make their corridors within the time.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from bench.overlap_engines import peer_engines
from planner.extents import project_extents
from planner.overlap import find_overlaps
from planner.policy import read_policy

CRS = "EPSG:4549"
SPACING_M = 150.0
SEGMENT_M = 50.0
LEAST_OVERLAP_M = 1e-6
YEARS = range(2027, 2032)


@dataclass(frozen=True)
class Ground:
    """The inputs of one run."""

    segments: gpd.GeoDataFrame
    projects: gpd.GeoDataFrame


def make_ground(segment_count: int, seed: int = 1) -> Ground:
    """Make segments along a jittered street grid, and over them road works along streets and compounds anywhere."""
    rng = np.random.default_rng(seed)
    per_edge = int(SPACING_M / SEGMENT_M)
    side = int(np.ceil(np.sqrt(segment_count / (2 * per_edge)))) + 1
    corner = np.stack(np.meshgrid(np.arange(side + 1), np.arange(side + 1), indexing="ij"), -1) * SPACING_M
    corner = corner + rng.normal(0, 12, corner.shape) + np.array([500_000.0, 4_130_000.0])
    segments = _segments(segment_count, corner, per_edge, rng)
    roads = _roads(corner, max(segment_count // 250, 4), rng)
    compounds = _compounds(corner, max(segment_count // 500, 4), rng)
    kinds = ["road_overhaul"] * len(roads) + ["old_residential"] * len(compounds)
    index = pd.Index([f"P{number}" for number in range(len(kinds))], dtype="str", name="project_id")
    words = {"name": pd.Series("project", index, dtype="str"), "kind": pd.Series(kinds, index, dtype="str")}
    projects = gpd.GeoDataFrame(words, geometry=np.concatenate([roads, compounds]), crs=CRS, index=index)
    return Ground(segments, projects)


def _segments(count: int, corner: np.ndarray, per_edge: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Segments of about 50 m and four vertices along the edges of the grid, in random order."""
    edges = np.concatenate(
        [
            np.stack([corner[:-1].reshape(-1, 2), corner[1:].reshape(-1, 2)], 1),
            np.stack([corner[:, :-1].reshape(-1, 2), corner[:, 1:].reshape(-1, 2)], 1),
        ]
    )
    share = np.linspace(0.0, 1.0, 3 * per_edge + 1)
    points = edges[:, :1] + share[None, :, None] * (edges[:, 1:] - edges[:, :1])
    points[:, 1:-1] += rng.normal(0, 0.5, points[:, 1:-1].shape)
    pieces = np.concatenate([points[:, 3 * part : 3 * part + 4] for part in range(per_edge)])
    chosen = rng.permutation(len(pieces))[:count]
    lines = shapely.linestrings(pieces[chosen])
    index = pd.Index([f"S{number}" for number in range(len(chosen))], dtype="str", name="segment_id")
    return gpd.GeoDataFrame(geometry=lines, crs=CRS, index=index)


def _roads(corner: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Works of 300 to 1,800 m along streets, the centreline a metre or two beside the pipes."""
    side = len(corner)
    longest = min(12, side - 1)
    lines = []
    for length in rng.integers(2, longest + 1, count) if longest >= 2 else [1] * count:
        row, first = rng.integers(0, side), rng.integers(0, side - length)
        street = corner[row] if rng.random() < 0.5 else corner[:, row]
        lines.append(shapely.linestrings(street[first : first + length + 1] + rng.normal(0, 1.5, (length + 1, 2))))
    return np.asarray(lines)


def _compounds(corner: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    shapes = []
    for x, y in rng.uniform(corner.min(axis=(0, 1)), corner.max(axis=(0, 1)), (count, 2)):
        angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(24, 160))))
        radius = rng.uniform(60, 180) * rng.uniform(0.8, 1.0, len(angle))
        shapes.append(shapely.polygons(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])))
    return np.asarray(shapes)


def pair_lengths(ground: Ground) -> pd.Series:
    """Return the metres of each pair that digonce finds."""
    return lengths_of(run_digonce(ground))


def run_digonce(ground: Ground) -> pd.DataFrame:
    """Time what a user calls: corridors, course, side, shares, windows and the finished frame included."""
    return find_overlaps(ground.segments, ground.projects, YEARS, read_policy())


def run_shapely(ground: Ground) -> pd.DataFrame:
    """The fall-back of digonce without numba."""
    return find_overlaps(ground.segments, ground.projects, YEARS, read_policy(), engine="shapely")


def run_overlay(ground: Ground) -> pd.DataFrame:
    """geopandas.overlay, how="intersection"."""
    areas = areas_of(ground)
    clipped = gpd.overlay(ground.segments.reset_index(), areas.reset_index(), how="intersection", keep_geom_type=True)
    return pd.DataFrame(clipped[["segment_id", "project_id"]]).assign(overlap_m=clipped.length)


def run_sjoin(ground: Ground) -> pd.DataFrame:
    """geopandas.sjoin, then shapely.intersection pair by pair."""
    areas = areas_of(ground)
    joined = gpd.sjoin(ground.segments, areas, predicate="intersects").reset_index()
    lines = np.asarray(ground.segments.geometry.loc[joined["segment_id"]].array)
    shapes = np.asarray(areas.geometry.loc[joined["project_id"]].array)
    return pd.DataFrame(joined).assign(overlap_m=shapely.length(shapely.intersection(lines, shapes)))


def areas_of(ground: Ground) -> gpd.GeoDataFrame:
    """Return the corridors and compounds as areas."""
    return gpd.GeoDataFrame(geometry=project_extents(ground.projects, read_policy()), crs=CRS)


def lengths_of(result: pd.DataFrame) -> pd.Series:
    """Return the metres of each pair, whatever else a way gives."""
    return result.set_index(["segment_id", "project_id"])["overlap_m"].groupby(level=[0, 1]).sum()


RUNS: dict[str, Callable[[Ground], pd.DataFrame]] = {
    "digonce": run_digonce,
    "digonce without numba": run_shapely,
    "geopandas.overlay": run_overlay,
    "sjoin + shapely.intersection": run_sjoin,
}


def compare(ground: Ground, repeats: int) -> None:
    """Run all variants in turn and print medians, ratios and the largest difference per pair."""
    runs: dict[str, Callable[[], pd.DataFrame]] = {name: partial(run, ground) for name, run in RUNS.items()}
    first = {"digonce": lengths_of(runs["digonce"]())}
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory of the process, segments and all: {peak_mb:,.0f} MB")
    runs |= peer_engines(ground.segments, areas_of(ground))
    first |= {name: lengths_of(run()) for name, run in runs.items() if name != "digonce"}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - began)
    ours = statistics.median(times["digonce"])
    for name, result in first.items():
        seconds = statistics.median(times[name])
        difference = _largest_difference(first["digonce"], result)
        print(
            f"  {name:30s} {seconds:8.3f} s  {seconds / ours:6.1f} x digonce  {len(result):9,} pairs"
            f"  largest difference {difference:.1e} m"
        )


def _largest_difference(ours: pd.Series, theirs: pd.Series) -> float:
    """The largest difference of a pair; a pair that one side lacks counts with its whole length."""
    theirs = theirs[theirs > LEAST_OVERLAP_M]
    return float(ours.sub(theirs, fill_value=0.0).abs().max())


def main() -> None:
    """Read the options and run one size after another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    for count in options.segments:
        ground = make_ground(count)
        print(f"overlap: {count:,} segments, {len(ground.projects):,} projects, {options.repeats} repeats")
        compare(ground, options.repeats)


if __name__ == "__main__":
    main()
