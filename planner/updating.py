"""What the leak record teaches: table rates moved step by step from the whole city down to the single segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.factors import Floats

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Strengths:
    """How many leaks each step is trusted to know beforehand: the shape of its gamma prior.

    The larger, the more leaks it takes to move a rate; zero would trust the record alone.
    """

    level: float
    cohort: float
    vintage: float
    diameter: float
    street: float
    own: float


@dataclass(frozen=True)
class Groups:
    """The group of each segment in every step but the last, as codes from 0; -1 is in no group and is not moved."""

    level: Codes
    cohort: Codes
    vintage: Codes
    diameter: Codes
    street: Codes


def update_rates(observed: Floats, expected: Floats, groups: Groups, strengths: Strengths) -> dict[str, Floats]:
    """Return for each step the natural logarithm by which the record moves the rate of each segment.

    Every step is the posterior mean of a gamma-Poisson model whose prior has mean 1: (s + observed) / (s + expected)
    over its group, with `expected` as the steps before it left it. Steps: `level` (the medium), `cohort` (material),
    `vintage` (material and decade of installation), `diameter` (band), `street`, `history` (the segment itself).
    Without leaks on record and without exposure every step is 0.

    Misleads where leaks were looked for in parts of the network only: no survey reads like no leak, so `expected` must
    count only what was looked at.

    Parameters
    ----------
    observed
        Expected number of leaks of each segment on record, as locations are in doubt.
    expected
        Leaks that the table rates let expect of it over the time and length that were looked at.

    References
    ----------
    Gamma-Poisson empirical Bayes as in road safety and water main studies; steps in a row are ours.
    """
    moved = expected.astype("float64")
    parts: dict[str, Floats] = {}
    for name in ("level", "cohort", "vintage", "diameter", "street"):
        factor = _group_factors(observed, moved, getattr(groups, name), getattr(strengths, name))
        moved = moved * factor
        parts[name] = np.log(factor)
    parts["history"] = np.log((strengths.own + observed) / (strengths.own + moved))
    return parts


def _group_factors(observed: Floats, expected: Floats, group: Codes, strength: float) -> Floats:
    """Return the posterior mean of the group of each row, 1 for rows in no group."""
    # the last place is for rows in no group
    count = int(group.max(initial=-1)) + 2
    found = np.bincount(np.where(group < 0, count - 1, group), weights=observed, minlength=count)
    awaited = np.bincount(np.where(group < 0, count - 1, group), weights=expected, minlength=count)
    factor = (found + strength) / (awaited + strength)
    factor[-1] = 1.0
    chosen: Floats = factor[group]
    return chosen
