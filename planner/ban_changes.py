"""What a scenario makes of the dig bans that were found: some are lifted, some have other days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.factors import Flags


@dataclass(frozen=True)
class BanChanges:
    """Bans that are lifted, by name, and the first and last forbidden day of those that are moved, by id.

    A name is that of a street, the id of the road, project or published ban that it comes from, or its own id.
    """

    lifted: tuple[str, ...] = ()
    moved: Mapping[str, tuple[date, date]] = field(default_factory=dict)

    def apply(self, bans: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return the bans that are left, with their days; names that no ban has change nothing."""
        if not self.lifted and not self.moved:
            return bans
        left = bans[~named_bans(bans, self.lifted)].copy()
        for name, (first, last) in self.moved.items():
            if name in left.index:
                left.loc[name, ["starts_on", "ends_on"]] = [pd.Timestamp(first), pd.Timestamp(last)]
        return left


def named_bans(bans: pd.DataFrame, names: tuple[str, ...]) -> Flags:
    """Tell which bans any of the names is of."""
    wanted = list(names)
    named = bans.index.isin(wanted) | bans["source_id"].isin(wanted) | bans["street_name"].isin(wanted)
    return np.asarray(named, dtype=bool)
