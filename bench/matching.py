"""Matching of two censuses whose ids differ, against a plain peer in the same run: geopandas.sjoin on a buffer.

The peer joins the delivered lines to buffers of the known ones and takes for each delivered pipe the known one with the
largest overlap; like ours it takes what kept its id first, unseen. Printed are for both the precision and recall over
the pairs that no id can find (renumbered pipes, pieces of splits, parts of merges; doubtful pairs count as ranked),
for ours also those of the pairs called sure and the share sent to review, and the ratio of the median times.

Example: python -m bench.matching --segments 100000 --repeats 3
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from bench.overlap import make_ground
from registry.identity import match_census, read_identity_settings
from tests.registry.identity.disturb import Edits, disturb

COPIES = {
    "issue: 30 % new ids, 0.3 m jitter, 3 % split, 2 % merged": {"renumber": 0.3, "split": 0.03, "merge": 0.02},
    "every id new, 0.3 m jitter": {"renumber": 1.0},
}
JITTER_M = 0.3
# every fifth pipe has a second one this far beside it, half of those of the same kind and year
TRENCH_M = 0.5


def make_known(count: int, seed: int = 1) -> gpd.GeoDataFrame:
    """Return about `count` segments of a street grid, a sixth of them beside another one in its trench."""
    lines = make_ground(count * 5 // 6, seed).segments.geometry.array
    rng = np.random.default_rng(seed)
    beside = shapely.transform(np.asarray(lines)[: count // 6], lambda xy: xy + np.array([TRENCH_M, TRENCH_M]))
    every = np.concatenate([np.asarray(lines), beside])
    # attributes go by stretches of pipe, as they do in the ground; neighbours often share them
    of = rng.integers(0, max(len(every) // 4, 1), len(every))
    equal = np.flatnonzero(rng.random(len(beside)) < 0.5)
    of[len(lines) + equal] = of[equal]
    year = rng.integers(1965, 2025, len(every))[of]
    rows = {
        "medium": "gas",
        "material": rng.choice(["grey_iron", "steel", "pe80", "pe100"], len(every))[of],
        "diameter_mm": rng.choice([110.0, 160.0, 200.0, 315.0], len(every))[of],
        "installed_year_min": year,
        "installed_year_max": year,
    }
    index = pd.Index([f"S{number}" for number in range(len(every))], dtype="str", name="segment_id")
    return gpd.GeoDataFrame(rows, geometry=every, index=index, crs="EPSG:4549")


def run_digonce(known: gpd.GeoDataFrame, delivered: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the pairs of the matching."""
    return match_census(known, delivered).pairs


def run_sjoin(known: gpd.GeoDataFrame, delivered: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the pair of largest overlap for each delivered pipe whose id is new."""
    within_m = read_identity_settings().within_m
    kept = known.index.intersection(delivered.index)
    around = known.drop(index=kept)[["geometry"]].copy()
    around["geometry"] = around.buffer(within_m)
    asked = delivered.drop(index=kept)[["geometry"]]
    joined = gpd.sjoin(asked.rename_axis("delivered_id"), around.rename_axis("known_id")).reset_index()
    lines = np.asarray(asked.geometry.loc[joined["delivered_id"]].array)
    areas = np.asarray(around.geometry.loc[joined["known_id"]].array)
    joined["overlap_m"] = shapely.length(shapely.intersection(lines, areas))
    best = joined.sort_values("overlap_m").drop_duplicates("delivered_id", keep="last")
    return best[["delivered_id", "known_id"]].assign(is_doubtful=False)


def rates(pairs: pd.DataFrame, edits: Edits) -> dict[str, float]:
    """Count a result against the edits."""
    pairs = pairs[pairs["delivered_id"] != pairs["known_id"]]
    truth = edits.changed_pairs
    right = np.array([pair in truth for pair in zip(pairs["delivered_id"], pairs["known_id"], strict=True)])
    sure = ~pairs["is_doubtful"].to_numpy(dtype=bool)
    return {
        "precision": round(float(right.mean()), 4),
        "recall": round(float(right.sum() / len(truth)), 4),
        "sure_precision": round(float(right[sure].mean()), 4),
        "sure_recall": round(float(right[sure].sum() / len(truth)), 4),
        "review_share": round(float(1.0 - sure.mean()), 4),
    }


def compare(segments: int, repeats: int) -> dict[str, Any]:
    """Run both on every copy, in turn, and return rates, medians and ratios."""
    known = make_known(segments)
    ways: dict[str, Callable[[gpd.GeoDataFrame, gpd.GeoDataFrame], pd.DataFrame]] = {
        "digonce": run_digonce,
        "sjoin": run_sjoin,
    }
    result: dict[str, Any] = {"segments": len(known), "repeats": repeats}
    for name, shares in COPIES.items():
        delivered, edits = disturb(known, 1, jitter_m=JITTER_M, **shares)
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        found: dict[str, dict[str, float]] = {}
        for _ in range(repeats):
            for way, run in ways.items():
                started = time.perf_counter()
                pairs = run(known, delivered)
                seconds[way].append(time.perf_counter() - started)
                found[way] = rates(pairs, edits)
        medians = {way: statistics.median(values) for way, values in seconds.items()}
        result[name] = {
            "digonce": found["digonce"],
            "sjoin": {key: found["sjoin"][key] for key in ("precision", "recall")},
            "median_seconds": {way: round(value, 2) for way, value in medians.items()},
            "times_the_time_of_sjoin": round(medians["digonce"] / medians["sjoin"], 2),
        }
    return result


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(json.dumps(compare(options.segments, options.repeats), indent=1))


if __name__ == "__main__":
    main()
