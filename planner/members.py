"""Which segment lies in which batch: one each in a plan, several in a pool of candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from planner.factors import Flags, Floats

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Members:
    """Pairs of a segment (its row) and a batch (its number), by batch and then by segment."""

    row: Rows
    batch: Rows
    segment_count: int
    batch_count: int

    @classmethod
    def of_groups(cls, group: Rows) -> Self:
        """Every segment lies in one batch: its number by segment, -1 for none."""
        row = np.flatnonzero(group >= 0)
        row = row[np.argsort(group[row], kind="stable")]
        return cls(row, group[row], len(group), int(group.max(initial=-1)) + 1)

    def sums(self, values: Floats) -> Floats:
        """Add up values of segments by batch; values by segment and year give sums by batch and year."""
        if values.ndim == 1:
            return np.bincount(self.batch, weights=values[self.row], minlength=self.batch_count).astype("float64")
        return np.column_stack([self.sums(values[:, place]) for place in range(values.shape[1])])

    def all_of(self, flags: Flags) -> Flags:
        """Tell for each batch (and year) whether the flag is set for all of its segments."""
        broken = self.sums((~flags).astype("float64"))
        result: Flags = broken == 0
        return result

    def least(self, values: Rows, nothing: int) -> Rows:
        """Return the least value among the segments of each batch."""
        least = np.full(self.batch_count, nothing, dtype=np.int64)
        np.minimum.at(least, self.batch, values[self.row])
        return least

    def batches_of(self, rows: Rows) -> tuple[Rows, Rows]:
        """List the batches of each asked row: the place of the row in `rows`, and the batch."""
        order = np.argsort(self.row, kind="stable")
        start = np.searchsorted(self.row[order], rows, side="left")
        count = np.searchsorted(self.row[order], rows, side="right") - start
        asked = np.repeat(np.arange(len(rows)), count)
        step = np.arange(len(asked)) - np.repeat(np.cumsum(count) - count, count)
        return asked.astype(np.int64), self.batch[order][start[asked] + step].astype(np.int64)

    def patterns(self) -> Rows:
        """Number the segments by the batches that they lie in: equal sets have equal numbers.

        Sets are told apart by the sum of 64 random bits of each batch: that two of a million differ and agree in it
        has a chance below one in ten million.
        """
        bits = np.random.default_rng(0).integers(0, 2**63, self.batch_count, dtype=np.uint64)
        total = np.zeros(self.segment_count, dtype=np.uint64)
        np.add.at(total, self.row, bits[self.batch])
        _, pattern = np.unique(total, return_inverse=True)
        return pattern.astype(np.int64)
