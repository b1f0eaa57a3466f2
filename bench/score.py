"""Scoring from arrays against a row-wise apply of the same formula.

Run with `python -m bench.score [--segments N] [--rows M] [--repeats K]`. digonce makes every contribution of the
likelihood of N segments, tables and record, from columns of attributes without any geometry. The peer is what a
spreadsheet or `DataFrame.apply` does: one row at a time, by dictionaries, the tables and the exposure of the record
without its groups, so that it does less. It runs on the first M rows and is scaled up to N. Printed are medians, the
ratio, and how far the tables of both are apart.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from planner.ages import decimal_year
from planner.likelihood import LikelihoodParts, likelihood_parts
from planner.policy import read_policy
from planner.policy_tables import Band, CodeTable
from planner.record import Record

AS_OF = date(2026, 11, 1)
SINCE_YEARS = 20.0
TABLE_TERMS = ("base", "material", "protection", "age", "diameter", "pressure", "joint", "cover")


@dataclass(frozen=True)
class City:
    """The inputs of one run: attributes as columns, and the leaks as arrays."""

    segments: pd.DataFrame
    record: Record


def make_city(count: int, seed: int = 1) -> City:
    """Make columns of attributes, all of them known, and a leak on one segment in forty."""
    rng = np.random.default_rng(seed)

    def text(*values: str) -> pd.Series:
        return pd.Series(rng.choice(values, count), dtype="str")

    year = rng.integers(1960, 2020, count)
    segments = pd.DataFrame(
        {
            "medium": text("gas", "water"),
            "tier": text("municipal", "courtyard"),
            "material": text("grey_iron", "steel", "pe80", "pe100"),
            "coating": text("pe3", "asphalt", "none"),
            "cathodic_protection": text("none", "sacrificial"),
            "diameter_mm": rng.choice([63.0, 110.0, 200.0, 400.0], count),
            "pressure_class": text("low", "medium_b", "medium_a"),
            "joint": text("weld", "fusion", "mechanical"),
            "surface": text("green", "pavement"),
            "cover_depth_m": rng.choice([0.5, 0.8, 1.2], count),
            "installed_year_min": pd.array(year, dtype="Int64"),
            "installed_year_max": pd.array(year + rng.choice([0, 0, 5], count), dtype="Int64"),
            "street_name": pd.Series(rng.integers(0, max(count // 40, 1), count)).astype("str"),
            "length_m": rng.uniform(5, 200, count),
        },
    )
    segments.index = pd.RangeIndex(count).astype("str")
    leak_count = count // 40
    start = np.datetime64(AS_OF) - round(SINCE_YEARS * 365.25)
    days = start + rng.integers(0, round(SINCE_YEARS * 365.25), leak_count).astype("timedelta64[D]")
    record = Record(rng.integers(0, count, leak_count), np.ones(leak_count), days, count)
    return City(segments, record)


def run_digonce(city: City) -> LikelihoodParts:
    """Every contribution of every segment."""
    return likelihood_parts(city.segments, city.record, read_policy().weights, AS_OF)


class Rowwise:
    """The tables and the exposure of one row, as a person writes it for `DataFrame.apply`."""

    def __init__(self) -> None:
        weights = read_policy().weights.likelihood
        self.weights = weights
        self.tables = {
            name: _by_medium(getattr(weights, table))
            for name, table in {
                "material": "material",
                "coating": "coating",
                "cathodic_protection": "cathodic_protection",
                "pressure_class": "pressure",
                "joint": "joint",
            }.items()
        }
        self.base = {entry.code: entry.factor for entry in weights.base_per_km_year.factors}
        self.power = {entry.code: entry.factor for entry in weights.age_exponent.factors}
        self.now = decimal_year(AS_OF)

    def __call__(self, row: Any) -> tuple[float, float]:  # noqa: ANN401 - a row of a frame
        """Return the logarithm of the table rate, and the leaks that it lets expect."""
        medium, material = row["medium"], row["material"]
        rate = self.base[medium]
        for name, table in self.tables.items():
            if name in {"coating", "cathodic_protection"} and material not in self.weights.protected_materials:
                continue
            rate *= table.get((medium, row[name]), table.get((None, row[name]), 1.0))
        rate *= _band(row["diameter_mm"], self.weights.diameter_mm.bands)
        rate *= _band(row["cover_depth_m"], self.weights.cover_depth_m.bands)
        power, scale = self.power[material], 21.0
        low, high = self.now - row["installed_year_max"] - 1.0, self.now - row["installed_year_min"]
        age = ((high + 1) ** (power + 1) - (low + 1) ** (power + 1)) / (power + 1) / scale**power / (high - low)
        ends = [self._twice(at, power) for at in (high, low, high - SINCE_YEARS, low - SINCE_YEARS)]
        years = (ends[0] - ends[1] - ends[2] + ends[3]) / (high - low)
        return math.log(rate * age), rate * years * row["length_m"] / 1000.0

    def _twice(self, age: float, power: float) -> float:
        at = max(age, 0.0)
        raised = ((at + 1) ** (power + 2) - 1) / (power + 2) - at
        return float(raised / (power + 1) / 21.0**power)


def _by_medium(table: CodeTable) -> dict[tuple[str | None, str], float]:
    return {(entry.medium, entry.code): entry.factor for entry in table.factors}


def _band(value: float, bands: tuple[Band, ...]) -> float:
    return next(band.factor for band in bands if band.maximum is None or value <= band.maximum)


def median_seconds(run: Callable[[], object], repeats: int) -> float:
    """Time some runs."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Read the sizes, run both and print."""
    parser = argparse.ArgumentParser(description="Scoring from arrays against a row-wise apply.")
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    city = make_city(chosen.segments)
    few = city.segments.head(min(chosen.rows, chosen.segments))
    rowwise = Rowwise()
    made = run_digonce(city)
    ours = median_seconds(lambda: run_digonce(city), chosen.repeats)
    began = time.perf_counter()
    theirs = few.apply(rowwise, axis=1)
    peer = (time.perf_counter() - began) * len(city.segments) / len(few)
    tables = np.sum([made.ln_parts[name][: len(few)] for name in TABLE_TERMS], axis=0)
    apart = np.abs(tables - np.array([rate for rate, _ in theirs])).max()
    print(f"  digonce, {len(city.segments):,} segments {ours:8.2f} s")
    print(f"  row-wise apply, {len(few):,} rows, scaled {peer:8.2f} s  {peer / ours:6.1f} x digonce")
    print(f"  tables of both at most {apart:.1e} apart")


if __name__ == "__main__":
    main()
