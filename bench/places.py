"""Places in words on Kitchener: how many are found and how far from the truth, against a plain join of the ranges.

Run with `python -m bench.places [DATA]`, where DATA is the folder that holds `kitchener`. Two questions are put:

- water-main breaks, which have a house number, a street and a surveyed point, against the address ranges of the roads;
  the peer takes the first range of that street and parity that holds the number and interpolates from end to end;
- road segments, each asked for as the street between the two cross streets that the city itself gives it.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from registry.places.locate import locate
from registry.places.network import Network

Floats = npt.NDArray[np.float64]
NEAR_M = 58.0
_DATA = Path(__file__).parents[2] / "shared" / "data"
_NUMBERS = {f"{end}_{side}_address": f"{side}_number_{end}" for side in ("left", "right") for end in ("from", "to")}


@dataclass(frozen=True)
class Breaks:
    """What became of the numbered breaks: shares and metres from the surveyed point."""

    asked: int
    located: float
    median_m: float
    near: float
    # of those whose number a range holds: the surer ones
    sure_located: float
    sure_near: float
    seconds: float


@dataclass(frozen=True)
class Stretches:
    """What became of the road segments asked for by cross streets: how many have one answer, and how many are right."""

    asked: int
    located: float
    right: float
    seconds: float


def read_roads(data: Path) -> gpd.GeoDataFrame:
    """Return the roads of Kitchener in our words, with the city's own cross streets beside them."""
    roads = gpd.read_parquet(data / "kitchener" / "tidy" / "roads_2025.parquet")
    return roads.rename(columns={"street": "name"} | _NUMBERS)


def read_breaks(data: Path) -> gpd.GeoDataFrame:
    """Return the breaks that have a house number."""
    breaks = gpd.read_parquet(data / "kitchener" / "tidy" / "breaks_2023-05.parquet")
    number = pd.to_numeric(breaks["civic_no"], errors="coerce")
    numbered = breaks[number.notna() & breaks["street"].notna()].copy()
    return numbered.assign(number=number[numbered.index].astype("int64"))


def measure_breaks(data: Path) -> Breaks:
    """Locate the numbered breaks by their address."""
    breaks, network = read_breaks(data), Network.of(read_roads(data))
    rows = pd.DataFrame({"address": breaks["number"].astype("str") + " " + breaks["street"]})
    start = time.perf_counter()
    found = locate(rows, network)
    seconds = time.perf_counter() - start
    is_found = found["located_by"].notna().to_numpy()
    away = _away(found["geometry"][is_found], breaks.geometry[is_found])
    is_sure = found["confidence"][is_found].to_numpy() >= found["confidence"].max() - 1e-9
    return Breaks(
        asked=len(rows),
        located=float(is_found.mean()),
        median_m=float(np.median(away)),
        near=float((away <= NEAR_M).mean()),
        sure_located=float(is_sure.sum() / len(rows)),
        sure_near=float((away[is_sure] <= NEAR_M).mean()),
        seconds=seconds,
    )


def measure_plain_join(data: Path) -> Breaks:
    """Locate them as a plain join would: the first range of the street and parity, from end to end."""
    breaks, roads = read_breaks(data), read_roads(data)
    sides = pd.concat(
        [
            roads[["name", "geometry", f"{side}_number_from", f"{side}_number_to"]].set_axis(
                ["name", "line", "first", "last"], axis=1
            )
            for side in ("left", "right")
        ]
    ).dropna()
    start = time.perf_counter()
    pairs = breaks.reset_index().merge(pd.DataFrame(sides), left_on="street", right_on="name")
    holds = (pairs["first"] <= pairs["number"]) & (pairs["number"] <= pairs["last"])
    pairs = pairs[holds & (pairs["first"] % 2 == pairs["number"] % 2)].drop_duplicates("index")
    length = (pairs["last"] - pairs["first"]).to_numpy()
    share = np.where(length > 0, (pairs["number"] - pairs["first"]) / np.maximum(length, 1), 0.5)
    points = shapely.line_interpolate_point(pairs["line"].to_numpy(), share, normalized=True)
    seconds = time.perf_counter() - start
    away = _away(pd.Series(list(points), dtype=object), breaks.geometry[pairs["index"]])
    found, near = len(pairs) / len(breaks), float((away <= NEAR_M).mean())
    return Breaks(len(breaks), found, float(np.median(away)), near, found, near, seconds)


def measure_stretches(data: Path) -> Stretches:
    """Locate each road segment by its street and the cross streets that the city gives it."""
    roads = read_roads(data)
    is_asked = roads[["name", "from_street", "to_street"]].notna().all(axis=1) & (roads.geometry.length > 0)
    asked = roads[is_asked & (roads["category"] == "ROAD")]
    words = {"name": "street_name", "from_street": "cross_street_from", "to_street": "cross_street_to"}
    start = time.perf_counter()
    found = locate(pd.DataFrame(asked[list(words)]).rename(columns=words), Network.of(roads))
    seconds = time.perf_counter() - start
    is_found = found["located_by"].notna().to_numpy()
    lines = np.asarray(found["geometry"][is_found], dtype=object)
    truth = np.asarray(asked.geometry[is_found], dtype=object)
    covered = shapely.length(shapely.intersection(shapely.buffer(lines, 20.0), truth)) / shapely.length(truth)
    return Stretches(len(asked), float(is_found.mean()), float((covered >= 0.9).mean()), seconds)


def _away(points: pd.Series, truth: pd.Series) -> Floats:
    shapes = np.asarray(points, dtype=object), np.asarray(truth, dtype=object)
    return np.asarray(shapely.distance(*shapes), dtype=np.float64)


def main() -> None:
    """Read the arguments, measure and print."""
    parser = argparse.ArgumentParser(description="Places in words on Kitchener.")
    parser.add_argument("data", type=Path, nargs="?", default=_DATA)
    data = parser.parse_args().data
    if not (data / "kitchener").exists():
        print(f"no real data under {data.name}: nothing to measure")
        return
    for name, measured in (("digonce", measure_breaks(data)), ("plain join", measure_plain_join(data))):
        print(
            f"{name}: {measured.asked:,} numbered breaks, {measured.located:.1%} located,"
            f" median {measured.median_m:.1f} m,"
            f" {measured.near:.1%} within {NEAR_M:.0f} m; in a known range {measured.sure_located:.1%},"
            f" {measured.sure_near:.1%} of them within; {measured.seconds:.2f} s"
        )
    stretches = measure_stretches(data)
    print(
        f"digonce: {stretches.asked:,} road segments by cross streets, {stretches.located:.1%} with one answer,"
        f" {stretches.right:.1%} of these right; {stretches.seconds:.2f} s"
    )


if __name__ == "__main__":
    main()
