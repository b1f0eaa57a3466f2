"""Batches that edits of a plan by hand leave in parts that do not hang together."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from planner.plan_edit import Draft, Source
from planner.pool_graph import components

# the pipes of a compound are dug by one crew whether they touch each other or not
_MAY_LIE_APART: Final = "compound"


def torn_batches(before: Draft, after: Draft, source: Source) -> pd.Series:
    """Return in how many parts each batch lies that the edits made and that does not hang together.

    A batch that is as it was counts for nothing, and so does one that is left out, or that is a compound.

    Returns
    -------
    Integers named `part_count`, index `batch_id`, sorted; each at least 2.
    """
    batches = after.batches
    is_new = ~batches.index.isin(before.batches.index) & batches["year"].notna().to_numpy(dtype=bool)
    names = batches.index[is_new & (batches["kind"] != _MAY_LIE_APART).to_numpy(dtype=bool)]
    members = after.batch_segments["batch_id"]
    members = members[members.isin(names)]
    count = {
        str(name): len(np.unique(components(source.segments.loc[of_batch.index], source.policy)))
        for name, of_batch in members.groupby(members)
    }
    parts = pd.Series(count, dtype="int64", name="part_count").rename_axis("batch_id").sort_index()
    return parts[parts > 1]
