"""How well a forecast found the leaks that came: by length, by number, and in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from planner.factors import Flags, Floats

# a segment has leaked before where at least half a leak is expected to have been its own
LEAST_OWN_LEAKS: Final = 0.5
# below this a sum of parts is rounding
NO_PAIR: Final = 1e-9


def capture(rate: Floats, length_km: Floats, leaks: Floats, shares: Sequence[float]) -> Floats:
    """Return the share of the leaks on the worst part of the length, for each share of length, ranked by rate.

    The last segment counts pro rata, as if its leaks lay evenly along it. Segments of equal rate are a tie: what is
    left of the length falls on them alike, metre by metre. That is the mean over a random order of their metres, and
    for segments of equal length that over a random order of the segments. So a constant rate captures exactly the
    share, and cutting a segment in two changes nothing.

    Misleads over one window: on 80 leaks the capture at 10 % scatters by 0.05. NaN where there was no leak.

    Parameters
    ----------
    rate
        Leaks per kilometre and year, or anything that rises with it; never a number of leaks, by which a long
        segment wins for being long.
    length_km
        Length of each segment, above zero.
    leaks
        Leaks that came, as expected numbers where their segment is in doubt.
    shares
        Shares of the whole length, between 0 and 1.
    """
    lengths, found = lift_steps(rate, length_km, leaks)
    captured: Floats = np.interp(np.asarray(shares, dtype="float64"), lengths, found)
    return captured


def lift_steps(rate: Floats, length_km: Floats, leaks: Floats) -> tuple[Floats, Floats]:
    """Return the corners of the lift curve: share of the length, worst first, and share of the leaks found on it."""
    if len(rate) == 0 or leaks.sum() <= 0:
        return np.array([0.0, 1.0]), np.array([np.nan, np.nan])
    order = np.argsort(-rate, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(rate[order]) != 0]))
    lengths = np.concatenate([[0.0], np.cumsum(np.add.reduceat(length_km[order], starts))])
    found = np.concatenate([[0.0], np.cumsum(np.add.reduceat(leaks[order], starts))])
    return lengths / lengths[-1], found / found[-1]


def ceiling(length_km: Floats, leaks: Floats, shares: Sequence[float]) -> Floats:
    """Return the capture that a ranking by the leaks themselves reaches: no ranking can do better."""
    return capture(leaks / length_km, length_km, leaks, shares)


def never_leaked(past_leaks: Floats) -> Flags:
    """Return which segments (rows) had no leak in the years of a past (columns).

    A leak whose segment is in doubt counts where it is more likely than not; doubts about several leaks add up.
    """
    never: Flags = past_leaks.sum(axis=1) < LEAST_OWN_LEAKS
    return never


def calibration(predicted: Floats, leaks: Floats) -> float:
    """Return predicted over observed leaks: above 1 says too many. NaN where there was no leak."""
    observed = float(leaks.sum())
    return float(predicted.sum()) / observed if observed > 0 else float("nan")


def calibration_by(predicted: Floats, leaks: Floats, groups: pd.Series) -> pd.DataFrame:
    """Return segments, leaks and predicted leaks of each group, by its name; no name is the group `unknown`."""
    code, names = pd.factorize(groups.astype("object").where(groups.notna(), "unknown"), sort=True)
    columns = {
        "segment_count": np.bincount(code, minlength=len(names)),
        "leaks": np.bincount(code, weights=leaks, minlength=len(names)),
        "predicted_leaks": np.bincount(code, weights=predicted, minlength=len(names)),
    }
    return pd.DataFrame(columns, index=pd.Index(names, name=groups.name))


def poisson_deviance(predicted: Floats, leaks: Floats) -> float:
    """Return the Poisson deviance summed over segments: 0 is perfect, the less the better.

    Infinite where a leak came on a segment of which none was expected. Compare it between models over the same
    segments only.

    References
    ----------
    McCullagh, Nelder: Generalized Linear Models, 2nd edition, 1989, 2.3.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = np.where(leaks > 0, leaks * np.log(leaks / predicted), 0.0)
    return float(2.0 * np.sum(surprise - (leaks - predicted)))


def secondary_auc(rate: Floats, leaks: Floats) -> float:
    """Return the probability that a segment with a leak ranks above one without; ties count half.

    Secondary: it counts segments and not length, and is high for any ranking that finds the many sound new pipes.
    A segment of which a part of a leak is expected counts by that part on both sides. NaN where all or none leaked.
    """
    leaked = np.clip(leaks, 0.0, 1.0)
    sound = 1.0 - leaked
    # where a segment stands on both sides in part, it is no pair with itself
    itself = float(np.sum(leaked * sound))
    pairs = float(leaked.sum() * sound.sum()) - itself
    if pairs <= NO_PAIR:
        return float("nan")
    _, place = np.unique(rate, return_inverse=True)
    leaked_at, sound_at = np.bincount(place, weights=leaked), np.bincount(place, weights=sound)
    below = np.cumsum(sound_at) - sound_at
    return (float(np.sum(leaked_at * (below + 0.5 * sound_at))) - 0.5 * itself) / pairs
