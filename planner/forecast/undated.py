"""Attributes that may be younger than the past they are used in: refused by name, or found out by the leaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Flags, Floats
from planner.forecast.panel import Panel
from registry.errors import PlanningError
from registry.fields import fields

# set anew while a pipe is in use, often after a leak: without a day nobody knows which leaks they already tell of
CHANGING: Final = frozenset({"assessment", "assessed_on", "is_encroached", "remark", "retired_on", "status"})
# what a panel adds to the contract
ADDED: Final = frozenset({"district", "is_undated"})
# standard errors beyond which an attribute is flagged
ALARM: Final = 3.5
# leaks in either part of the record below which nothing can be told
LEAST_LEAKS: Final = 30.0
_PARTS: Final = 20
_EXPOSURE_QUANTILES: Final = (0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98)
Codes = NDArray[np.int64]


def refuse_undated(columns: Iterable[str]) -> None:
    """Raise where a model would learn from attributes that carry no date and may have changed with a leak.

    What the contract `segments` declares and a pipe is laid with may be used; an assessment, the state of use and
    anything that the contract does not know, such as a condition score, may not. A registry that recorded when it
    learned each value gives the attributes of each cut-off instead (`panel_at` of `walk_forward`).

    Raises
    ------
    PlanningError
        With the names of these attributes.
    """
    laid_with = {name for name, field in fields()["segments"].items() if field.role != "index"} - CHANGING
    strange = sorted(set(columns) - laid_with - ADDED)
    if strange:
        raise PlanningError("forecast_undated", columns=", ".join(strange))


def undated_evidence(panel: Panel, attributes: pd.DataFrame, year: int | None = None) -> pd.DataFrame:
    """Tell of each attribute as it stands today whether it knows leaks of the later part of the record.

    Two signs, both within cohorts (material and decade of installation), with standard errors by leaving out a
    twentieth of the segments at a time:

    - `both_z`. Leaks of a segment before and after the cut-off go together, because some segments are worse than
      others, and still do so, more weakly, among segments with the same value of an honest attribute. Where the
      attribute was made from the leaks of both parts, more leaks before mean fewer after: below -3.5.
    - `later_z`. An honest attribute goes with leaks before as with leaks after. Where it goes with those after more
      than twice as much: above 3.5.

    Misses an attribute that holds the leaks only dimly, and the more so the more leaks a segment has: where the count
    tells the lasting rate well, a memory of leaks and a measurement of the rate look alike. May flag an attribute whose
    effect truly arose late, and one that was set anew after renewals; a flag is a question to the owner of the data.

    Parameters
    ----------
    panel
        The whole record.
    attributes
        Columns to be tested, by `segment_id` as in the panel.
    year
        First year of the later part; by default the one that halves the leaks.

    Returns
    -------
    The frame `undated_evidence`.
    """
    cut = _halfway(panel) if year is None else year
    count = cut - panel.years.start
    there = (panel.km_years[:, :count].sum(axis=1) > 0) & (panel.km_years[:, count:].sum(axis=1) > 0)
    order = np.flatnonzero(there)[np.argsort(panel.segments.index[there].astype("str"), kind="stable")]
    halves = _Halves.of(panel, order, count)
    told = attributes.reindex(panel.segments.index).iloc[order]
    rows = [_evidence(str(name), told[name], halves) for name in told.columns]
    columns = ["attribute", "year", "both_z", "earlier_effect", "later_effect", "later_z", "verdict"]
    table = pd.DataFrame([row | {"year": cut} for row in rows], columns=columns)
    return table.astype({"attribute": "str", "year": "Int64", "verdict": "str"})


@dataclass(frozen=True)
class _Halves:
    """Leaks of both parts of the record and those that the cohorts let expect, of segments in the order of their id."""

    earlier: Floats
    later: Floats
    earlier_expected: Floats
    later_expected: Floats

    @classmethod
    def of(cls, panel: Panel, rows: Codes, count: int) -> _Halves:
        cohort = _cohorts(panel.segments.iloc[rows])
        sums = [
            (values[rows, :count].sum(axis=1), values[rows, count:].sum(axis=1))
            for values in (panel.leaks, panel.km_years)
        ]
        (earlier, later), (before, after) = sums
        return cls(earlier, later, before * _rates(earlier, before, cohort), after * _rates(later, after, cohort))

    @property
    def is_enough(self) -> bool:
        return bool(min(self.earlier.sum(), self.later.sum()) >= LEAST_LEAKS)


def _evidence(name: str, values: pd.Series, halves: _Halves) -> dict[str, object]:
    row: dict[str, object] = {"attribute": name}
    if not halves.is_enough:
        return (
            row
            | dict.fromkeys(("both_z", "earlier_effect", "later_effect", "later_z"), np.nan)
            | {"verdict": "too_few_leaks"}
        )
    both_z = _both_z(_bins(values, 100), halves)
    effects, later_z, effect_z = _later_z(_bins(values, 10), halves)
    is_later = later_z > ALARM and effect_z > ALARM
    verdict = "knows_leaks" if both_z < -ALARM else "later_only" if is_later else "no_sign"
    return row | {
        "both_z": both_z,
        "earlier_effect": effects[0],
        "later_effect": effects[1],
        "later_z": later_z,
        "verdict": verdict,
    }


def _both_z(codes: Codes, halves: _Halves) -> float:
    """Return the covariance of earlier and later leaks given the attribute, in standard errors."""
    expected = halves.earlier_expected + halves.later_expected
    size = np.searchsorted(np.quantile(expected, _EXPOSURE_QUANTILES), expected)
    cell = _codes(codes * (len(_EXPOSURE_QUANTILES) + 1) + size)
    earlier = halves.earlier - halves.earlier_expected * _rates(halves.earlier, halves.earlier_expected, cell)
    later = halves.later - halves.later_expected * _rates(halves.later, halves.later_expected, cell)
    parts = _by_part(earlier * later)
    return _in_errors(float(parts.sum()), parts.sum() - parts)


def _later_z(codes: Codes, halves: _Halves) -> tuple[tuple[float, float], float, float]:
    """Return the effect on earlier and on later leaks, and how far the later exceeds twice the earlier, and zero.

    The effect is learned from the later leaks of every other segment, so that it is not praised by its own leaks; 1
    means as strong as learned.
    """
    learns = np.arange(len(codes)) % 2 == 0
    learned = np.where(learns, _learned(codes, halves, ~learns), _learned(codes, halves, learns))
    excess = (halves.earlier - halves.earlier_expected, halves.later - halves.later_expected)
    found = [_by_part(learned * values) for values in excess]
    scale = [_by_part(learned**2 * values) for values in (halves.earlier_expected, halves.later_expected)]
    if min(part.sum() for part in scale) <= 0:
        return (0.0, 0.0), 0.0, 0.0
    earlier, later = (float(top.sum() / bottom.sum()) for top, bottom in zip(found, scale, strict=True))
    less = [(top.sum() - top) / (bottom.sum() - bottom) for top, bottom in zip(found, scale, strict=True)]
    return (earlier, later), _in_errors(later - 2 * earlier, less[1] - 2 * less[0]), _in_errors(later, less[1])


def _learned(codes: Codes, halves: _Halves, rows: Flags) -> Floats:
    """Return the excess of later leaks that the given rows teach of each code, drawn towards none by one leak."""
    count = int(codes.max(initial=0)) + 1
    found = np.bincount(codes[rows], weights=halves.later[rows], minlength=count)
    expected = np.bincount(codes[rows], weights=halves.later_expected[rows], minlength=count)
    excess: Floats = ((found + 1.0) / (expected + 1.0) - 1.0)[codes]
    return excess


def _by_part(values: Floats) -> Floats:
    """Sum up by twentieths; two neighbours stay together, because one of them learned from the other's kind."""
    part = np.arange(len(values)) // 2 % _PARTS
    return np.bincount(part, weights=values, minlength=_PARTS).astype("float64")


