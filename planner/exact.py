"""The exact finish of small planning problems, by HiGHS through scipy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, vstack

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Years = NDArray[np.int64]

_RELATIVE_GAP = 1e-3


def solve_rest(
    value: Floats, shares: Floats, may_be_chosen: Flags, may_be_left: Flags, node_limit: int
) -> tuple[Years | None, float]:
    """Maximise the value over the choices that remain; return the years and a proven bound.

    Each batch at most one choice, exactly one where it may not be left; each limit of each year at most 1. The number
    of nodes is limited, never the time, so that equal input gives an equal answer.

    Returns
    -------
    The years (None where none was found) and the upper bound over all plans within the remaining choices; the bound
    is minus infinity where there is no such plan.
    """
    group, year = np.nonzero(may_be_chosen)
    stuck = ~may_be_left & ~may_be_chosen.any(axis=1)
    if stuck.any():
        return None, -np.inf
    if not len(group):
        return np.full(len(value), -1, dtype=np.int64), 0.0
    column = np.arange(len(group))
    once = coo_array((np.ones(len(group)), (group, column)), shape=(len(value), len(group)))
    limits = [coo_array((share[group, year], (year, column)), shape=(value.shape[1], len(group))) for share in shares]
    rows = vstack([once, *limits]).tocsr()
    upper = np.ones(rows.shape[0])
    lower = np.concatenate([np.where(may_be_left, 0.0, 1.0), np.full(rows.shape[0] - len(value), -np.inf)])
    gains = value[group, year]
    scale = float(np.abs(gains).max()) or 1.0
    result = milp(
        -gains / scale,
        integrality=np.ones(len(group), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows, lower, upper),
        options={"mip_rel_gap": _RELATIVE_GAP, "node_limit": node_limit},
    )
    if result.status == 2:  # infeasible
        return None, -np.inf
    bound = -float(result.mip_dual_bound) * scale if result.mip_dual_bound is not None else np.inf
    if result.x is None:
        return None, bound
    chosen = result.x > 0.5
    years = np.full(len(value), -1, dtype=np.int64)
    years[group[chosen]] = year[chosen]
    return years, bound
