"""The Shapley value, exact, with every coalition shown."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import comb
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST_PARTIES: Final = 8
_AND: Final = " + "


def marginal_steps(parties: NDArray[np.object_], cost: Callable[[list[int]], float]) -> pd.DataFrame:
    """Return what each party adds to every coalition of the others, and the weight of that coalition.

    The Shapley value of a party is the sum of weight times marginal cost; the weight of a coalition S of s out of n
    parties is s! (n - s - 1)! / n!, the share of the orders in which exactly those of S come before it (Shapley 1953).

    Returns
    -------
    `party`, `coalition` (names joined; missing for the empty one), `quantity_cny` (marginal cost), `share` (weight).
    """
    count = len(parties)
    costs = {members: cost(list(members)) for size in range(count + 1) for members in combinations(range(count), size)}
    rows = [
        {
            "party": parties[party],
            "coalition": _AND.join(str(parties[member]) for member in members) or np.nan,
            "quantity_cny": costs[tuple(sorted((*members, party)))] - costs[members],
            "share": 1.0 / (count * comb(count - 1, len(members))),
        }
        for party in range(count)
        for members in costs
        if party not in members
    ]
    return pd.DataFrame(rows)
