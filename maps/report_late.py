"""Late work and last chances of a plan as tables of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from maps.inputs import filled
from planner.late_text import late_in_words
from registry.fields import columns_of

if TYPE_CHECKING:
    from maps.inputs import Inputs


def late_rows(inputs: Inputs, language: str) -> pd.DataFrame | None:
    """Return late work by segment, worst first, with its reasons and options in words: the frame `report_late`.

    None where nothing is late, or the plan was made by an earlier version.
    """
    work, years, batches, members = inputs.late_work, inputs.late_years, inputs.batches, inputs.batch_segments
    if work is None or years is None or batches is None or members is None or work.empty:
        return None
    texts = late_in_words(work, years, batches, members, language)
    rows = work.loc[texts.index].assign(
        place=batches["label"].reindex(members["batch_id"].reindex(texts.index)).array, text=texts
    )
    return rows.reset_index()[columns_of("report_late")]


def last_chance_rows(inputs: Inputs) -> pd.DataFrame | None:
    """Return the last chances, dearest first, with the names of street and project: the frame `report_last_chances`."""
    found = inputs.last_chances
    if found is None or not filled(found):
        return None
    rows = found.sort_values("rank").reset_index(drop=True)
    rows["street_name"] = rows["segment_id"].map(_column(inputs.segments, "street_name"))
    rows["project_name"] = rows["project_id"].map(_column(inputs.projects, "name")).fillna(rows["project_id"])
    return rows[columns_of("report_last_chances")]


def _column(table: pd.DataFrame | None, name: str) -> pd.Series:
    if table is None or name not in table.columns:
        return pd.Series(dtype="str")
    return table[name]