def _in_errors(value: float, without: Floats) -> float:
    """Return a value over its standard error by the grouped jackknife; 0 where it does not scatter."""
    error = float(np.sqrt((_PARTS - 1) / _PARTS * np.sum((without - without.mean()) ** 2)))
    return value / error if error > 0 else 0.0


def _bins(values: pd.Series, most: int) -> Codes:
    """Return the class of each value: itself for words, a quantile band for numbers, one more for missing ones."""
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return _codes(values.to_numpy(dtype=object))
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    if np.isnan(numbers).all():
        return np.zeros(len(numbers), dtype=np.int64)
    # quantiles of the distinct values as well: counts are mostly zero
    known = numbers[~np.isnan(numbers)]
    shares = np.linspace(0, 1, most + 1)
    edges = np.unique([np.quantile(kind, shares, method="lower") for kind in (known, np.unique(known))])
    # missing numbers are sorted to the end: a class of their own
    return np.searchsorted(edges, numbers, side="right").astype(np.int64)


def _cohorts(segments: pd.DataFrame) -> Codes:
    columns: Sequence[pd.Series] = [
        segments["material"] if "material" in segments else pd.Series("unknown", segments.index),
        segments["installed_year_min"] // 10 if "installed_year_min" in segments else pd.Series(0, segments.index),
    ]
    return _codes(pd.MultiIndex.from_arrays(columns).to_numpy())


def _codes(values: NDArray[np.generic]) -> Codes:
    return pd.factorize(values, use_na_sentinel=False)[0].astype(np.int64)


def _rates(leaks: Floats, expected: Floats, group: Codes) -> Floats:
    """Return leaks over expected (or over kilometre-years) of the group of each row."""
    below = np.bincount(group, weights=expected)
    rates: Floats = (np.bincount(group, weights=leaks) / np.where(below > 0, below, 1.0))[group]
    return rates


def _halfway(panel: Panel) -> int:
    """Return the first year by whose beginning half of the leaks had come; there is a year before and one after."""
    total = np.cumsum(panel.leaks.sum(axis=0))
    place = int(np.searchsorted(total, total[-1] / 2.0)) + 1
    return panel.years.start + min(max(place, 1), len(panel.years) - 1)
