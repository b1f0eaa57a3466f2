"""Derive a road programme and residential blocks for Kitchener, which publishes neither, by stated rules.

    python -m tests.kitchener.derive DATA OUT

`DATA` is the folder that holds `kitchener` and `kitchener_district_model`; `OUT` takes three files in the shape that a
city would deliver:

- `road_programme.csv`: every street whose median service year is 1960 or earlier is overhauled in 2027-2031, the
  oldest first, an equal number of streets each year, from April to October.
- `compounds.gpkg`: blocks of the one district whose buildings are known: footprints widened by 12 m, united and
  narrowed by 12 m again, of which those of at least one hectare count, numbered from the west.
- `compound_programme.csv`: the blocks are renovated in 2027-2031 in the order of their numbers.

Nothing of it is a plan of the City of Kitchener.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

YEARS = range(2027, 2032)
LATEST_SERVICE_YEAR = 1960
# half of a residential street with its front gardens: footprints across a street stay apart
WIDENING_M = 12.0
LEAST_AREA_M2 = 10_000.0
CRS = "EPSG:26917"


def road_programme(roads: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return one overhaul for each of the oldest streets, as rows of a programme."""
    # 0 stands for unknown
    known = roads[(roads["service_year"] > 0) & roads["street"].notna()]
    streets = known.groupby("street").agg(service_year=("service_year", "median"), width_m=("pavement_width", "median"))
    oldest = streets[streets["service_year"] <= LATEST_SERVICE_YEAR].sort_values("service_year", kind="stable")
    programme = _dated(len(oldest), "R", "04-01", "10-31")
    programme.insert(1, "name", [f"{street} overhaul" for street in oldest.index])
    programme["kind"] = "road_overhaul"
    programme["street_name"] = oldest.index
    programme["half_width_m"] = (oldest["width_m"].where(oldest["width_m"] > 0) / 2.0).to_numpy()
    return programme


def blocks(buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the residential blocks that footprints form."""
    footprints = buildings.to_crs(CRS).geometry.make_valid()
    united = footprints.buffer(WIDENING_M).union_all().buffer(-WIDENING_M)
    parts = shapely.get_parts(united)
    parts = parts[shapely.area(parts) >= LEAST_AREA_M2]
    parts = parts[np.argsort(shapely.bounds(parts)[:, 0], kind="stable")]
    numbers = range(1, len(parts) + 1)
    counts = [int(footprints.centroid.within(part).sum()) for part in parts]
    rows = {
        "compound_id": [f"BLOCK-{number}" for number in numbers],
        "name": [f"Block {number}" for number in numbers],
        "building_count": counts,
    }
    return gpd.GeoDataFrame(rows, geometry=list(parts), crs=CRS)


def compound_programme(compounds: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return one renovation for each block, as rows of a programme."""
    programme = _dated(len(compounds), "C", "03-01", "11-30")
    programme.insert(1, "name", [f"{name} renovation" for name in compounds["name"]])
    programme["kind"] = "old_residential"
    programme["compound_name"] = compounds["name"].to_numpy()
    programme["building_count"] = compounds["building_count"].to_numpy()
    return programme


def _dated(count: int, letter: str, first_day: str, last_day: str) -> pd.DataFrame:
    """Spread `count` projects evenly over the years."""
    year = [YEARS[place * len(YEARS) // count] for place in range(count)]
    return pd.DataFrame(
        {
            "project_id": [f"{letter}{number:04d}" for number in range(1, count + 1)],
            "state": "planned",
            "starts_on": [f"{at}-{first_day}" for at in year],
            "ends_on": [f"{at}-{last_day}" for at in year],
        }
    )


def derive(data: Path, out: Path) -> list[Path]:
    """Write the three files and return their paths."""
    out.mkdir(parents=True, exist_ok=True)
    roads = gpd.read_parquet(data / "kitchener" / "tidy" / "roads_2025.parquet")
    buildings = gpd.read_parquet(data / "kitchener_district_model" / "tidy" / "buildings.parquet")
    compounds = blocks(buildings)
    paths = [out / name for name in ("road_programme.csv", "compounds.gpkg", "compound_programme.csv")]
    road_programme(roads).to_csv(paths[0], index=False)
    compounds.to_file(paths[1], engine="pyogrio")
    compound_programme(compounds).to_csv(paths[2], index=False)
    return paths


def main() -> None:
    """Read the arguments and write the files."""
    parser = argparse.ArgumentParser(description="Derive a road programme and blocks for Kitchener.")
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    chosen = parser.parse_args()
    derive(chosen.data, chosen.out)


if __name__ == "__main__":
    main()
