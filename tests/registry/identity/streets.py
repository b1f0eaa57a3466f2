"""Small networks for tests of the matching, and the count of what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from registry.identity import Matches
from tests.registry.identity.disturb import Edits

EAST, NORTH = 500_000.0, 4_130_000.0
SPACING_M = 90.0
CRS = "EPSG:4549"


def pipes(courses: dict[str, list[tuple[float, float]]], **columns: Any) -> gpd.GeoDataFrame:
    """Return segments by id from their vertices, relative to a corner; all gas unless said otherwise."""
    index = pd.Index(list(courses), dtype="str", name="segment_id")
    lines = [shapely.LineString([(EAST + x, NORTH + y) for x, y in course]) for course in courses.values()]
    return gpd.GeoDataFrame({"medium": "gas"} | columns, geometry=lines, index=index, crs=CRS)


def grid(side: int, seed: int) -> gpd.GeoDataFrame:
    """Return the mains of a crooked street grid of `side` blocks: bent, well apart, with attributes by street."""
    rng = np.random.default_rng(seed)
    corner = np.stack(np.meshgrid(np.arange(side + 1), np.arange(side + 1), indexing="ij"), -1) * SPACING_M
    corner = corner + rng.uniform(-8.0, 8.0, corner.shape)
    courses: dict[str, list[tuple[float, float]]] = {}
    streets: list[str] = []
    for axis in (0, 1):
        for place in np.ndindex(side + 1, side + 1):
            if place[axis] == side:
                continue
            start = corner[place]
            end = corner[place[0] + (axis == 0), place[1] + (axis == 1)]
            middle = (start + end) / 2 + rng.uniform(-3.0, 3.0, 2)
            courses[f"P{len(courses):03d}"] = [(float(x), float(y)) for x, y in (start, middle, end)]
            streets.append(f"street {axis}-{place[1 - axis]}")
    number = pd.factorize(pd.Series(streets))[0]
    year = 1970 + 3 * number
    return pipes(
        courses,
        material=np.array(["steel", "grey_iron", "pe80", "pvc"])[number % 4],
        diameter_mm=np.array([100.0, 200.0, 315.0])[number % 3],
        installed_year_min=year,
        installed_year_max=year,
        street_name=streets,
    )


@dataclass(frozen=True)
class Count:
    """Precision and recall over the pairs that no id can find (renumbered, pieces of splits, parts of merges).

    A pair is one row (delivered id, known id). `precision` and `recall` take every pair as ranked, doubtful or not;
    the `sure` ones only those that no review sees, against the same truth.
    """

    precision: float
    recall: float
    sure_precision: float
    sure_recall: float
    review_share: float


def count_found(matches: Matches, edits: Edits) -> Count:
    found = matches.pairs[matches.pairs["delivered_id"] != matches.pairs["known_id"]]
    truth = edits.changed_pairs
    right = pd.Series(
        [pair in truth for pair in zip(found["delivered_id"], found["known_id"], strict=True)], found.index, dtype=bool
    )
    sure = ~found["is_doubtful"]
    return Count(
        precision=float(right.mean()),
        recall=float(right.sum() / len(truth)),
        sure_precision=float(right[sure].mean()),
        sure_recall=float(right[sure].sum() / len(truth)),
        review_share=float(found["is_doubtful"].mean()),
    )


def found_pairs(matches: Matches) -> set[tuple[str, str, str]]:
    table = matches.pairs
    return set(zip(table["delivered_id"], table["known_id"], table["relation"], strict=True))
