"""The same overlaps by DuckDB spatial and SedonaDB, where they are installed; they are no part of digonce.

Their tables are made before the clock starts, from the same segments and the same ready corridors.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely

JOIN = """
SELECT s.segment_id, p.project_id,
       CASE WHEN ST_Covers(p.geometry, s.geometry) THEN ST_Length(s.geometry)
            ELSE ST_Length(ST_Intersection(s.geometry, p.geometry)) END AS overlap_m
FROM segment AS s JOIN project AS p ON ST_Intersects(p.geometry, s.geometry)
"""
TABLES = {
    "segment": "CREATE TABLE segment AS SELECT segment_id, ST_GeomFromWKB(wkb) AS geometry FROM segment_wkb",
    "project": "CREATE TABLE project AS SELECT project_id, ST_GeomFromWKB(wkb) AS geometry FROM project_wkb",
}


def peer_engines(segments: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> dict[str, Callable[[], pd.DataFrame]]:
    """Return a query for each engine that is installed, on tables in its memory."""
    frames = {"segment": segments, "project": areas}
    made: dict[str, Callable[[], pd.DataFrame]] = {}
    if find_spec("duckdb") and find_spec("duckdb_extension_spatial"):
        made["DuckDB spatial"] = _duckdb(frames)
    if find_spec("sedonadb"):
        made["SedonaDB"] = _sedonadb(frames)
    return made


def _duckdb(frames: dict[str, gpd.GeoDataFrame]) -> Callable[[], pd.DataFrame]:
    duckdb: Any = import_module("duckdb")
    folder = Path(str(import_module("duckdb_extension_spatial").__path__[0]))
    connection: Any = duckdb.connect()
    connection.load_extension(str(next(folder.rglob("spatial.duckdb_extension"))))
    for name, frame in frames.items():
        connection.register(f"{name}_wkb", _arrow(name, frame))
        connection.execute(TABLES[name])
    return lambda: connection.execute(JOIN).df()


def _sedonadb(frames: dict[str, gpd.GeoDataFrame]) -> Callable[[], pd.DataFrame]:
    database: Any = import_module("sedonadb").connect()
    for name, frame in frames.items():
        plain = frame[[frame.geometry.name]].reset_index(names=f"{name}_id").astype({f"{name}_id": object})
        database.create_data_frame(plain).to_memtable().to_view(name)
    return lambda: database.sql(JOIN).to_pandas()


def _arrow(name: str, frame: gpd.GeoDataFrame) -> pa.Table:
    wkb = pa.array(shapely.to_wkb(frame.geometry.to_numpy()), type=pa.binary())
    return pa.table({f"{name}_id": pa.array(frame.index.astype(object)), "wkb": wkb})
