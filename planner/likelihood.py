"""Likelihood: expected leaks per kilometre and year as a sum of logarithms: tables of factors, moved by the record.

This is the default model: it needs no training, and without a record it is what the tables say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.ages import middle_age_years
from planner.exposure import find_exposure
from planner.factors import Flags, Floats, added_up
from planner.ground import Ground
from planner.policy_likelihood import RecordStrengths
from planner.policy_models import Weights
from planner.record import DAYS_PER_YEAR, Record, record_years
from planner.record_groups import record_groups
from planner.table_parts import table_parts
from planner.updating import Strengths, update_rates

# the order of the contributions is the order in which they are added up: equal sums to the last bit
LIKELIHOOD_TERMS: Final = (
    "base",
    "material",
    "protection",
    "decade",
    "age",
    "diameter",
    "pressure",
    "soil",
    "stray_current",
    "cover",
    "traffic",
    "joint",
    "gaps",
    "level",
    "cohort",
    "vintage",
    "diameter_band",
    "street",
    "history",
    # what a learned model that ranks says otherwise; the default has nothing here
    "learned_model",
)

# sums over groups differ in their last bits by the order of rows, which must not decide between equal pipes
DECIMALS: Final = 12
_CODED: Final = ("medium", "tier", "material", "coating", "cathodic_protection", "joint", "surface")


@dataclass(frozen=True)
class Circumstances:
    """What is told besides the segments and their leaks, where known.

    `ground` by segment, the frame `street_links`, the frame `surveyed` and the district of each segment for it.
    """

    ground: Ground | None = None
    street_links: pd.DataFrame | None = None
    surveyed: pd.DataFrame | None = None
    district_of: pd.Series | None = None


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
        return added_up(self.ln_parts.values(), len(self.age_years))

    def first(self, count: int) -> LikelihoodParts:
        """Return the parts of the first segments only."""
        return LikelihoodParts(
            {name: part[:count] for name, part in self.ln_parts.items()},
            {name: gap[:count] for name, gap in self.gaps.items()},
            self.age_years[:count],
            self.relative_deviation[:count],
            self.leak_count[:count],
        )


def likelihood_parts(
    segments: pd.DataFrame,
    record: Record,
    weights: Weights,
    as_of: date,
    circumstances: Circumstances | None = None,
) -> LikelihoodParts:
    """Compute the contributions to the leak rate: those of the tables, and those by which the record moves them.

    The table rate is a product of factors. Exposure is what it lets expect over the time in which the segment was in
    the ground and looked at, from the start of the record of its medium, as a mean over its install interval. Against
    that the record is held, step by step (`update_rates`). The step `level` holds besides what the last years say:
    (leaks + s) / (expected + s) of the medium, so that the sum of all is right for today.

    Segments that are retired by `as_of` take part with their exposure and leaks until then: what lies in the ground
    today is what survived, and would make its cohorts look better than they are.

    An unknown attribute takes the mean of its cohort; the penalty for it is the contribution `gaps`. The factor of age
    and decade is the mean over the install interval, each day of which is as likely; that of the exposure takes both
    as independent, which an interval of many decades stretches a little.

    Misleads where leaks were looked for in parts of the network only and nobody says so: no survey reads like no leak.
    """
    told, segments = circumstances or Circumstances(), _coded(segments)
    history = weights.likelihood.history
    groups = record_groups(segments, told.street_links, weights.likelihood)
    exposure = find_exposure(segments, as_of, told.surveyed, told.district_of)
    since = record_years(record, groups.level, int(groups.level.max(initial=-1)) + 1, as_of)[groups.level]
    tables = table_parts(segments, weights, exposure, since, told.ground)
    length_km = segments["length_m"].to_numpy(dtype="float64") / 1000.0
    leaks = record.expected_leaks()
    strengths = record_strengths(history.strengths)
    steps = update_rates(leaks, tables.expected(length_km, tables.factor_years), groups, strengths)
    moved = np.exp(added_up(steps.values(), len(segments)))
    begin = as_of - timedelta(days=round(history.recent_years.value * DAYS_PER_YEAR))
    recent = recent_factor(
        record.expected_leaks(begin + timedelta(days=1)),
        tables.expected(length_km, tables.recent_years) * moved,
        groups.level,
        history.strengths.recent.value,
    )
    parts = tables.ln_parts | {
        "level": steps["level"] + np.log(recent),
        "cohort": steps["cohort"],
        "vintage": steps["vintage"],
        "diameter_band": steps["diameter"],
        "street": steps["street"],
        "history": steps["history"],
        "learned_model": np.zeros(len(segments)),
    }
    ordered = {name: np.round(parts[name], DECIMALS) for name in LIKELIHOOD_TERMS}
    return LikelihoodParts(ordered, tables.gaps, middle_age_years(segments, as_of), tables.age_deviation, leaks)


def _coded(segments: pd.DataFrame) -> pd.DataFrame:
    """Spell each value of what is looked up by code once: a million rows are looked up by numbers then."""
    names = [name for name in _CODED if name in segments.columns]
    return pd.DataFrame(segments).assign(**{name: segments[name].astype("category") for name in names})


def recent_factor(observed: Floats, expected: Floats, level: NDArray[np.int64], strength: float) -> Floats:
    """Return what the last years of each medium say of the rates that the whole record left, by segment.

    (leaks + strength) / (expected + strength), with the strength in leaks; `level` is the medium as a code from 0.
    """
    found = np.bincount(level, weights=observed) + strength
    awaited = np.bincount(level, weights=expected) + strength
    factor: Floats = (found / awaited)[level]
    return factor


def record_strengths(figures: RecordStrengths) -> Strengths:
    """Return the strength of each step of the record as numbers."""
    return Strengths(
        level=figures.level.value,
        cohort=figures.cohort.value,
        vintage=figures.vintage.value,
        diameter=figures.diameter_band.value,
        street=figures.street.value,
        own=figures.own.value,
    )
