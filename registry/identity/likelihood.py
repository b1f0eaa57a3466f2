"""How likely a pair is one pipe: prior, id, course and attributes as one sum of log-odds."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import expit, ndtri

from registry.identity.candidates import Pairs
from registry.identity.census import Floats
from registry.identity.settings import IdentitySettings

# the median of the absolute value of a normal error of scatter 1
_MEDIAN_ERROR: Final = float(ndtri(0.75))


def scatter_between(pairs: Pairs, settings: IdentitySettings, alike: int = 0) -> float:
    """Return how much two surveys of one pipe scatter across its course, in metres, told by pipes that kept their id.

    With too few of them it is the `scatter_m` of the settings. Misleads where one side was copied and not surveyed,
    which is why `course_log_odds` does not trust it alone. `alike` pairs that were left out do not differ at all.
    """
    offset = np.concatenate([pairs.offset_m[pairs.is_close], np.zeros(alike)])
    if len(offset) < settings.scatter_least_pairs:
        return settings.scatter_m
    return max(float(np.median(offset)) / _MEDIAN_ERROR, settings.scatter_least_m)


def course_log_odds(offset_m: Floats, scatter_m: float, settings: IdentitySettings) -> Floats:
    """Weigh a normal error of survey against a foreign pipe that lies anywhere within `within_m`.

    The error is an even mixture of the scatter between these two censuses and of that of the settings, so that one
    pipe surveyed anew among thousands of copied ones is not lost.
    """
    density = np.zeros(len(offset_m))
    for scatter in (scatter_m, settings.scatter_m):
        density += 0.5 * np.sqrt(2.0 / np.pi) / scatter * np.exp(-0.5 * (offset_m / scatter) ** 2)
    floor = 1e-12
    odds: Floats = np.log(np.maximum(density, floor) * settings.within_m)
    return odds


def pair_log_odds(pairs: Pairs, scatter_m: float, settings: IdentitySettings) -> Floats:
    """Return the log-odds that a pair is one pipe, or that one of it is a piece of the other.

    A pair that has nothing but its id in common loses with the logarithm of its distance.
    """
    least = settings.whole_share
    lies_on = (pairs.share_of_delivered >= least) | (pairs.share_of_known >= least)
    far = -settings.distance_decay * np.log(np.maximum(pairs.offset_m / settings.within_m, 1.0))
    course = np.where(lies_on, course_log_odds(pairs.offset_m, scatter_m, settings), far)
    total: Floats = (
        settings.prior_log_odds + settings.same_id_log_odds * pairs.has_id + course + pairs.attribute_log_odds
    )
    return total


def probability(log_odds: Floats, rivals: Floats | float = 0.0) -> Floats:
    """Return the probability of a pair from its own log-odds and the weight of the rival explanations."""
    own = expit(log_odds)
    result: Floats = own / (1.0 + own * rivals)
    return result
