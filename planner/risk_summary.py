"""What the scores of a network add up to: incidents and harm by medium, kilometres by cell of the risk matrix."""

from __future__ import annotations

from itertools import product
from typing import Final

import pandas as pd

from planner.factors import text_column
from planner.policy_risk import RiskMatrix
from planner.summaries import METRES_PER_KM

_SUMS: Final = (
    "incidents_per_year",
    "incidents_low_per_year",
    "incidents_high_per_year",
    "harm_cny_per_year",
    "harm_low_cny_per_year",
    "harm_high_cny_per_year",
)
_BANDS: Final = ["likelihood_band", "consequence_band"]


def risk_by_medium(scores: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Add up kilometres, leaks, incidents and harm of a year by medium; media are never added up.

    An incident of gas is a fire or an explosion, one of water a flooded house: their numbers cannot be compared. The
    range is that of the anchors: it moves all segments together, so its ends add up.
    """
    km = scores["length_m"] / METRES_PER_KM
    rows = scores[list(_SUMS)].astype("float64").assign(km=km, leaks_per_year=scores["likelihood_per_km_year"] * km)
    medium = text_column(segments, "medium").reindex(scores.index).fillna("unknown").rename("medium")
    # a price list without harm leaves the sum unknown, not 0
    summed = rows.groupby(medium)[["km", "leaks_per_year", *_SUMS]].sum(min_count=1)
    return summed.reset_index()


def risk_matrix(scores: pd.DataFrame, segments: pd.DataFrame, matrix: RiskMatrix) -> pd.DataFrame:
    """Count segments and kilometres by cell of the matrix: the frame `risk_matrix`.

    Every medium and tier that is there has all its cells, the empty ones too; no row adds up tiers or media.
    """
    keys = pd.DataFrame({name: text_column(segments, name) for name in ("medium", "tier")}).reindex(scores.index)
    rows = keys.fillna("unknown").join(scores[[*_BANDS, "length_m"]].astype("float64"))
    counted = rows.groupby(["medium", "tier", *_BANDS])["length_m"].agg(["size", "sum"])
    networks = sorted(set(zip(rows["medium"], rows["tier"], strict=True)))
    bands = [range(1, len(matrix.cells) + 1), range(1, len(matrix.cells[0]) + 1)]
    cells = pd.MultiIndex.from_tuples(
        [(*network, *cell) for network in networks for cell in product(*bands)],
        names=["medium", "tier", *_BANDS],
    )
    counted = counted.reindex(cells, fill_value=0)
    table = cells.to_frame(index=False)
    grades = [matrix.cells[row - 1][column - 1] for row, column in zip(*(table[name] for name in _BANDS), strict=True)]
    table["matrix_grade"] = pd.Series(grades, dtype="str")
    table["segment_count"] = counted["size"].to_numpy()
    table["km"] = counted["sum"].to_numpy(dtype="float64") / METRES_PER_KM
    return table.astype(dict.fromkeys([*_BANDS, "segment_count"], "Int64") | {"medium": "str", "tier": "str"})
