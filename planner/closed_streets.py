"""The table of closed streets: every ban with its rule, its days and its exceptions in the words of the reader."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.ban_exceptions import quote_exceptions
from planner.bans import PUBLISHED, open_ends
from planner.days import FOREVER, ONE_DAY, as_day
from planner.factors import Flags, day_column, text_column
from planner.policy import Policy
from registry.catalogue import say
from registry.fields import columns_of


def closed_streets(bans: gpd.GeoDataFrame, policy: Policy, on: date, language: str) -> gpd.GeoDataFrame:
    """Return the bans as a table for people: by street, then by last forbidden day.

    Days left count from `on`, or from the first forbidden day where that is later; a ban that is over has none.

    Returns
    -------
    The frame `closed_streets`.
    """
    label = {rule.code: rule.label_zh if language == "zh" else rule.label_en for rule in policy.bans.rules}
    label[PUBLISHED] = say("plan_ban_published", language)
    quotes = {codes: "\n".join(quote_exceptions(codes, policy.bans, language)) for codes in bans["exceptions"].unique()}
    end = open_ends(bans)
    start = np.maximum(day_column(bans, "starts_on"), as_day(on))
    left = (end - start + ONE_DAY).astype("timedelta64[D]").astype(np.int64)
    has_some = (end != FOREVER) & (left > 0)
    table = bans.copy()
    table["rule"] = bans["rule_code"].map(label).astype("str")
    table["days_left"] = pd.Series(np.where(has_some, left, 0), bans.index, dtype="Int64").where(has_some)
    table["exceptions"] = bans["exceptions"].map(quotes).astype("str")
    order = pd.DataFrame({"street": bans["street_name"], "end": end}, index=bans.index)
    table = table.loc[order.sort_values(["street", "end"], kind="stable", na_position="last").index]
    return table[[*columns_of("closed_streets"), "geometry"]]


def undated_works(projects: pd.DataFrame, policy: Policy) -> Flags:
    """Tell which finished projects would have closed a street, had anyone said when they were completed."""
    kinds = {kind for rule in policy.bans.rules for kind in rule.project_kinds}
    has_day = ~np.isnat(day_column(projects, "completed_on")) | ~np.isnat(day_column(projects, "ends_on"))
    is_done = (text_column(projects, "state") == "done").to_numpy(dtype=bool, na_value=False)
    return np.asarray(is_done & ~has_day & projects["kind"].isin(kinds).to_numpy(dtype=bool), dtype=bool)
