"""Small frames by the contracts of fields.csv, for the tests of the planner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from registry.fields import fields, index_of

CRS = "EPSG:4549"
EAST, NORTH = 500_000.0, 4_130_000.0
_DTYPES: dict[str, Any] = {
    "text": "str",
    "integer": "Int64",
    "double": "float64",
    "boolean": "boolean",
    "date": "datetime64[s]",
}


def frame_of(contract: str, rows: Sequence[dict[str, Any]], columns: Sequence[str] = ()) -> gpd.GeoDataFrame:
    """Build a frame with geometry; each row gives its id under the name of the index column."""
    declared = fields()[contract]
    index_name = index_of(contract)
    assert index_name is not None
    index = pd.Index([row[index_name] for row in rows], dtype="str", name=index_name)
    names = {name for row in rows for name in row} | set(columns)
    built = {
        name: pd.Series([row.get(name) for row in rows], index, dtype=_DTYPES[field.dtype])
        for name, field in declared.items()
        if name in names and name not in {index_name, "geometry"}
    }
    geometry = np.array([row.get("geometry") for row in rows], dtype=object)
    return gpd.GeoDataFrame(built, geometry=geometry, crs=CRS, index=index)


def line(*points: tuple[float, float]) -> shapely.LineString:
    """Make a line by points relative to the corner of the test ground."""
    return shapely.LineString([(EAST + x, NORTH + y) for x, y in points])


def segments_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    """Build segments; what a row leaves out is a gas main of steel from 2000 in the ground of a green."""
    default: dict[str, Any] = {
        "medium": "gas",
        "tier": "municipal",
        "material": "steel",
        "diameter_mm": 200.0,
        "pressure_class": "low",
        "installed_year_min": 2000,
        "installed_year_max": 2000,
        "coating": "pe3",
        "cathodic_protection": "impressed",
        "joint": "weld",
        "surface": "green",
        "cover_depth_m": 1.2,
        "status": "in_use",
    }
    filled = []
    for number, row in enumerate(rows):
        full: dict[str, Any] = (
            {"segment_id": f"S{number:04d}", "geometry": line((0, 20.0 * number), (100, 20.0 * number))} | default | row
        )
        full["length_m"] = full["geometry"].length
        filled.append(full)
    optional = (
        "assessment",
        "assessed_on",
        "is_encroached",
        "street_name",
        "compound_name",
        "pressure_kpa",
        "retired_on",
    )
    return frame_of("segments", filled, optional)


def leaks_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    """Build leaks; what a row leaves out is a corrosion leak of 2015, surveyed."""
    default = {"leaked_on": "2015-06-01", "cause": "corrosion", "position_quality": "surveyed"}
    filled = [{"leak_id": f"L{number:04d}", "geometry": None} | default | row for number, row in enumerate(rows)]
    return frame_of("leaks", filled, ("leaked_on", "cause", "medium", "position_quality", "segment_id"))


def projects_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    """Build projects; what a row leaves out is an overhaul of 2028."""
    default = {"name": "a project", "kind": "road_overhaul", "starts_on": "2028-03-01", "ends_on": "2028-10-31"}
    filled = [{"project_id": f"P{number:04d}"} | default | row for number, row in enumerate(rows)]
    return frame_of(
        "projects", filled, ("name", "kind", "state", "starts_on", "ends_on", "opens_ground", "half_width_m")
    )


def buildings_of(*shapes: shapely.Geometry, households: int = 0) -> gpd.GeoDataFrame:
    """Build dwellings of equal household counts."""
    rows = [
        {"building_id": f"B{number:04d}", "geometry": shape, "use": "residential", "household_count": households}
        for number, shape in enumerate(shapes)
    ]
    return frame_of("buildings", rows, ("use", "household_count"))


def places_of(*things: tuple[str, shapely.Geometry]) -> gpd.GeoDataFrame:
    """Build context objects, each by its kind and place."""
    rows = [
        {"context_id": f"K{number:04d}", "kind": kind, "geometry": shape} for number, (kind, shape) in enumerate(things)
    ]
    return frame_of("context", rows, ("kind",))


def named_links(leaks: gpd.GeoDataFrame, segment_id: str) -> pd.DataFrame:
    """Link every leak to one segment for certain."""
    return pd.DataFrame(
        {
            "leak_id": leaks.index.astype("str"),
            "segment_id": pd.array([segment_id] * len(leaks), dtype="str"),
            "probability": np.ones(len(leaks)),
            "distance_m": np.zeros(len(leaks)),
            "measure_m": np.zeros(len(leaks)),
        }
    )


def roads_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    """Build roads; what a row leaves out is a street of 20 m along the first segment, without a past."""
    default = {"name": "金城路", "width_m": 20.0, "geometry": line((0, 0), (100, 0))}
    filled = [{"road_id": f"R{number:04d}"} | default | row for number, row in enumerate(rows)]
    return frame_of("roads", filled, ("name", "width_m", "opened_on", "overhauled_on", "overlaid_on"))


def moratoria_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    """Build published dig bans; what a row leaves out is closed for other reasons in 2027, at no place."""
    default = {"starts_on": "2027-01-01", "ends_on": "2027-12-31", "cause": "other", "geometry": None}
    filled = [{"moratorium_id": f"M{number:04d}"} | default | row for number, row in enumerate(rows)]
    return frame_of("moratoria", filled, ("cause", "street_name", "road_id", "starts_on", "ends_on"))


def context_of(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    """Build context objects; what a row leaves out is a small area of strong soil far away."""
    default = {"kind": "soil", "level": "强", "geometry": shapely.box(EAST - 9000, NORTH, EAST - 8990, NORTH + 10)}
    filled = [{"context_id": f"C{number:04d}"} | default | row for number, row in enumerate(rows)]
    return frame_of("context", filled, ("kind", "level"))


HARMLESS_GROUND = context_of({}, {"kind": "stray_current"})
