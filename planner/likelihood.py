"""Likelihood: expected leaks per kilometre and year as a sum of logarithms, moved by the own leak record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.ages import Service, age_interval, middle_age_years
from planner.factors import Flags, Floats, band_factors, code_factors, number_column, text_column
from planner.policy_models import Likelihood
from planner.record import Record, record_years


@dataclass(frozen=True)
class LikelihoodParts:
    """The contributions of each segment, their sum, and which attributes were unknown."""

    ln_parts: dict[str, Floats]
    gaps: dict[str, Flags]
    age_years: Floats
    relative_deviation: Floats
    leak_count: Floats

    @property
    def ln_likelihood(self) -> Floats:
        """The logarithm of the expected leaks per kilometre and year: the sum of the contributions."""
        total: Floats = np.sum(list(self.ln_parts.values()), axis=0)
        return total


def likelihood_parts(segments: pd.DataFrame, record: Record, weights: Likelihood, as_of: date) -> LikelihoodParts:
    """Compute the contributions to the leak rate: base, material, protection, age, diameter, own history.

    The cohort rate is the product of table factors. The base rate of a medium is levelled by the own record of the
    city: (leaks + s) / (expected leaks + s) with the strength s of the weights, so that with no leaks at all it stays
    as the table says. The own history enters as the posterior mean of a gamma-Poisson model: (k + N) / (k + E), with
    N the leaks on record and E those that the cohort rate lets expect over the years of record.

    The factor of the age is its mean over the install interval, each day of which is as likely.

    Every segment takes the whole record of its medium as exposure, also one younger than the record: so an older
    pipe never scores lower than an equal younger one, at the price that a young pipe is trusted a little too much.
    Misleads where leaks were looked for in parts of the network only: no survey reads like no leak.
    """
    medium = segments["medium"]
    ln_parts, gaps, age = _cohort_parts(segments, weights, as_of)
    leaks = record.expected_leaks()
    groups, names = pd.factorize(medium)
    groups = groups.astype(np.int64)
    years = record_years(record, groups, len(names), as_of)[groups]
    km_years = segments["length_m"].to_numpy(dtype="float64") / 1000.0 * years
    rate = np.exp(np.sum(list(ln_parts.values()), axis=0))
    strength = weights.history.level_strength.value
    observed = np.bincount(groups, weights=leaks, minlength=len(names)) + strength
    expected = np.bincount(groups, weights=rate * km_years, minlength=len(names)) + strength
    level = (observed / expected)[groups] if strength > 0 else np.ones(len(segments))
    shape = weights.history.shape.value
    ln_parts["base"] = ln_parts["base"] + np.log(level)
    ln_parts["history"] = np.log((shape + leaks) / (shape + rate * level * km_years))
    return LikelihoodParts(ln_parts, gaps, age.middle_years, age.relative_deviation, leaks)


@dataclass(frozen=True)
class AgeCourse:
    """How the leak rate of each segment changes with its age: a power of the age relative to the reference."""

    exponent: Floats
    default_age_years: Floats
    reference_years: float
    offset_years: float

    def ln_factor(self, age_years: Floats, row: NDArray[np.int64] | slice = slice(None)) -> Floats:
        """Return the logarithm of the factor at an age, for the chosen rows; NaN takes the default age."""
        age = np.where(np.isnan(age_years), self.default_age_years[row], age_years)
        relative_age = (age + self.offset_years) / (self.reference_years + self.offset_years)
        factor: Floats = self.exponent[row] * np.log(relative_age)
        return factor

    def over(self, ages: Service) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the factor over an interval of ages, each of which is as likely.

        Before its installation a pipe has age 0. Without an interval the mean is the factor of the default age, and
        the deviation is not known.
        """
        mean = self._moment(ages, 1.0)
        variance = np.maximum(self._moment(ages, 2.0) - mean**2, 0.0)
        unknown = np.isnan(ages.least)
        default = np.exp(self.ln_factor(np.full(len(ages.least), np.nan)))
        return np.where(unknown, default, mean), np.where(unknown, np.nan, np.sqrt(variance))

    def _moment(self, ages: Service, order: float) -> Floats:
        """Return the mean of a power of the factor: the integral of a power, plus what lies before the installation."""
        power = self.exponent * order
        scale = self.reference_years + self.offset_years
        low, high = (np.maximum(end, 0.0) + self.offset_years for end in (ages.least, ages.most))
        inside = (high ** (power + 1.0) - low ** (power + 1.0)) / (power + 1.0) / scale**power
        at_zero = (self.offset_years / scale) ** power * (np.maximum(-ages.least, 0.0) - np.maximum(-ages.most, 0.0))
        mean: Floats = (inside + at_zero) / (ages.most - ages.least)
        return mean


def age_course(segments: pd.DataFrame, weights: Likelihood) -> AgeCourse:
    """Return how the leak rate of each segment changes with its age."""
    medium = segments["medium"]
    default_age, _ = code_factors(medium, medium, weights.unknown_age_years)
    exponent, _ = code_factors(text_column(segments, "material").fillna("unknown"), medium, weights.age_exponent)
    return AgeCourse(exponent, default_age, weights.age_reference_years.value, weights.age_offset_years.value)


def steady_parts(segments: pd.DataFrame, weights: Likelihood) -> tuple[dict[str, Floats], dict[str, Flags]]:
    """Return the contributions that no time changes, as logarithms, and which attributes were unknown."""
    medium = segments["medium"]
    material_code = text_column(segments, "material").fillna("unknown")
    base, _ = code_factors(medium, medium, weights.base_per_km_year)
    material, no_material = code_factors(material_code, medium, weights.material)
    protection, protection_gaps = _protection(segments, material_code, weights)
    diameter, no_diameter = band_factors(number_column(segments, "diameter_mm"), medium, weights.diameter_mm)
    factors = {"base": base, "material": material, "protection": protection, "diameter": diameter}
    gaps = {"material": no_material, "diameter_mm": no_diameter} | protection_gaps
    return {name: np.log(factor) for name, factor in factors.items()}, gaps


@dataclass(frozen=True)
class _Ages:
    """The age from the middle of the interval, and how far the factor of the age scatters about its mean."""

    middle_years: Floats
    relative_deviation: Floats


def _cohort_parts(
    segments: pd.DataFrame, weights: Likelihood, as_of: date
) -> tuple[dict[str, Floats], dict[str, Flags], _Ages]:
    steady, gaps = steady_parts(segments, weights)
    age = middle_age_years(segments, as_of)
    mean, deviation = age_course(segments, weights).over(age_interval(segments, as_of))
    # the order of the contributions is the order in which they are added up: equal sums to the last bit
    parts = {name: steady[name] for name in ("base", "material", "protection")}
    parts |= {"age": np.log(mean), "diameter": steady["diameter"]}
    all_gaps = {"material": gaps["material"], "installed_year_min": np.isnan(age)} | gaps
    return parts, all_gaps, _Ages(age, deviation / mean)


def _protection(
    segments: pd.DataFrame, material_code: pd.Series, weights: Likelihood
) -> tuple[Floats, dict[str, Flags]]:
    """Coating times cathodic protection, for metals that can have them; every other material has factor 1."""
    applies = material_code.isin(list(weights.protected_materials)).to_numpy(dtype=bool)
    factor = np.ones(len(segments))
    gaps = {}
    for column, table in (("coating", weights.coating), ("cathodic_protection", weights.cathodic_protection)):
        factors, is_gap = code_factors(text_column(segments, column), segments["medium"], table)
        factor = factor * np.where(applies, factors, 1.0)
        gaps[column] = is_gap & applies
    return factor, gaps
