"""The order of works in edits of a plan by hand: which batches would come before those that they wait for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from planner.factors import Floats
from planner.plan_edit import Draft, Source
from registry.errors import Phrase


def out_of_order(before: Draft, after: Draft, source: Source) -> list[Phrase]:
    """Say which batches edits put before others that go first, or before them by more years than they were.

    What was no candidate of the plan keeps nobody waiting, unless it is planned for a year all the same. What is left
    out comes after all years.
    """
    if source.order.empty:
        return []
    chosen = before.batch_segments.index if source.candidate_ids is None else source.candidate_ids
    lead = [_lead_years(draft, source, chosen) for draft in (before, after)]
    pairs = source.order[lead[1] > lead[0]]
    members = after.batch_segments[["batch_id", "year"]]
    then, first = (members.loc[pairs[name]].reset_index(drop=True) for name in ("then_id", "first_id"))
    told = then.rename(columns={"batch_id": "batch"}).assign(first=first["batch_id"], first_year=first["year"])
    found = told.drop_duplicates().sort_values(["year", "batch", "first"], ignore_index=True)
    return [_told(row) for row in found.to_dict("records")]


def _told(row: dict[Any, Any]) -> Phrase:
    facts: dict[str, object] = {"batch": row["batch"], "year": int(row["year"]), "first": row["first"]}
    if pd.isna(row["first_year"]):
        return Phrase("plan_breach_order_left", facts)
    return Phrase("plan_breach_order", facts | {"first_year": int(row["first_year"])})


def _lead_years(draft: Draft, source: Source, chosen: pd.Index) -> Floats:
    """Return by pair of the order how many years what waits comes too early; 0 where it does not."""
    year = draft.batch_segments["year"].astype("float64")
    then, first = (year.reindex(source.order[name]).to_numpy() for name in ("then_id", "first_id"))
    is_awaited = source.order["first_id"].isin(chosen).to_numpy(dtype=bool) | ~np.isnan(first)
    goes_first = np.where(np.isnan(first), float(source.years.stop), first)
    lead: Floats = np.where(is_awaited & ~np.isnan(then), np.maximum(goes_first - then, 0.0), 0.0)
    return lead
