"""The pressure class of segments: as stated, else from the design pressure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.factors import number_column, text_column
from planner.policy_tables import PressureLimit


def pressure_class(segments: pd.DataFrame, limits: Sequence[PressureLimit]) -> pd.Series:
    """Return the class of every segment, `unknown` where neither class nor design pressure is known."""
    stated = text_column(segments, "pressure_class").replace("unknown", np.nan)
    if "pressure_kpa" not in segments.columns:
        return stated.fillna("unknown")
    tops = np.array([np.inf if limit.maximum_kpa is None else limit.maximum_kpa for limit in limits])
    codes = np.array([limit.code for limit in limits], dtype=object)
    design = number_column(segments, "pressure_kpa")
    derived = codes[np.minimum(np.searchsorted(tops, design, side="left"), len(tops) - 1)]
    by_design = pd.Series(derived, index=segments.index, dtype="str").where(~np.isnan(design))
    return stated.fillna(by_design).fillna("unknown")
