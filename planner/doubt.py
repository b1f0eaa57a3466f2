"""Which leaks need a person: those whose likeliest segment is not likely enough."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.factors import Flags, Floats, text_column
from planner.policy import Policy
from registry.errors import PlanningError
from registry.fields import check_frame


def doubtful_leaks(leak_links: pd.DataFrame, leaks: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """List the leaks whose likeliest segment stays below the threshold of the policy.

    The reason is the first of these that holds: the crew named a segment that time or the registry rules out; nothing
    within reach can have leaked; what belongs to no segment outweighs the likeliest one; the two likeliest together
    reach the threshold; else several share the leak.

    Returns
    -------
    The frame `doubtful_leaks`, in the order of leaks.

    Raises
    ------
    PlanningError
        If a link names a leak that is not in `leaks`.
    """
    check_frame(leak_links, "leak_links", ["leak_id", "segment_id", "probability"])
    row = leaks.index.get_indexer(pd.Index(leak_links["leak_id"]))
    if (row < 0).any():
        unknown = leak_links["leak_id"].to_numpy()[row < 0]
        raise PlanningError("plan_links_without_leaks", count=len(unknown), example=str(unknown[0]))
    ranked = leak_links.assign(row=row).sort_values(
        ["row", "probability", "segment_id"], ascending=[True, False, True], kind="stable"
    )
    rank = ranked.groupby("row").cumcount()
    best, second = (ranked[rank == place].set_index("row").reindex(range(len(leaks))) for place in (0, 1))
    total = np.bincount(row, weights=leak_links["probability"].to_numpy(dtype="float64"), minlength=len(leaks))
    first, next_best = (part["probability"].fillna(0.0).to_numpy(dtype="float64") for part in (best, second))
    limit = policy.links.review_below.value
    is_doubtful = first < limit
    is_named = text_column(leaks, "segment_id").notna().to_numpy(dtype=bool)
    columns = {
        "segment_id": best["segment_id"].astype("str"),
        "probability": best["probability"],
        "second_segment_id": second["segment_id"].astype("str"),
        "second_probability": second["probability"],
        "reason": pd.Series(_reasons(is_named, first, next_best, total.astype("float64"), limit), dtype="str"),
    }
    return pd.DataFrame(columns).set_index(leaks.index)[is_doubtful]


def _reasons(is_named: Flags, best: Floats, second: Floats, total: Floats, limit: float) -> list[str]:
    """Return the code of the first reason that holds for each leak."""
    is_unlinked = best == 0.0
    codes = np.select(
        [is_unlinked & is_named, is_unlinked, 1.0 - total > best, best + second >= limit],
        ["named_not_possible", "nothing_near", "likely_not_held", "two_alike"],
        "many_alike",
    )
    return [str(code) for code in codes]
