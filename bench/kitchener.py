"""The water mains of Kitchener and their breaks as a panel: the protocol of all figures on real data.

Mains of at least 1 m by the length that the city publishes, with an install date; breaks of mains that were not
cancelled, on or after the installation, one for each main and day, 1997-2022. Streets by the published road segment.
Not a benchmark by itself; the data lie outside the repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pandas as pd

from planner.forecast.history import make_history
from planner.forecast.panel import Panel
from planner.policy import read_policy

DATA: Final = Path(__file__).parents[2] / "shared" / "data"
YEARS: Final = range(1997, 2023)
TEST_YEARS: Final = range(2012, 2023)
_MATERIALS: Final = {
    "PVC": "pvc",
    "PVCO": "pvc",
    "PVCB": "pvc",
    "PVCF": "pvc",
    "DI": "ductile_iron",
    "CI": "cast_iron",
    "CPP": "prestressed_concrete",
    "AC": "asbestos_cement",
    "HDPE": "pe",
    "HDPE IN CI": "pe",
    "COP": "copper",
    "ST": "steel",
}


@dataclass(frozen=True)
class Kitchener:
    """Mains, breaks and their links as frames of the registry, and the pressure zone of each main."""

    segments: pd.DataFrame
    leaks: pd.DataFrame
    leak_links: pd.DataFrame
    zones: pd.Series

    def panel(self, years: range = YEARS) -> Panel:
        """Return the panel; the record of breaks is complete from its first year on."""
        last = date(years[-1], 12, 31)
        return make_history(
            self.segments, self.leak_links, self.leaks, read_policy(), years, last, record_from=years.start
        ).panel


def read_kitchener(data: Path = DATA) -> Kitchener:
    """Read the files below the folder that holds `kitchener`."""
    folder = data / "kitchener" / "tidy"
    mains = pd.read_parquet(folder / "mains_2023-05.parquet")
    mains = mains[(mains["length_m"] >= 1.0) & mains["installation_date"].notna()]
    breaks = pd.read_parquet(folder / "breaks_2023-05.parquet")
    roads = pd.read_parquet(folder / "roads_2025.parquet", columns=["roadsegmentid", "street"])
    segments = _segments(mains, roads)
    leaks = _breaks(breaks, mains)
    links = pd.DataFrame(
        {"leak_id": leaks.index.astype("str"), "segment_id": leaks["segment_id"].to_numpy(), "probability": 1.0}
    )
    zones = pd.Series(mains["pressure_zone"].to_numpy(), segments.index, dtype="str", name="district")
    return Kitchener(segments, leaks, links.astype({"segment_id": "str"}), zones)


def _segments(mains: pd.DataFrame, roads: pd.DataFrame) -> pd.DataFrame:
    street = mains["roadsegmentid"].map(roads.drop_duplicates("roadsegmentid").set_index("roadsegmentid")["street"])
    size = mains["pipe_size_mm"].astype("float64")
    year = mains["installation_date"].dt.year.astype("Int64")
    columns = {
        "medium": "water",
        "tier": "municipal",
        "material": mains["material"].map(_MATERIALS),
        # 0 stands for unknown
        "diameter_mm": size.where(size > 0.0),
        "installed_year_min": year,
        "installed_year_max": year,
        "street_name": street.astype("str"),
        "length_m": mains["length_m"],
    }
    frame = pd.DataFrame(columns).set_axis(mains["watmainid"].astype("str"), axis=0)
    return frame.rename_axis("segment_id")


def _breaks(breaks: pd.DataFrame, mains: pd.DataFrame) -> pd.DataFrame:
    counted = breaks[(breaks["asset_type"] == "MAIN") & (breaks["status"] != "CANCELLED")]
    counted = counted.assign(leaked_on=counted["incident_ts"].dt.normalize().astype("datetime64[s]"))
    installed = mains.set_index("watmainid")["installation_date"]
    counted = counted[counted["leaked_on"] >= counted["asset_id"].map(installed)]
    counted = counted[counted["leaked_on"].dt.year.isin(YEARS)].drop_duplicates(["asset_id", "leaked_on"])
    frame = pd.DataFrame({"leaked_on": counted["leaked_on"], "segment_id": counted["asset_id"].astype("str")})
    return frame.set_axis(counted["break_id"].astype("str"), axis=0).rename_axis("leak_id")
