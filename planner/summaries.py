"""Small tables of results: kilometres by class, grade, kind of project and tier; tiers are never added up."""

from __future__ import annotations

import pandas as pd

from planner.factors import text_column
from registry.fields import fields, value_list

METRES_PER_KM = 1000.0


def by_tier(scores: pd.DataFrame, segments: pd.DataFrame, column: str) -> pd.DataFrame:
    """Count segments and kilometres by a column of the scores and by tier.

    Municipal and courtyard pipes have different owners and tasks: each row is of one tier, and no row sums them.
    """
    tier = text_column(segments, "tier").reindex(scores.index).fillna("unknown")
    rows = pd.DataFrame({column: scores[column], "tier": tier, "length_m": scores["length_m"]})
    counted = rows.groupby([column, "tier"])["length_m"].agg(["size", "sum"]).reset_index()
    counted["km"] = counted["sum"] / METRES_PER_KM
    ranked = counted.sort_values(column, key=lambda codes: _ranks(codes, column), kind="stable", ignore_index=True)
    return ranked.rename(columns={"size": "segment_count"})[[column, "tier", "segment_count", "km"]]


def _ranks(codes: pd.Series, column: str) -> pd.Series:
    """Return the place of each code in its value list: grades go from low to severe, not by the alphabet."""
    order = list(value_list(fields()["scores"][column].list_name))
    return codes.map({code: place for place, code in enumerate(order)})


def by_project_kind(pairs: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Count pairs and kilometres by kind of project, whether the years are met, and tier.

    Metres inside two projects count for both: the rows are about projects, not about the network.
    """
    tier = text_column(segments, "tier").fillna("unknown").rename("tier")
    rows = pairs.join(tier, on="segment_id")
    keys = ["project_kind", "meets_years", "tier"]
    counted = rows.groupby(keys)["overlap_m"].agg(["size", "sum"]).reset_index()
    counted["km"] = counted["sum"] / METRES_PER_KM
    return counted.rename(columns={"size": "pair_count"})[[*keys, "pair_count", "km"]]


def by_relation(table: pd.DataFrame) -> pd.DataFrame:
    """Count the pairs of `overlap_table`, their kilometres and amounts by the relation in time, in its order."""
    rows = table.assign(km=table["overlap_m"] / METRES_PER_KM)
    grouped = rows.groupby("relation")
    counted = grouped[["km", "saving_cny", "at_stake_cny"]].sum()
    counted.insert(0, "pair_count", grouped.size())
    order = [code for code in value_list("time_relation") if code in counted.index]
    return counted.loc[order].reset_index()
