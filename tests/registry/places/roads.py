"""A small town for tests of places: a grid of streets with house numbers, metres from its south-west corner.

DONG LU (0, 200, 400 m north) and the avenues cross every 300 m; MAIN ST runs east along 0 m, its houses odd on the
left and even on the right, a hundred numbers to each block.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

BLOCK_M = 300.0
NUMBERS = ["left_number_from", "left_number_to", "right_number_from", "right_number_to"]


def road(name: str | None, *points: tuple[float, float], numbers: tuple[int | None, ...] = ()) -> dict[str, Any]:
    ends = dict(zip(NUMBERS, numbers, strict=True)) if numbers else dict.fromkeys(NUMBERS)
    return {"name": name, **ends, "geometry": shapely.LineString(points)}


def turned(row: dict[str, Any]) -> dict[str, Any]:
    """Return the same road drawn the other way: its right side is now its left, from the other end."""
    ends = zip(NUMBERS, reversed(NUMBERS), strict=True)
    return row | {name: row[other] for name, other in ends} | {"geometry": row["geometry"].reverse()}


def roads(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(list(rows), columns=["name", *NUMBERS, "geometry"])
    frame.insert(0, "road_id", [f"R{number}" for number in range(len(frame))])
    return gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4549")


def town() -> list[dict[str, Any]]:
    """MAIN ST in three blocks, FIRST to FOURTH AVE across it, NORTH ST beside it, and a street in two towns."""
    main = [
        road(
            "MAIN ST",
            (BLOCK_M * block, 0),
            (BLOCK_M * (block + 1), 0),
            numbers=(100 * block + 1, 100 * block + 99, 100 * block + 2, 100 * block + 100),
        )
        for block in range(3)
    ]
    avenues = [
        road(f"{word} AVE", (BLOCK_M * at, -200), (BLOCK_M * at, 0), (BLOCK_M * at, 400))
        for at, word in enumerate(("FIRST", "SECOND", "THIRD", "FOURTH"))
    ]
    others = [
        road("NORTH ST", (0, 300), (900, 300)),
        road("KING ST E", (2000, 0), (2300, 0), numbers=(1, 99, 2, 100)),
        road("KING ST W", (2000, 0), (1700, 0), numbers=(1, 99, 2, 100)),
        road("QUEEN ST E", (2000, 500), (2300, 500), numbers=(1, 99, 2, 100)),
        road("QUEEN ST W", (2000, 500), (1700, 500), numbers=(101, 199, 102, 200)),
        road("罗峰大街", (0, 1000), (600, 1000), numbers=(1, 59, 2, 60)),
        road("魁星路", (100, 900), (100, 1100)),
        road("温泉路", (500, 900), (500, 1100)),
    ]
    return [*main, *avenues, *others]
