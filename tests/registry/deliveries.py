"""Small deliveries for tests: sound ones to spoil."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

EAST, NORTH = 535_000.0, 4_137_000.0


def line(east: float, north: float, length_m: float = 50.0) -> shapely.LineString:
    return shapely.LineString([(EAST + east, NORTH + north), (EAST + east + length_m, NORTH + north)])


def segments(count: int = 5, **columns: Any) -> gpd.GeoDataFrame:
    """Sound segments with Chinese headings; `columns` replaces or adds some."""
    rows: dict[str, Any] = {
        "管段编号": [f"GAS-{number}" for number in range(count)],
        "介质": "燃气",
        "管段类别": "市政",
        "管材": "灰口铸铁",
        "管径": "DN200",
        "建设年代": "1985",
        "所在道路": "金城路",
    }
    geometry = columns.pop("geometry", [line(0, 60.0 * number) for number in range(count)])
    return gpd.GeoDataFrame(pd.DataFrame(rows | columns, index=range(count)), geometry=geometry, crs="EPSG:4549")


def write(frame: gpd.GeoDataFrame, path: Path) -> Path:
    frame.to_file(path, engine="pyogrio")
    return path


def leaks_csv(path: Path, rows: list[dict[str, Any]], encoding: str = "gb18030") -> Path:
    """Write leaks as a survey table: X is the northing."""
    pd.DataFrame(rows).to_csv(path, index=False, encoding=encoding)
    return path
