"""What the default model finds on a real city, year by year, with only what was known at the start of each.

The measures are written out here once more, apart from those of the planner. The data lie outside the repository;
without them these tests are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from tomllib import loads

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from planner.likelihood import likelihood_parts
from planner.policy import read_policy
from planner.record import make_record
from tests.conftest import real_data

pytestmark = pytest.mark.real_data
FIRST_YEAR, LAST_YEAR = 1997, 2022
TEST_YEARS = range(2012, 2023)
WINDOWS = (2012, 2014, 2017, 2020)


@dataclass(frozen=True)
class City:
    """Mains with a date, and their breaks as place of the main and day."""

    segments: pd.DataFrame
    laid: np.ndarray
    place: np.ndarray
    day: np.ndarray

    def breaks(self, first: int, last: int) -> np.ndarray:
        """Count the breaks of each main from the first day of a year to the last of another."""
        inside = (self.day >= np.datetime64(f"{first}-01-01")) & (self.day <= np.datetime64(f"{last}-12-31"))
        return np.bincount(self.place[inside], minlength=len(self.segments)).astype("float64")


@cache
def city() -> City:
    folder = real_data("kitchener") / "tidy"
    mains = gpd.read_parquet(folder / "mains_2023-05.parquet")
    mains = mains[(mains["length_m"] >= 1) & mains["installation_date"].notna()].reset_index(drop=True)
    streets = pd.read_parquet(folder / "roads_2025.parquet").set_index("roadsegmentid")["street"]
    words = loads((Path(__file__).parent / "segments.toml").read_text(encoding="utf-8"))["values"]["material"]
    year = mains["installation_date"].dt.year.astype("Int64")
    segments = pd.DataFrame(
        {
            "medium": "water",
            "tier": "municipal",
            "material": mains["material"].map(words),
            "diameter_mm": mains["pipe_size_mm"].astype("float64").replace(0, np.nan),
            "installed_year_min": year,
            "installed_year_max": year,
            "street_name": mains["roadsegmentid"].map(streets),
            "length_m": mains["length_m"],
        }
    ).astype(dict.fromkeys(("medium", "tier", "material", "street_name"), "str"))
    segments.index = pd.Index([f"W{number}" for number in range(len(mains))], name="segment_id")
    found = pd.read_parquet(folder / "breaks_2023-05.parquet")
    found = found[(found["asset_type"] == "MAIN") & (found["status"] != "CANCELLED")]
    found = found.assign(day=found["incident_ts"].dt.normalize())
    joined = found.merge(
        mains.reset_index()[["index", "watmainid", "installation_date"]], left_on="asset_id", right_on="watmainid"
    )
    joined = joined[
        (joined["day"] >= joined["installation_date"]) & joined["day"].dt.year.between(FIRST_YEAR, LAST_YEAR)
    ]
    joined = joined.drop_duplicates(["asset_id", "day"])
    day_of_year = mains["installation_date"].dt.day_of_year.to_numpy()
    laid = year.to_numpy(dtype="float64") + (day_of_year - 1) / 365.25
    return City(segments, laid, joined["index"].to_numpy(), joined["day"].to_numpy(dtype="datetime64[D]"))


def foreseen(mains: City, there: np.ndarray, year: int) -> np.ndarray:
    """The breaks per kilometre and year that the default expects at the start of a year, knowing nothing later."""
    known = mains.day < np.datetime64(f"{year}-01-01")
    ids = pd.Index([f"B{number}" for number in range(int(known.sum()))], dtype="str", name="leak_id")
    leaks = pd.DataFrame({"leaked_on": mains.day[known].astype("datetime64[s]")}, index=ids)
    links = pd.DataFrame(
        {"leak_id": ids, "segment_id": mains.segments.index[mains.place[known]], "probability": np.ones(len(ids))}
    )
    segments, as_of = mains.segments[there], date(year, 1, 1)
    record = make_record(segments, links, leaks, as_of, ())
    return np.exp(likelihood_parts(segments, record, read_policy().weights, as_of).ln_likelihood)


def captured(rate: np.ndarray, breaks: np.ndarray, km: np.ndarray, share: float) -> float:
    """The share of the breaks on the top share of the length, pro rata on the last main."""
    left, found = share * km.sum(), 0.0
    for at in np.argsort(-rate, kind="stable"):
        taken = min(left / km[at], 1.0)
        found += breaks[at] * taken
        left -= km[at] * taken
        if left <= 0:
            break
    return float(found / breaks.sum())


def test_the_default_finds_what_the_documents_say() -> None:
    mains = city()
    assert (len(mains.segments), len(mains.day)) == (15_158, 1_941)
    km = mains.segments["length_m"].to_numpy() / 1000.0
    figures, weights, expected = [], [], 0.0
    for year in TEST_YEARS:
        there = mains.laid < year + 1
        rate, breaks = foreseen(mains, there, year), mains.breaks(year, year)[there]
        fresh = mains.breaks(FIRST_YEAR, year - 1)[there] == 0
        figures.append(
            [
                captured(rate, breaks, km[there], 0.05),
                captured(rate, breaks, km[there], 0.10),
                captured(rate[fresh], breaks[fresh], km[there][fresh], 0.10),
            ]
        )
        weights.append(breaks.sum())
        expected += float((rate * km[there] * np.clip(year + 1 - mains.laid[there], 0, 1)).sum())
    at_5, at_10, never_broken = np.average(figures, axis=0, weights=weights)
    calibration = expected / sum(weights)
    assert at_5 >= 0.27
    assert at_10 >= 0.48
    assert never_broken >= 0.46
    assert 0.9 <= calibration <= 1.15


def test_the_default_looks_three_years_ahead() -> None:
    mains = city()
    km = mains.segments["length_m"].to_numpy() / 1000.0
    figures, weights = [], []
    for year in WINDOWS:
        there = mains.laid < year + 1
        breaks = mains.breaks(year, year + 2)[there]
        figures.append(captured(foreseen(mains, there, year), breaks, km[there], 0.10))
        weights.append(breaks.sum())
    at_10 = float(np.average(figures, weights=weights))
    assert at_10 >= 0.47
