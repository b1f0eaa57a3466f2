"""Cities whose truth is known: a past made from stated effects, seen as a registry would see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Flags, Floats
from planner.forecast.exposure import presence
from planner.forecast.panel import Panel
from planner.forecast.terms import ln_ages

Names = NDArray[np.str_]
_MATERIALS: Final = ("cast_iron", "ductile_iron", "steel", "pvc")
# share of each material in pipes laid before 1950, before 1970, before 1990, later
_ERAS: Final = ((0.7, 0.05, 0.2, 0.05), (0.5, 0.2, 0.2, 0.1), (0.1, 0.4, 0.2, 0.3), (0.02, 0.2, 0.13, 0.65))
_ERA_ENDS: Final = (1950.0, 1970.0, 1990.0)
_DIAMETERS_MM: Final = (100.0, 150.0, 200.0, 300.0, 400.0)
_DIAMETER_SHARES: Final = (0.15, 0.4, 0.25, 0.12, 0.08)
_STREET_SEGMENTS: Final = 12


@dataclass(frozen=True)
class Truth:
    """What the leaks are drawn from: effects as logarithms, and how far pipes of one kind scatter.

    Parameters
    ----------
    per_km_year
        Rate of a pipe of 30 years and 150 mm without further effects.
    material, decade
        Effect of each value; 0 where it is not named.
    diameter_power, age_power
        The rate goes with these powers of diameter and age.
    shape
        Of the gamma distribution, mean 1, of each pipe's own factor.
    is_nonlinear
        Whether small pipes of metal and wide ones of plastic leak six times as often as the others from their 25th
        year on, which no product of separate factors can say.
    """

    per_km_year: float = 0.15
    material: dict[str, float] = field(default_factory=lambda: {"cast_iron": 0.8, "steel": 0.3, "pvc": -0.9})
    decade: dict[int, float] = field(default_factory=lambda: {1950: 0.5, 1960: 0.4})
    diameter_power: float = -0.6
    age_power: float = 0.5
    shape: float = 1.0
    is_nonlinear: bool = False


# no pipe is worse than another: what a model finds here is chance
NOISE: Final = Truth(material={}, decade={}, diameter_power=0.0, age_power=0.0, shape=1e6)


@dataclass(frozen=True)
class Simulated:
    """A panel, the own factor of each segment, and the rates that the leaks were drawn from, factors included."""

    panel: Panel
    own_factor: Floats
    rate_per_km_year: Floats


def simulate(
    count: int,
    seed: int,
    truth: Truth | None = None,
    years: range = range(1997, 2023),
    *,
    undated_share: float = 0.2,
    retired_per_year: float = 0.004,
) -> Simulated:
    """Draw a city and the leaks of its record; the same seed gives the same city.

    The record begins with `years`: what leaked before is not seen (left truncation). Each year some pipes are
    retired, older ones more often, whatever leaked; those that were retired before the record are not held. Of some
    pipes the install year is not known: the panel takes them as the registry does, the leaks know better.
    """
    truth = truth or Truth()
    draw = np.random.default_rng(seed)
    installed = np.floor(draw.uniform(1925.0, years.stop, count)) + 0.5
    material = _materials(draw, installed)
    diameter = draw.choice(_DIAMETERS_MM, count, p=_DIAMETER_SHARES)
    length_m = np.clip(draw.lognormal(np.log(60.0), 0.8, count), 2.0, 800.0)
    own = draw.gamma(truth.shape, 1.0 / truth.shape, count)
    retired = _retirement(draw, installed, years, retired_per_year)
    segments = _frame(installed, material, diameter, length_m)
    begin = np.full(count, float(years.start))
    there = presence(segments, years, begin, retired)
    rate = _rates(truth, material, diameter, installed, there.age_years) * own[:, None]
    leaks = draw.poisson(rate * there.year_share * length_m[:, None] / 1000.0).astype("float64")
    undated = draw.random(count) < undated_share
    seen = segments.assign(is_undated=undated)
    for column in ("installed_year_min", "installed_year_max"):
        seen[column] = seen[column].mask(undated)
    known = presence(seen, years, begin, retired)
    panel = Panel(seen, years, known.year_share * length_m[:, None] / 1000.0, leaks, known.age_years)
    held = known.year_share.sum(axis=1) > 0.0
    return Simulated(_chosen(panel, held), own[held], rate[held])


def _materials(draw: np.random.Generator, installed: Floats) -> Names:
    shares = np.cumsum(np.array(_ERAS), axis=1)[np.searchsorted(_ERA_ENDS, installed)]
    place = (draw.random(len(installed))[:, None] > shares).sum(axis=1)
    names: Names = np.array(_MATERIALS)[np.minimum(place, len(_MATERIALS) - 1)]
    return names


def _retirement(draw: np.random.Generator, installed: Floats, years: range, per_year: float) -> Floats:
    """Draw the decimal year of retirement: the chance of a year grows with the age, and no leak has a part in it."""
    # a hazard of per_year x age / 30 adds up to per_year x age^2 / 60
    age = np.sqrt(draw.exponential(1.0, len(installed)) * 60.0 / max(per_year, 1e-12))
    return np.minimum(installed + age, float(years.stop))


def _frame(installed: Floats, material: Names, diameter: Floats, length_m: Floats) -> pd.DataFrame:
    number = np.arange(len(installed))
    year = pd.array(np.floor(installed).astype(np.int64), dtype="Int64")
    columns = {
        "medium": pd.array(["water"] * len(number), dtype="str"),
        "material": pd.array(material, dtype="str"),
        "diameter_mm": diameter,
        "installed_year_min": year,
        "installed_year_max": year,
        "street_name": pd.array([f"street {place}" for place in number // _STREET_SEGMENTS], dtype="str"),
        "length_m": length_m,
    }
    ids = pd.Index([f"S{place:06d}" for place in number], dtype="str", name="segment_id")
    return pd.DataFrame(columns, index=ids)


def _rates(
    truth: Truth,
    material: Names,
    diameter: Floats,
    installed: Floats,
    age_years: Floats,
) -> Floats:
    """Return leaks per kilometre and year of a mean pipe of each kind in each year."""
    of_material = pd.Series(material).map(truth.material).fillna(0.0).to_numpy(dtype="float64")
    of_decade = pd.Series(installed // 10 * 10).map(truth.decade).fillna(0.0).to_numpy(dtype="float64")
    level = np.log(truth.per_km_year) + of_material + of_decade + truth.diameter_power * np.log(diameter / 150.0)
    ln_rate = level[:, None] + truth.age_power * ln_ages(age_years)
    if truth.is_nonlinear:
        crossed = (diameter < 200.0) != (material == "pvc")
        ln_rate = ln_rate + np.log(6.0) * (crossed[:, None] & (age_years >= 25.0))
    rates: Floats = np.exp(ln_rate)
    return rates


def _chosen(panel: Panel, rows: Flags) -> Panel:
    return Panel(panel.segments[rows], panel.years, panel.km_years[rows], panel.leaks[rows], panel.age_years[rows])
