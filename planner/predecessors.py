"""Leaks of pipes that are gone: told for the pipe that lies there now, and kept apart from its own."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from registry.fields import check_frame, columns_of

_REPLACED: Final = "replace"
# a leak at the end of a pipe lies on its last part, also where the measures differ by rounding
_ROUNDING_M: Final = 1e-6


def predecessor_links(leak_links: pd.DataFrame, successions: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Pass the links of replaced pipes on to the segments that lie in their place today, by measure.

    A link to a segment that `segments` does not hold follows the successions from child to child: each takes what lies
    on its part of the parent; a link without a measure is shared out by length. It arrives where a child is among the
    segments. What passed no replacement is left out: it is the pipe's own and no predecessor's. What leads nowhere is
    left out too: the pipe was given up without a successor.

    Returns
    -------
    The frame `leak_links` for the successors, without distances. Never count them as leaks of these segments.
    """
    check_frame(leak_links, "leak_links", ["leak_id", "segment_id", "probability", "measure_m"])
    check_frame(successions, "successions")
    moving = leak_links.loc[
        ~leak_links["segment_id"].isin(segments.index), ["leak_id", "segment_id", "probability", "measure_m"]
    ].assign(is_replaced=False)
    parts = _shared(successions)
    arrived: list[pd.DataFrame] = []
    # an id that was left and taken up again must not lead round for ever
    for _ in range(len(parts)):
        moving = _step(moving, parts)
        is_there = moving["segment_id"].isin(segments.index)
        arrived.append(moving[is_there & moving["is_replaced"]])
        moving = moving[~is_there]
        if moving.empty:
            break
    told = pd.concat(arrived) if arrived else moving.iloc[:0]
    summed = told.groupby(["leak_id", "segment_id"], as_index=False).agg({"probability": "sum", "measure_m": "first"})
    return summed.assign(distance_m=np.nan)[columns_of("leak_links")]


def _shared(successions: pd.DataFrame) -> pd.DataFrame:
    """Add the share of the parent that each part is, and whether it is the last of its parent."""
    length = successions["parent_to_m"] - successions["parent_from_m"]
    by_parent = successions["parent_id"]
    return successions.assign(
        share=length / length.groupby(by_parent).transform("sum"),
        is_last=successions["parent_to_m"] >= successions["parent_to_m"].groupby(by_parent).transform("max"),
    )


def _step(moving: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Bring every link one generation on."""
    pairs = moving.merge(parts, left_on="segment_id", right_on="parent_id")
    measure = pairs["measure_m"]
    is_unplaced = measure.isna()
    lies_on = (measure >= pairs["parent_from_m"] - _ROUNDING_M * (pairs["parent_from_m"] <= 0)) & (
        (measure < pairs["parent_to_m"]) | pairs["is_last"]
    )
    pairs = pairs[lies_on | is_unplaced]
    along = (pairs["measure_m"] - pairs["parent_from_m"]) / (pairs["parent_to_m"] - pairs["parent_from_m"])
    measure_m = pairs["child_from_m"] + along.clip(0.0, 1.0) * (pairs["child_to_m"] - pairs["child_from_m"])
    return pd.DataFrame(
        {
            "leak_id": pairs["leak_id"],
            "segment_id": pairs["child_id"],
            "probability": pairs["probability"].where(
                ~pairs["measure_m"].isna(), pairs["probability"] * pairs["share"]
            ),
            "measure_m": measure_m,
            "is_replaced": pairs["is_replaced"] | (pairs["relation"] == _REPLACED),
        }
    )
