"""Which segments go before others: the order of works that a scenario asks for, by segment, street or compound."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd

from planner.conditions import NONE
from planner.factors import text_column
from planner.members import Rows
from registry.fields import columns_of

# columns of a segment by which it may be named besides its id
_NAMES: Final = ("street_name", "compound_id")


def no_order() -> pd.DataFrame:
    """Return the frame `plan_order` without a row."""
    return pd.DataFrame({name: pd.Series([], dtype="str") for name in columns_of("plan_order")})


def segments_named(segments: pd.DataFrame, name: str) -> pd.Index:
    """Return the ids of the segments that a name stands for: one by its id, or all of a street or compound."""
    if name in segments.index:
        return pd.Index([name], dtype="str", name="segment_id")
    found = np.zeros(len(segments), dtype=bool)
    for column in _NAMES:
        if column in segments:
            found |= (text_column(segments, column) == name).fillna(value=False).to_numpy(dtype=bool)
    return segments.index[found].astype("str").rename("segment_id")


def find_order(segments: pd.DataFrame, rules: Iterable[tuple[Iterable[str], Iterable[str]]]) -> pd.DataFrame:
    """Return each pair of segments of which the second is renewed only where the first is, in the same year or before.

    `rules` are pairs of names that go first and names that come then. A segment never waits for itself.

    Returns
    -------
    The frame `plan_order`, sorted, without repeats.
    """
    parts = [no_order()]
    for first, then in rules:
        ids = [
            pd.Series(np.unique(np.concatenate([segments_named(segments, name) for name in names])), dtype="str")
            for names in (first, then)
        ]
        parts.append(ids[0].to_frame("first_id").merge(ids[1].to_frame("then_id"), how="cross"))
    pairs = pd.concat(parts)
    pairs = pairs[pairs["first_id"] != pairs["then_id"]].drop_duplicates().sort_values(["then_id", "first_id"])
    return pairs.reset_index(drop=True)[columns_of("plan_order")]


def order_of_items(order: pd.DataFrame, segment_ids: pd.Index, item_of_segment: Rows) -> tuple[Rows, Rows]:
    """Return the items that wait, and beside each the item that it follows.

    A segment that need not be renewed, and so is no candidate, keeps nobody waiting.
    """
    of_rows = np.append(item_of_segment, NONE)
    then, first = (of_rows[segment_ids.get_indexer(pd.Index(order[name]))] for name in ("then_id", "first_id"))
    pairs = np.unique(np.column_stack([then, first])[(then != NONE) & (first != NONE) & (then != first)], axis=0)
    return pairs[:, 0].copy(), pairs[:, 1].copy()
