"""Third-party damage, apart from the likelihood: others dig into a new pipe as they do into an old one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from planner.age_course import steady_course
from planner.exposure import find_exposure
from planner.factors import Floats
from planner.gap_defaults import age_cohorts, filled
from planner.likelihood import Circumstances
from planner.policy_models import Weights
from planner.record import Record, record_years


def third_party_rates(
    segments: pd.DataFrame,
    record: Record,
    third_party: Record,
    weights: Weights,
    as_of: date,
    circumstances: Circumstances | None = None,
) -> Floats:
    """Return the leaks by third-party damage per kilometre and year: the mean of the medium, moved by the own record.

    A gamma-Poisson mean: mean x (s + leaks) / (s + mean x km-years), over the time in the ground and looked at since
    the record of the medium began; no factor of the tables has a say. NaN where the medium has no leak on record.
    Renewal does not remove these leaks; they are no part of the likelihood.

    Parameters
    ----------
    record
        Of all causes: it tells since when leaks are kept.
    third_party
        Of third-party damage only.
    """
    told = circumstances or Circumstances()
    level, names = pd.factorize(segments["medium"])
    level = level.astype(np.int64)
    exposure = find_exposure(segments, as_of, told.surveyed, told.district_of)
    since = record_years(record, level, len(names), as_of)[level]
    is_gap = np.isnan(exposure.ages.least)
    years = exposure.factor_years(steady_course(len(segments)), since)
    years, _ = filled(years, is_gap, ~is_gap, age_cohorts(segments))
    km_years = years * segments["length_m"].to_numpy(dtype="float64") / 1000.0
    leaks = third_party.expected_leaks()
    strength = weights.likelihood.history.strengths.third_party.value
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (np.bincount(level, weights=leaks) / np.bincount(level, weights=km_years))[level]
        rates: Floats = mean * (strength + leaks) / (strength + mean * km_years)
    return np.where(since > 0, rates, np.nan)
