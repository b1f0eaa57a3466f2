"""What log-linear models see of a pipe: material, decade of installation, diameter, age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.ages import install_years
from planner.factors import Floats, number_column, text_column
from planner.forecast.panel import Panel

Codes = NDArray[np.int64]
UNDATED: Final = "undated"
# where the logarithms are 0; a new pipe counts as half a year old, since its logarithm would have no end
REFERENCE_AGE_YEARS: Final = 30.0
REFERENCE_DIAMETER_MM: Final = 150.0
_LEAST_AGE_YEARS: Final = 0.5


def materials(segments: pd.DataFrame) -> pd.Series:
    """Return medium and material of each segment as one level; not stated is the level `unknown`."""
    return segments["medium"].astype("str") + " " + text_column(segments, "material").fillna("unknown").astype("str")


def decades(segments: pd.DataFrame) -> pd.Series:
    """Return the decade in which the middle of the install interval lies; `undated` where no year is known."""
    first, last = install_years(segments)
    known = ~np.isnan(first)
    middle = np.where(known, (first + last) / 2.0, 0.0)
    decade = pd.Series((middle // 10.0 * 10.0).astype(np.int64), segments.index).astype("str")
    return decade.where(known, UNDATED)


def ln_ages(age_years: Floats) -> Floats:
    """Return the logarithm of the age over that of reference; 0 where it is not known: the undated have a level."""
    known = np.where(np.isnan(age_years), REFERENCE_AGE_YEARS, age_years)
    logarithms: Floats = np.log(np.maximum(known, _LEAST_AGE_YEARS) / REFERENCE_AGE_YEARS)
    return logarithms


def prior_leaks(past: Panel) -> Floats:
    """Return the leaks of each segment before each year of the panel, as far as the record goes back."""
    before: Floats = np.cumsum(past.leaks, axis=1) - past.leaks
    return np.maximum(before, 0.0)


@dataclass(frozen=True)
class Terms:
    """The columns that time does not change: a constant, a level for each value, the logarithm of the diameter.

    Pipes without any install year are a level of their own for each material, in place of decade and age.

    Every value has a column of its own: none is the reference, a ridge draws all of them towards the mean. A value that
    the past does not know has none, and so the mean.
    """

    levels: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, segments: pd.DataFrame) -> Terms:
        """Return the terms that a past knows, in the order of their names."""
        found = {name: sorted(values.unique()) for name, values in _levelled(segments).items()}
        # a single value tells nothing that the constant does not
        return cls(tuple((name, value) for name, values in found.items() if len(values) > 1 for value in values))

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return ["constant", *(f"{name} {value}" for name, value in self.levels), "ln diameter"]

    def columns(self, segments: pd.DataFrame) -> Floats:
        """Return one row for each segment."""
        values = _levelled(segments)
        coded = [np.asarray(values[name] == value, dtype=np.float64) for name, value in self.levels]
        columns: Floats = np.column_stack([np.ones(len(segments)), *coded, ln_diameters(segments)])
        return columns


def _levelled(segments: pd.DataFrame) -> dict[str, pd.Series]:
    sized = np.where(np.isnan(number_column(segments, "diameter_mm")), "unknown", "known")
    material, decade = materials(segments), decades(segments)
    return {
        "material": material,
        # the undated of one material are a cohort: old materials are old without a date as well
        "decade": decade.where(decade != UNDATED, UNDATED + " " + material),
        "diameter": pd.Series(sized, segments.index, dtype="str"),
    }


def ln_diameters(segments: pd.DataFrame) -> Floats:
    """Return the logarithm of the diameter over that of reference; 0 where it is not known."""
    diameter = number_column(segments, "diameter_mm")
    logarithms: Floats = np.log(np.where(np.isnan(diameter), REFERENCE_DIAMETER_MM, diameter) / REFERENCE_DIAMETER_MM)
    return logarithms


@dataclass(frozen=True)
class Cells:
    """Segment-years added up where a model cannot tell them apart; the sums are all that a Poisson model needs.

    `row` is a segment with the steady columns of the cell; `moving` has the values that change with time; `cell` tells
    the cell of each segment-year with exposure, in the order of rows and years.
    """

    row: Codes
    cell: Codes
    moving: dict[str, Floats]
    km_years: Floats
    leaks: Floats


def add_up(past: Panel, steady: Floats, moving: dict[str, Floats]) -> Cells:
    """Add up the segment-years with exposure over equal rows of `steady` and equal values of `moving`."""
    _, kind = np.unique(steady, axis=0, return_inverse=True)
    there = past.km_years > 0.0
    row = np.nonzero(there)[0]
    key = kind.reshape(-1)[row].astype(np.int64)
    for values in moving.values():
        distinct, code = np.unique(values[there], return_inverse=True)
        key = key * max(len(distinct), 1) + code
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    return Cells(
        row[first],
        cell.reshape(-1),
        {name: values[there][first] for name, values in moving.items()},
        np.bincount(cell, weights=past.km_years[there], minlength=len(first)).astype("float64"),
        np.bincount(cell, weights=past.leaks[there], minlength=len(first)).astype("float64"),
    )
