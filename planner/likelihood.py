"""Likelihood: expected leaks per kilometre and year as a sum of logarithms, moved by the own leak record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from planner.ages import middle_age_years
from planner.factors import Flags, Floats, band_factors, code_factors, number_column, text_column
from planner.policy_models import Likelihood
from planner.record import Record, record_years


@dataclass(frozen=True)
class LikelihoodParts:
    """The contributions of each segment, their sum, and which attributes were unknown."""

    ln_parts: dict[str, Floats]
    gaps: dict[str, Flags]
    age_years: Floats
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
    return LikelihoodParts(ln_parts, gaps, age, leaks)


def _cohort_parts(
    segments: pd.DataFrame, weights: Likelihood, as_of: date
) -> tuple[dict[str, Floats], dict[str, Flags], Floats]:
    medium = segments["medium"]
    material_code = text_column(segments, "material").fillna("unknown")
    base, _ = code_factors(medium, medium, weights.base_per_km_year)
    material, no_material = code_factors(material_code, medium, weights.material)
    protection, protection_gaps = _protection(segments, material_code, weights)
    diameter, no_diameter = band_factors(number_column(segments, "diameter_mm"), medium, weights.diameter_mm)
    age = middle_age_years(segments, as_of)
    no_age = np.isnan(age)
    default_age, _ = code_factors(medium, medium, weights.unknown_age_years)
    exponent, _ = code_factors(material_code, medium, weights.age_exponent)
    offset = weights.age_offset_years.value
    relative_age = (np.where(no_age, default_age, age) + offset) / (weights.age_reference_years.value + offset)
    parts = {
        "base": np.log(base),
        "material": np.log(material),
        "protection": np.log(protection),
        "age": exponent * np.log(relative_age),
        "diameter": np.log(diameter),
    }
    gaps = {"material": no_material, "installed_year_min": no_age, "diameter_mm": no_diameter} | protection_gaps
    return parts, gaps, age


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
