"""Small towns whose leaks are drawn from known rates, and the plainest of models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.factors import Floats
from planner.forecast.panel import Panel

MATERIALS = ("cast_iron", "ductile_iron", "pvc")
YEARS = range(2000, 2016)
Hazard = Callable[[pd.DataFrame], Floats]


def material_hazard(segments: pd.DataFrame) -> Floats:
    """Leaks per kilometre and year by material alone."""
    by_material = {"cast_iron": 0.6, "ductile_iron": 0.2, "pvc": 0.05}
    return np.array([by_material[name] for name in segments["material"]])


def make_segments(rng: np.random.Generator, count: int) -> pd.DataFrame:
    year = rng.integers(1950, 2011, count)
    return pd.DataFrame(
        {
            "medium": "water",
            "material": rng.choice(MATERIALS, count),
            "diameter_mm": rng.choice([100.0, 150.0, 300.0], count),
            "installed_year_min": pd.array(year, dtype="Int64"),
            "installed_year_max": pd.array(year, dtype="Int64"),
            "street_name": rng.choice([f"street {name}" for name in range(max(count // 8, 1))], count),
            "length_m": rng.uniform(20.0, 300.0, count),
        },
        index=pd.Index([f"S{row:04d}" for row in range(count)], name="segment_id"),
    )


def make_town(
    seed: int = 0,
    count: int = 400,
    years: range = YEARS,
    hazard: Hazard = material_hazard,
    spread: float = 0.0,
    retires: bool = False,
) -> Panel:
    """Draw leaks year by year: rate times a gamma factor of the segment with variance `spread`, mean 1.

    With `retires` most of the worst pipes are taken out, from the seventh year on.
    """
    rng = np.random.default_rng(seed)
    segments = make_segments(rng, count)
    rate = np.asarray(hazard(segments), dtype="float64")
    if spread > 0:
        rate = rate * rng.gamma(1.0 / spread, spread, count)
    installed = segments["installed_year_min"].to_numpy(dtype="int64")[:, None]
    year = np.array(years)[None, :]
    share = np.where(year > installed, 1.0, np.where(year == installed, 0.5, 0.0))
    if retires:
        is_bad = (rate >= np.quantile(rate, 0.8)) & (rng.random(count) < 0.8)
        last = np.where(is_bad, rng.integers(years.start + 6, years.stop, count), years.stop)
        share = np.where(year < last[:, None], share, 0.0)
    km_years = share * (segments["length_m"].to_numpy() / 1000.0)[:, None]
    leaks = rng.poisson(rate[:, None] * km_years).astype("float64")
    return Panel(segments, years, km_years, leaks, np.maximum(year + 0.5 - installed, 0.0))


@dataclass(frozen=True)
class Told:
    """What a plain model has learned: one rate for each segment, in every year."""

    rate: Floats
    shape: Floats | None = None

    def rates(self, years: range) -> Floats:
        return np.repeat(self.rate[:, None], len(years), axis=1)


@dataclass(frozen=True)
class ByMaterial:
    """Leaks over kilometre-years of the material, with the own history of a segment where `own` is finite."""

    name: str = "default"
    own: float = 2.0

    def fit(self, past: Panel) -> Told:
        leaks, exposure = past.leaks.sum(axis=1), past.km_years.sum(axis=1)
        code, _ = pd.factorize(past.segments["material"])
        rate = ((np.bincount(code, leaks) + 0.1) / (np.bincount(code, exposure) + 1.0))[code]
        return Told(rate * (self.own + leaks) / (self.own + rate * exposure))


@dataclass(frozen=True)
class FromSegments:
    """A model that learns nothing: the rate is a function of the attributes, levelled by the leaks of the past."""

    name: str
    score: Callable[[Panel], Floats]

    def fit(self, past: Panel) -> Told:
        score = np.asarray(self.score(past), dtype="float64")
        expected = np.sum(score[:, None] * past.km_years)
        return Told(score * past.leaks.sum() / expected)
