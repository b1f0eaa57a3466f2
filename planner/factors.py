"""Look up the factors of weights for whole columns at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.policy_tables import Band, BandTable, CodeTable, DecadeFactor, Factor

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_Entry = TypeVar("_Entry", Factor, Band, DecadeFactor)


def code_factors(values: pd.Series, media: pd.Series, table: CodeTable) -> tuple[Floats, Flags]:
    """Return the factor of each value and whether it was a gap that took the documented default.

    A table that says nothing about a medium does not apply to it: factor 1 and no gap. A code that the table lacks
    takes the default as well, but only a missing value or `unknown` is a gap.
    """
    value_codes, value_names = pd.factorize(values)
    medium_codes, medium_names = pd.factorize(media)
    # the last row and column are for missing values, which factorize codes as -1
    factors = np.ones((len(medium_names) + 1, len(value_names) + 1))
    gaps = np.zeros(factors.shape, dtype=bool)
    for row, medium in enumerate([*medium_names, None]):
        entries = entries_for(table.factors, medium)
        if not entries:
            continue
        by_code = {entry.code: entry.factor for entry in entries}
        for column, value in enumerate([*value_names, "unknown"]):
            factors[row, column] = by_code.get(str(value), by_code["unknown"])
            gaps[row, column] = value == "unknown"
    return factors[medium_codes, value_codes], gaps[medium_codes, value_codes]


def band_factors(values: Floats, media: pd.Series, table: BandTable) -> tuple[Floats, Flags]:
    """Return the factor of the band of each value, tops included, and whether the value was missing."""
    medium_codes, medium_names = pd.factorize(media)
    # media with equal entries are looked up together; the last place is for a missing medium
    found = [(entries_for(table.bands, m), entries_for(table.unknown, m)) for m in [*medium_names, None]]
    kinds = [next(place for place, other in enumerate(found) if other == one) for one in found]
    kind = np.array(kinds)[medium_codes]
    missing = np.isnan(values)
    factors = np.ones(len(values))
    gaps = np.zeros(len(values), dtype=bool)
    for place in sorted(set(kinds)):
        bands, unknown = found[place]
        if not bands:
            continue
        rows = slice(None) if len(set(kinds)) == 1 else np.flatnonzero(kind == place)
        tops = np.array([np.inf if band.maximum is None else band.maximum for band in bands])
        # what is missing sorts behind the open top
        heights = np.array([*(band.factor for band in bands), unknown[0].factor])
        factors[rows] = heights[np.searchsorted(tops, values[rows], side="left")]
        gaps[rows] = missing[rows]
    return factors, gaps


def entries_for(entries: Sequence[_Entry], medium: str | None) -> list[_Entry]:
    """Return the entries of a medium, or those for every medium where it has none of its own."""
    own = [entry for entry in entries if entry.medium is not None and entry.medium == medium]
    return own or [entry for entry in entries if entry.medium is None]


def added_up(parts: Iterable[Floats], count: int) -> Floats:
    """Return the sum of columns, added in their order."""
    total = np.zeros(count)
    for part in parts:
        total += part
    return total


def number_column(table: pd.DataFrame, column: str) -> Floats:
    """Return a column as float64 with NaN for missing, all NaN where the frame does not have it."""
    if column not in table.columns:
        return np.full(len(table), np.nan)
    return table[column].to_numpy(dtype="float64", na_value=np.nan)


def text_column(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a text column, all missing where the frame does not have it."""
    if column not in table.columns:
        return pd.Series(np.nan, index=table.index, dtype="str", name=column)
    return table[column]


def flag_column(table: pd.DataFrame, column: str) -> Flags:
    """Return a boolean column with missing as False."""
    if column not in table.columns:
        return np.zeros(len(table), dtype=bool)
    return table[column].astype("boolean").to_numpy(dtype=bool, na_value=False)


def day_column(table: pd.DataFrame, column: str) -> NDArray[np.datetime64]:
    """Return a date column as days with NaT for missing."""
    if column not in table.columns:
        return np.full(len(table), np.datetime64("NaT"), dtype="datetime64[D]")
    return table[column].to_numpy(dtype="datetime64[D]")
