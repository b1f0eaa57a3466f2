"""What leaks to expect in years to come: if nothing is renewed, and if a plan is carried out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import nbinom

from planner.age_course import age_course
from planner.ages import decimal_year
from planner.factors import Flags, Floats, number_column
from planner.forecast.default import ln_course
from planner.policy import Policy
from planner.table_rates import steady_rates
from registry.errors import PlanningError
from registry.fields import check_frame

METRES_PER_KM: Final = 1000.0
# what is laid today; the rest of the pipe stays as it was
NEW_PIPE: Final = {"material": "pe100", "joint": "fusion", "coating": "not_applicable"}
# an interval that holds eight of ten
ENDS: Final = (0.1, 0.9)
# segments whose draws are held at once; part of the seed, so that it may not be changed without changing results
_BLOCK: Final = 4096


@dataclass(frozen=True)
class Outlook:
    """Expected leaks of each segment (rows, in the order of ids) in each year (columns), and how sure they are.

    Parameters
    ----------
    leaks, planned_leaks
        Expected leaks without third-party damage if nothing is renewed, and if the plan is carried out. Both are the
        same array where there is no plan; the second is nowhere above the first.
    third_party_leaks
        Expected leaks of a year by third-party damage, which renewal does not remove; NaN where none is on record.
    shape
        Shape of the gamma distribution of the own rate of each segment about its expectation.
    renewed_from
        Year of renewal; infinite where the plan leaves the segment as it is.
    """

    segment_ids: pd.Index
    medium: pd.Series
    years: range
    leaks: Floats
    planned_leaks: Floats
    third_party_leaks: Floats
    shape: Floats
    renewed_from: Floats

    @property
    def renewed(self) -> Flags:
        """Which segments are renewed within the years."""
        flags: Flags = self.renewed_from < self.years.stop
        return flags

    @property
    def has_plan(self) -> bool:
        """Whether any segment is renewed."""
        return bool(self.renewed.any())


def leak_outlook(
    segments: pd.DataFrame,
    scores: pd.DataFrame,
    policy: Policy,
    years: range,
    as_of: date,
    renewed_year: pd.Series | None = None,
) -> Outlook:
    """Return the expected leaks of every segment in every year, with and without the renewals of a plan.

    The rate of the score goes on with the age of the pipe in the middle of each year; no other factor changes, and no
    new leak is learned from. A renewed segment has, from the first day of its year on, the table rate of a new
    PE100 pipe of the same diameter, pressure, cover and surface, at the level that the record gives its medium, or its
    own rate where that is lower. The shape is that of the last step of the score: own strength + leaks on record.

    Misleads where many pipes are renewed for other reasons, or where the record changes its habits; and on a single
    segment, where the expectation is a small part of one leak.

    Parameters
    ----------
    scores
        The frame `scores` of these segments as of the day.
    renewed_year
        Year of renewal by segment; missing or absent where it is not renewed.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    PlanningError
        If segments have no score.
    """
    check_frame(segments, "segments", ["medium", "length_m"])
    check_frame(scores, "scores", ["likelihood_per_km_year", "age_years", "leak_count", "third_party_per_km_year"])
    missing = segments.index.difference(scores.index)
    if len(missing):
        raise PlanningError("plan_scores_absent", count=len(missing), example=str(missing[0]))
    # draws belong to ids: the order of rows must not matter
    segments = segments.iloc[np.argsort(segments.index.to_numpy(dtype=object), kind="stable")]
    scores = scores.loc[segments.index]
    rate = _aged(segments, scores, policy, years, as_of)
    from_year = np.full(len(segments), np.inf)
    if renewed_year is not None:
        from_year = renewed_year.reindex(segments.index).to_numpy(dtype="float64", na_value=np.inf)
    planned = _planned(segments, scores, policy, years, from_year, rate)
    kilometres = segments["length_m"].to_numpy(dtype="float64") / METRES_PER_KM
    leaks = rate * kilometres[:, None]
    return Outlook(
        segment_ids=segments.index.rename("segment_id"),
        medium=segments["medium"],
        years=years,
        leaks=leaks,
        planned_leaks=leaks if planned is rate else planned * kilometres[:, None],
        third_party_leaks=number_column(scores, "third_party_per_km_year") * kilometres,
        shape=policy.weights.likelihood.history.strengths.own.value + scores["leak_count"].to_numpy(dtype="float64"),
        renewed_from=from_year,
    )


def posterior_draws(shape: Floats, draws: int, seed: int) -> Floats:
    """Draw what each segment is worse or better than its expectation: segments x draws, of mean 1.

    A gamma factor of the shape of each segment, the same in all years and scenarios: multiply the expected leaks of
    any scenario by it (common random numbers). Equal seeds and shapes in equal order give equal draws.
    """
    return np.concatenate([*_blocks(shape, draws, seed), np.empty((0, draws))])


def leak_interval(leaks: Floats, shape: Floats) -> tuple[Floats, Floats]:
    """Return low and high of the number of leaks (10 and 90 %): negative binomial, widened to hold the expectation.

    A Poisson count about a gamma rate. Where less than a tenth of a leak is expected the 90 % point is 0: the whole
    number above the expectation stands for it then, so that the interval always holds what is expected.
    """
    spread = np.broadcast_to(shape[:, None], leaks.shape)
    chance = spread / (spread + leaks)
    none = chance**spread
    low, high = np.zeros(leaks.shape), np.zeros(leaks.shape)
    for ends, share in ((low, ENDS[0]), (high, ENDS[1])):
        # exact where it is 0, which is nearly everywhere, and slow elsewhere
        rows = none < share
        ends[rows] = nbinom.ppf(share, spread[rows], chance[rows])
    return np.minimum(low, np.floor(leaks)), np.maximum(high, np.ceil(leaks))


def network_draws(
    outlook: Outlook, group: NDArray[np.int64], draws: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw the leaks of groups of segments: groups x years x draws, if nothing is renewed and if the plan is done.

    `group` is the group of each segment as a code from 0; -1 is in none. Given the factors of the segments their leaks
    are Poisson, and so is the sum. What the plan avoids is drawn apart and added, so that no draw of the plan lies
    above that of doing nothing. Memory: the factors of a block of segments.
    """
    count = int(group.max(initial=-1)) + 1
    nothing = np.zeros((count, len(outlook.years), draws))
    avoided = np.zeros(nothing.shape)
    place = 0
    for factors in _blocks(outlook.shape, draws, seed):
        block = slice(place, place + len(factors))
        place += len(factors)
        saved = outlook.leaks[block] - outlook.planned_leaks[block]
        renewed = saved.any(axis=1)
        for code in range(count):
            rows = group[block] == code
            nothing[code] += outlook.leaks[block][rows].T @ factors[rows]
            rows &= renewed
            avoided[code] += saved[rows].T @ factors[rows]
    # other than the seeds of the blocks, which have two numbers
    rng = np.random.default_rng(seed)
    gone = rng.poisson(avoided)
    kept = rng.poisson(np.maximum(nothing - avoided, 0.0))
    return kept + gone, kept


