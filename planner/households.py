"""Households that a batch concerns: those of its compound, else those that its segments are expected to supply."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Floats, number_column, text_column
from planner.members import Members


@dataclass(frozen=True)
class Supplied:
    """Households by compound name and by segment, as the census tells; what is missing is not known."""

    by_compound: pd.Series
    by_segment: pd.Series

    @classmethod
    def from_frames(cls, compounds: pd.DataFrame | None = None, expected: pd.Series | None = None) -> Supplied:
        """Count households from the compounds of the registry and from what segments are expected to supply.

        A compound name that occurs twice counts both. A segment that is expected to supply nobody says nothing.
        """
        if expected is None:
            expected = pd.Series(index=pd.Index([], dtype="str"), dtype="float64")
        return cls(_counted(compounds, "name"), expected[expected > 0.0])

    def of_batches(
        self, segments: pd.DataFrame, members: Members, kind: NDArray[np.object_], place: NDArray[np.object_]
    ) -> Floats:
        """Return the households of each batch, NaN where nothing is known; `kind` and `place` are by batch.

        A compound batch counts the whole compound, also where only some of its pipes are renewed.
        """
        own = self.by_segment.reindex(segments.index).to_numpy(dtype="float64")
        known = members.sums((~np.isnan(own)).astype("float64")) > 0
        households = np.where(known, members.sums(np.where(np.isnan(own), 0.0, own)), np.nan)
        is_compound = kind == "compound"
        of_compound = self.by_compound.reindex(pd.Index(place)).to_numpy(dtype="float64")
        return np.where(is_compound & ~np.isnan(of_compound), of_compound, households)


def _counted(table: pd.DataFrame | None, column: str) -> pd.Series:
    if table is None or table.empty:
        return pd.Series(index=pd.Index([], dtype="str"), dtype="float64")
    name, count = text_column(table, column), number_column(table, "household_count")
    is_known = name.notna().to_numpy(dtype=bool) & ~np.isnan(count)
    return pd.Series(count[is_known], index=pd.Index(name[is_known])).groupby(level=0).sum()
