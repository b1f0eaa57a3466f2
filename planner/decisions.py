"""Which decision of a meeting stands for each pair of segment and project."""

from __future__ import annotations

from typing import Final

import pandas as pd

from planner.successors import last_segments
from registry.fields import check_frame, columns_of

_KEY: Final = ["segment_id", "project_id"]


def standing_decisions(decisions: pd.DataFrame, pairs: pd.DataFrame, successions: pd.DataFrame) -> pd.DataFrame:
    """Return the latest decision about each pair: about the segment in the project, or about the whole project.

    A decision about a segment that was split, merged or renumbered since holds for all that continue it; it does not
    pass to the pipe that replaced it. On one day, one about the segment goes before one about the project, then the
    later id.

    Returns
    -------
    The frame `pair_decisions`, in the order of `pairs`, only pairs about which something was decided.
    """
    check_frame(decisions, "decisions")
    check_frame(pairs, "pairs", _KEY)
    told = decisions.reset_index()
    is_whole = told["segment_id"].isna()
    named = told[~is_whole].rename(columns={"segment_id": "first_id"})
    today = pd.Index(pairs["segment_id"].unique())
    lost = last_segments(pd.Index(named["first_id"].unique()).difference(today), successions, today)
    kept = pd.DataFrame({"first_id": today, "segment_id": today}, dtype="str")
    about_segments = named.merge(pd.concat([kept, lost]), on="first_id").merge(pairs[_KEY], on=_KEY)
    about_projects = told[is_whole].drop(columns="segment_id").merge(pairs[_KEY], on="project_id")
    found = pd.concat([about_segments.assign(is_whole=False), about_projects.assign(is_whole=True)])
    order = found.sort_values(["decided_on", "is_whole", "decision_id"], ascending=[True, False, True], kind="stable")
    latest = order.drop_duplicates(_KEY, keep="last")
    return pairs[_KEY].merge(latest, on=_KEY)[columns_of("pair_decisions")]
