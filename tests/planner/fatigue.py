"""A small city whose pipes fail at one age and at no other, which no table of factors can say."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from tests.planner.frames import CRS, EAST, NORTH

YEARS = range(2011, 2027)
# between these ages a joint of this make gives way; before and after it hardly ever leaks
WEAK_AGES = (30, 36)
_RATE, _CALM_RATE = 8.0, 0.05
_ROW = 25


def write_fatigue_city(folder: Path, count: int = 300, seed: int = 1) -> None:
    """Write `segments.gpkg` and `leaks.csv`: pipes of one kind, and leaks that name their pipe, drawn year by year."""
    rng = np.random.default_rng(seed)
    installed = rng.integers(1950, 2011, count)
    length_m = rng.uniform(50.0, 300.0, count).round()
    number = np.arange(count)
    x, y = EAST + 500.0 * (number % _ROW), NORTH + 200.0 * (number // _ROW)
    lines = shapely.linestrings(np.stack([np.stack([x, y], -1), np.stack([x + length_m, y], -1)], axis=1))
    ids = [f"W{row:04d}" for row in number]
    segments = {
        "segment_id": ids,
        "medium": "water",
        "tier": "municipal",
        "material": "ductile_iron",
        "diameter_mm": 150.0,
        "installed_year_min": installed,
        "installed_year_max": installed,
        "street_name": [f"street {row // _ROW}" for row in number],
    }
    gpd.GeoDataFrame(segments, geometry=lines, crs=CRS).to_file(folder / "segments.gpkg", engine="pyogrio")
    found = []
    for year in YEARS:
        age = year - installed
        rate = np.where((age >= WEAK_AGES[0]) & (age < WEAK_AGES[1]), _RATE, np.where(age > 0, _CALM_RATE, 0.0))
        # the last year is on record until the first of November
        share = 1.0 if year < YEARS[-1] else 10.0 / 12.0
        where = np.repeat(number, rng.poisson(rate * share * length_m / 1000.0))
        days = [date(year, 1, 1) + timedelta(days=int(day)) for day in rng.integers(0, int(300 * share), len(where))]
        leaks = {"segment_id": [ids[row] for row in where], "leaked_on": days, "x": x[where] + 5.0, "y": y[where]}
        found.append(pd.DataFrame(leaks))
    table = pd.concat(found, ignore_index=True)
    table.insert(0, "leak_id", [f"L{row:05d}" for row in range(len(table))])
    table.assign(medium="water").to_csv(folder / "leaks.csv", index=False)
