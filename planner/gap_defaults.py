"""What an unknown attribute counts: the mean of its cohort, with a penalty that stays visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Flags, Floats, text_column

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Cohorts:
    """Groups whose known members stand for the unknown ones, the narrower first; codes from 0."""

    levels: Sequence[Codes]
    length_m: Floats

    def mean(self, values: Floats, is_known: Flags) -> Floats:
        """Return the mean of the known values of the cohort of each row, by length; NaN where it knows none."""
        mean = np.full(len(values), np.nan)
        known_m = np.where(is_known, self.length_m, 0.0)
        for codes in reversed(self.levels):
            metres = np.bincount(codes, weights=known_m)
            total = np.bincount(codes, weights=known_m * np.where(is_known, values, 0.0))
            with np.errstate(invalid="ignore", divide="ignore"):
                found = (total / metres)[codes]
            mean = np.where(metres[codes] > 0, found, mean)
        return mean


def attribute_cohorts(segments: pd.DataFrame) -> Cohorts:
    """Return the cohorts of what is asked of every pipe: medium and tier, else the medium."""
    medium = value_codes(segments["medium"])
    return Cohorts((_pair(medium, value_codes(text_column(segments, "tier"))), medium), _metres(segments))


def age_cohorts(segments: pd.DataFrame) -> Cohorts:
    """Return the cohorts of install years: medium and material, as the age acts on each material in its own way."""
    medium = value_codes(segments["medium"])
    return Cohorts((_pair(medium, value_codes(text_column(segments, "material"))),), _metres(segments))


def filled(values: Floats, is_gap: Flags, is_known: Flags, cohorts: Cohorts) -> tuple[Floats, Flags]:
    """Return the values with the mean of the cohort in each gap, and which gaps were filled so.

    Where the cohort knows none, the value stays: the figure of the tables for `unknown`, which has no cohort to be
    dearer than.
    """
    if not is_gap.any():
        return values, is_gap
    mean = cohorts.mean(values, is_known)
    is_filled = is_gap & ~np.isnan(mean)
    return np.where(is_filled, mean, values), is_filled


def _metres(segments: pd.DataFrame) -> Floats:
    return segments["length_m"].to_numpy(dtype="float64")


def value_codes(values: pd.Series) -> Codes:
    """Return the number of each value among the distinct ones; missing is one more, and the same as `unknown`."""
    codes, names = pd.factorize(values)
    is_unknown = np.array([name == "unknown" for name in names] + [True])
    number = np.where(is_unknown, len(names), np.arange(len(names) + 1))
    return number[codes].astype(np.int64)


def _pair(first: Codes, second: Codes) -> Codes:
    """Return the number of each pair of codes."""
    return first * (int(second.max(initial=0)) + 1) + second
