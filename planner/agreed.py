"""What decisions of a meeting mean for a plan: the years in which a batch may go, and what is not dug together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from planner.factors import Flags
from planner.members import Members
from registry.fields import check_frame

# whoever moves, renewal and project then share the site; where the project moves, its new dates are not known yet
_JOINING: Final = ("together", "ours_moves")
_APART: Final = "separate"
_KEY: Final = ["segment_id", "project_id"]


@dataclass(frozen=True)
class Agreed:
    """Pairs that a plan may still count on, the years open to each batch, and how many of each decisions touched."""

    pairs: pd.DataFrame
    is_open: Flags
    bound_batch_count: int
    apart_pair_count: int
    unmet_pair_count: int


def agree(
    decisions: pd.DataFrame | None, pairs: pd.DataFrame, segment_ids: pd.Index, members: Members, years: range
) -> Agreed:
    """Apply the standing decisions (`pair_decisions`) to the batches of a plan.

    - `together`, `ours_moves`: the batch of the segment goes only into years in which the project is on site. Several
      such decisions on one batch leave the years that suit most of them. A project that is on site in no planning
      year binds nothing and is counted as unmet.
    - `separate`: the pair shares no site, so it saves nothing.
    - `theirs_moves`: binds nothing until the project is delivered with its new dates.

    A decision says when, not whether: it places no batch ahead of mandatory work.

    Parameters
    ----------
    segment_ids, members
        The segments of the plan and the batches that they lie in.
    """
    count = members.batch_count
    if decisions is None or decisions.empty:
        return Agreed(pairs, np.ones((count, len(years)), dtype=bool), 0, 0, 0)
    check_frame(decisions, "pair_decisions", [*_KEY, "verdict"])
    verdict = pairs[_KEY].merge(decisions[[*_KEY, "verdict"]], on=_KEY, how="left")["verdict"].to_numpy(dtype=object)
    row = segment_ids.get_indexer(pd.Index(pairs["segment_id"]))
    is_apart = verdict == _APART
    joining = pairs[np.isin(verdict, _JOINING) & (row >= 0)]
    is_met = joining["meets_years"].to_numpy(dtype=bool)
    met = joining[is_met]
    pair, batch = members.batches_of(segment_ids.get_indexer(pd.Index(met["segment_id"])).astype(np.int64))
    met = met.iloc[pair]
    year = np.arange(years.start, years.stop)
    on_site = (year >= met["first_year"].to_numpy(dtype=np.int64)[:, None]) & (
        year <= met["last_year"].to_numpy(dtype=np.int64)[:, None]
    )
    votes = np.zeros((count, len(years)), dtype=np.int64)
    np.add.at(votes, batch, on_site.astype(np.int64))
    # where nothing was decided every year has the same number of votes, none
    is_open = votes == votes.max(axis=1, keepdims=True)
    return Agreed(
        pairs[~is_apart],
        is_open,
        bound_batch_count=len(np.unique(batch)),
        apart_pair_count=int((is_apart & (row >= 0)).sum()),
        unmet_pair_count=int((~is_met).sum()),
    )
