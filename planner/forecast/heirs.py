"""What became of the segments that a past knew: still there, or split, merged and renumbered since."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Flags, Floats
from planner.successors import last_segments


@dataclass(frozen=True)
class Heirs:
    """Which segments of the record continue which known ones: row numbers of both, and the share that each inherits.

    The shares of a segment of the record add up to one, so that none of its leaks is lost or counted twice.
    """

    known: NDArray[np.int64]
    record: NDArray[np.int64]
    share: Floats

    def inherit(self, values: Floats, count: int) -> Floats:
        """Return the sums of values of the record (rows first) over what continues each of `count` known segments."""
        sums = np.zeros((count, *values.shape[1:]))
        np.add.at(sums, self.known, (values[self.record].T * self.share).T)
        return sums

    def has_heir(self, count: int) -> Flags:
        """Say of each of `count` known segments whether anything continues it."""
        return np.bincount(self.known, minlength=count) > 0

    def was_known(self, count: int) -> Flags:
        """Say of each of `count` segments of the record whether it continues a known one."""
        return np.bincount(self.record, minlength=count) > 0


def find_heirs(known: pd.DataFrame, record: pd.DataFrame, successions: pd.DataFrame | None = None) -> Heirs:
    """Find what continues each known segment: the segment of its id, and those that its pipe became.

    A segment that continues several, because they were merged, is shared out among them by the length that they had.
    A replacement is another pipe and continues nothing.

    Misleads where a part of a pipe was given to a neighbour: its leaks then follow the lengths, not the place.

    Parameters
    ----------
    known, record
        Frames `segments` of a past and of the whole record: their index and `length_m`.
    successions
        The frame `successions` as of today; without it only ids that are still there have an heir.
    """
    same = record.index.get_indexer(known.index)
    pairs = np.column_stack([np.flatnonzero(same >= 0), same[same >= 0]])
    if successions is not None and not successions.empty:
        parents = known.index[known.index.isin(successions["parent_id"])]
        ways = last_segments(parents, successions, record.index)
        rows = [
            frame.index.get_indexer(pd.Index(ways[name]))
            for frame, name in ((known, "first_id"), (record, "segment_id"))
        ]
        pairs = np.unique(np.vstack([pairs, np.column_stack(rows)]), axis=0)
    length_m = known["length_m"].to_numpy(dtype="float64")[pairs[:, 0]]
    total_m = np.bincount(pairs[:, 1], weights=length_m, minlength=len(record))[pairs[:, 1]]
    return Heirs(pairs[:, 0], pairs[:, 1], length_m / total_m)
