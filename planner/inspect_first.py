"""Inspect first: where knowing an attribute is worth most for the decision to renew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Flags, Floats
from planner.gap_defaults import Cohorts, attribute_cohorts
from planner.ground import Ground
from planner.incidents import incidents_per_leak
from planner.policy import Policy
from planner.policy_models import Weights
from planner.table_rates import AttributeFactor, attribute_factors, is_surface_known
from registry.fields import check_frame, columns_of

_ROUNDING: Final = 1e-9
_TOLD: Final = {
    "expected_risk_per_km_year": "mean",
    "least_risk_per_km_year": "least",
    "most_risk_per_km_year": "most",
    "change_probability": "change",
}


@dataclass(frozen=True)
class _Worth:
    """What knowing one attribute is worth by segment, and how the risk scatters over its values."""

    gain: Floats
    mean: Floats
    least: Floats
    most: Floats
    change: Floats


def inspect_first(
    segments: pd.DataFrame, scores: pd.DataFrame, policy: Policy, count: int = 100, ground: Ground | None = None
) -> pd.DataFrame:
    """List the segments with gaps whose inspection is worth most, the best first: the frame `inspect_first`.

    The unknown attribute is given each of the values of its cohort, as likely as their share of the length. A segment
    is renewed where its risk per kilometre and year reaches the limit: the least risk of the grade from which the
    policy takes segments. Renewing costs the limit and gains the risk, so knowing the value gains

        E[max(risk - limit, 0)] - max(E[risk] - limit, 0)

    times the length: the expected value of perfect information. It is 0 where every value leads to one decision.

    Misleads where two gaps of a segment hang together: each attribute is looked at by itself. What the record added to
    the rate is kept for every value, which lets the risk scatter a little too far where the record is long. Attributes
    of which the cohort knows nothing are left out, as nothing is known of their spread; so are install years, which an
    inspection seldom tells.

    Parameters
    ----------
    scores
        The scores of the segments.
    count
        The length of the list, at most.
    ground
        As for the scores, where it was told.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    """
    check_frame(segments, "segments", ["medium", "length_m"])
    check_frame(scores, "scores")
    scores = scores.reindex(segments.index)
    risk = scores["risk_per_km_year"].to_numpy(dtype="float64")
    limits = _limits(segments["medium"], policy)
    cohorts = attribute_cohorts(segments)
    worths = {
        name: _worth(found, cohorts, policy.weights, risk, limits)
        for name, found in attribute_factors(segments, policy.weights, ground).items()
    }
    gains = np.array([worth.gain for worth in worths.values()])
    best, every = gains.argmax(axis=0), np.arange(len(segments))
    value = gains[best, every] * segments["length_m"].to_numpy(dtype="float64") / 1000.0
    names = np.array(list(worths), dtype=object)[best]
    names[(names == "road_class") & ~is_surface_known(segments)] = "surface"
    chosen = _greatest(value, segments.index, count)

    columns = {
        column: np.array([getattr(worth, name) for worth in worths.values()])[best, every][chosen]
        for column, name in _TOLD.items()
    }
    columns |= {"value_per_year": value[chosen], "risk_per_km_year": risk[chosen]}
    listed = pd.DataFrame({"segment_id": segments.index[chosen].astype("str"), **columns})
    listed["rank"] = pd.array(np.arange(1, len(chosen) + 1), dtype="Int64")
    listed["attribute"] = pd.array(names[chosen], dtype="str")
    listed["gaps"] = scores["gaps"].array[chosen]
    return listed[columns_of("inspect_first")]


def _greatest(value: Floats, ids: pd.Index, count: int) -> NDArray[np.int64]:
    """Return the rows of the greatest values above 0; equal ones by their ids, so that the order of rows is nothing."""
    order = np.lexsort((ids.to_numpy(dtype=object), -value))
    return order[value[order] > 0][:count].astype(np.int64)


def _limits(medium: pd.Series, policy: Policy) -> Floats:
    """Return the risk per kilometre and year from which the policy renews each segment, the least of its grade."""
    grade = policy.candidates.minimum_grade or "severe"
    incidents = {
        limit.medium: limit.minimum_incidents_per_km_year for limit in policy.weights.grades if limit.grade == grade
    }
    least = medium.map(incidents).fillna(incidents[None]).to_numpy(dtype="float64")
    return least / incidents_per_leak(medium, policy)


def _worth(found: AttributeFactor, cohorts: Cohorts, weights: Weights, risk: Floats, limits: Floats) -> _Worth:
    """Give the attribute each value of the cohort and see what that does to the decision.

    There are few distinct factors, so the loop is over these.
    """
    is_known: Flags = found.applies & ~found.is_gap
    mean = cohorts.mean(found.factor, is_known)
    is_open = found.is_gap & ~np.isnan(mean)
    worth = _Worth(*(np.zeros(len(risk)) for _ in range(5)))
    rows = np.flatnonzero(is_open)
    if not len(rows):
        return worth
    # the risk as it would be with a factor of 1: without the mean and the penalty that the score has in it
    limit = limits[rows]
    plain = risk[rows] / (mean[rows] * weights.likelihood.gap_penalty.value)
    expected, least, most = np.zeros(len(rows)), np.full(len(rows), np.inf), np.zeros(len(rows))
    above, surplus = np.zeros(len(rows)), np.zeros(len(rows))
    for factor in np.unique(found.factor[is_known]):
        share = cohorts.mean((found.factor == factor).astype("float64"), is_known)[rows]
        at = plain * factor
        expected += share * at
        surplus += share * np.maximum(at - limit, 0.0)
        above += share * (at >= limit)
        least = np.where(share > 0, np.minimum(least, at), least)
        most = np.where(share > 0, np.maximum(most, at), most)
    change = np.where(expected >= limit, 1.0 - above, above)
    change[change < _ROUNDING] = 0.0
    # without another decision the difference of the two sums is rounding only
    gain = np.maximum(surplus - np.maximum(expected - limit, 0.0), 0.0)
    worth.gain[rows] = np.where(change > 0, gain, 0.0)
    worth.mean[rows], worth.least[rows], worth.most[rows] = expected, least, most
    worth.change[rows] = np.minimum(change, 1.0)
    return worth