def _blocks(shape: Floats, draws: int, seed: int) -> Iterator[Floats]:
    for number, start in enumerate(range(0, len(shape), _BLOCK)):
        part = shape[start : start + _BLOCK, None]
        yield np.random.default_rng([seed, number]).gamma(part, 1.0 / part, (len(part), draws))


def _aged(segments: pd.DataFrame, scores: pd.DataFrame, policy: Policy, years: range, as_of: date) -> Floats:
    """Return the rate of the score at the age of each year."""
    course = age_course(segments, policy.weights.likelihood)
    age = number_column(scores, "age_years")
    ahead = np.arange(years.start, years.stop) + 0.5 - decimal_year(as_of)
    now = ln_course(course, age[:, None])
    then = ln_course(course, np.maximum(age[:, None] + ahead[None, :], 0.0))
    rate: Floats = scores["likelihood_per_km_year"].to_numpy(dtype="float64")[:, None] * np.exp(then - now)
    return rate


def _planned(
    segments: pd.DataFrame, scores: pd.DataFrame, policy: Policy, years: range, from_year: Floats, rate: Floats
) -> Floats:
    """Return the rates of a plan: those of new pipes from the year of renewal on, nowhere above the old ones."""
    renewed = from_year < years.stop
    if not renewed.any():
        return rate
    new = _new_rates(segments[renewed], scores[renewed], policy, years, from_year[renewed])
    is_new = np.arange(years.start, years.stop)[None, :] >= from_year[renewed][:, None]
    planned = rate.copy()
    planned[renewed] = np.where(is_new, np.minimum(new, rate[renewed]), rate[renewed])
    return planned


def _new_rates(segments: pd.DataFrame, scores: pd.DataFrame, policy: Policy, years: range, from_year: Floats) -> Floats:
    """Return the rate of a new pipe in place of each segment, at its age in each year."""
    laid = pd.array(from_year.astype(np.int64), dtype="Int64")
    new = segments.assign(**NEW_PIPE, installed_year_min=laid, installed_year_max=laid)
    age = np.maximum(np.arange(years.start, years.stop)[None, :] + 0.5 - from_year[:, None], 0.0)
    level = number_column(scores, "ln_likelihood_level")
    ln_rate = np.log(steady_rates(new, policy.weights)) + np.nan_to_num(level)
    rate: Floats = np.exp(ln_rate[:, None] + ln_course(age_course(new, policy.weights.likelihood), age))
    return rate
