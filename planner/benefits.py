"""What the renewal of a segment is worth in each planning year: risk, repairs and methane avoided, each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.factors import Floats
from planner.forecast.outlook import Outlook
from planner.policy import Policy
from registry.errors import PlanningError

PARTS = ("risk", "repair_cny", "methane_t")


@dataclass(frozen=True)
class Worth:
    """How much of each part one unit of the objective is: the weights that a plan states.

    The default counts the risk alone. Parts have units of their own (risk: 1/year discounted; yuan; tonnes), so that a
    weight is an exchange rate: `methane_t = 0.5` says that a tonne of methane is worth half a unit of risk.
    """

    risk: float = 1.0
    repair_cny: float = 0.0
    methane_t: float = 0.0

    def check(self) -> None:
        """Raise where a weight is negative or not a number, or none is above zero.

        Raises
        ------
        PlanningError
            With the weights.
        """
        weights = [getattr(self, part) for part in PARTS]
        if not all(np.isfinite(weight) and weight >= 0 for weight in weights) or not any(weights):
            raise PlanningError("plan_weights_unusable", weights=", ".join(f"{weight:g}" for weight in weights))


def is_weighted(summary: Mapping[str, Any]) -> bool:
    """Tell whether the objective of a plan is more than the risk that it removes, by the summary of its run."""
    return Worth(**summary.get("worth", {})) != Worth()


@dataclass(frozen=True)
class Benefits:
    """What renewal in a year avoids from then to the horizon, discounted: segments x years by part."""

    parts: dict[str, Floats]

    def worth(self, worth: Worth) -> Floats:
        """Return the objective of each segment in each year."""
        total: Floats = np.sum([getattr(worth, part) * self.parts[part] for part in PARTS], axis=0)
        return total


def find_benefits(
    segments: pd.DataFrame,
    scores: pd.DataFrame,
    years: range,
    policy: Policy,
    outlook: Outlook | None = None,
    emissions: pd.DataFrame | None = None,
) -> Benefits:
    """Return what the renewal of each segment avoids, by the planning year in which it is done.

    Risk of a year is that of the score, as it grows with the age of the pipe where an outlook is given (constant
    otherwise), times the share that renewal removes. A renewal counts from its year to the end of the horizon, which
    starts with the first planning year, as the discounting does: each year of waiting costs what that year would have
    avoided, so that deferral has its price. Repairs are the leaks avoided times the price of one; methane is that of
    `emissions`, where given, and does not grow.

    Misleads where the horizon is longer than the census can tell: rates go on with age as they were.

    Parameters
    ----------
    segments, scores
        The candidate segments and their scores, in one order.
    outlook
        The outlook of these segments from the first planning year on; years beyond its end keep its last rate.
    emissions
        The frame `emissions`; segments that are not in it save nothing.

    Raises
    ------
    PlanningError
        If the outlook does not start with the first planning year or lacks segments.
    """
    horizon = max(round(policy.planning.horizon_years.value), len(years))
    discount = (1.0 + policy.planning.discount_share_per_year.value) ** -np.arange(horizon, dtype="float64")
    removed = policy.planning.removed_share.value
    leaks = _leaks(scores, years, horizon, outlook)
    now = leaks.now
    growth = np.divide(leaks.by_year, now[:, None], out=np.ones_like(leaks.by_year), where=now[:, None] > 0.0)
    risk = scores["risk_per_year"].to_numpy(dtype="float64")[:, None] * growth
    avoided = {
        "risk": risk * removed,
        "repair_cny": leaks.by_year * removed * _repair_cny(segments, policy)[:, None],
        "methane_t": np.repeat(_methane(scores, emissions)[:, None], horizon, axis=1),
    }
    # from each year on: what is avoided in it and in all later ones
    return Benefits({part: _from_year_on(values * discount)[:, : len(years)] for part, values in avoided.items()})


def _from_year_on(values: Floats) -> Floats:
    total: Floats = np.cumsum(values[:, ::-1], axis=1)[:, ::-1]
    return total


@dataclass(frozen=True)
class _Leaks:
    now: Floats
    by_year: Floats


def _leaks(scores: pd.DataFrame, years: range, horizon: int, outlook: Outlook | None) -> _Leaks:
    now = scores["likelihood_per_km_year"].to_numpy("float64") * scores["length_m"].to_numpy("float64") / 1000.0
    if outlook is None:
        return _Leaks(now, np.repeat(now[:, None], horizon, axis=1))
    row = outlook.segment_ids.get_indexer(scores.index)
    if (row < 0).any() or outlook.years.start != years.start:
        raise PlanningError("plan_outlook_unfit", first=years.start, outlook=outlook.years.start)
    told = outlook.leaks[row][:, :horizon]
    missing = horizon - told.shape[1]
    return _Leaks(now, np.concatenate([told, np.repeat(told[:, -1:], missing, axis=1)], axis=1))


def _repair_cny(segments: pd.DataFrame, policy: Policy) -> Floats:
    value = policy.prices.value
    if value is None:
        return np.zeros(len(segments))
    price = {entry.code: entry.value for entry in value.repair_cny_per_leak}
    found: Floats = np.asarray(segments["medium"].map(price).fillna(0.0), dtype="float64")
    return found


def _methane(scores: pd.DataFrame, emissions: pd.DataFrame | None) -> Floats:
    if emissions is None:
        return np.zeros(len(scores))
    saved = emissions["methane_saved_t_per_year"].reindex(scores.index)
    known: Floats = np.asarray(saved.fillna(0.0), dtype="float64")
    return known
