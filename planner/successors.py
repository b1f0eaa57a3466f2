"""Records that name a segment by an id it no longer has: crews and hotlines go on using the ids of their old sheets."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.factors import text_column
from registry.fields import check_frame

# what was replaced is another pipe: what happened at the old one stays with the old one
_REPLACED: Final = "replace"


def name_successors(
    records: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, successions: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Let records that name a split, merged or renumbered segment name the one that lies at their place.

    `segments` holds all that a record may name: those of the day and those that were retired. An id that is not among
    them is followed from child to child until each way ends in one that is. Of several, the nearest to the record is
    named, the first by id where two are as near. A record without a place follows only where one segment is left.
    What leads nowhere keeps the id that it states.

    Misleads where the record lies by its address far from the pipe that it names: the nearest part need not be it.

    Returns
    -------
    The records with another `segment_id`; all else as it was.
    """
    check_frame(successions, "successions")
    stated = text_column(records, "segment_id")
    is_lost = (stated.notna() & ~stated.isin(segments.index)).to_numpy(dtype=bool)
    last = last_segments(pd.Index(stated[is_lost].unique()), successions, segments.index)
    if last.empty:
        return records
    lost = pd.DataFrame({"row": np.flatnonzero(is_lost), "first_id": stated[is_lost].to_numpy()})
    ways = lost.merge(last, on="first_id")
    shapes: NDArray[Any] = np.asarray(records.geometry.array)[ways["row"]]
    lines: NDArray[Any] = np.asarray(segments.geometry.reindex(ways["segment_id"]).array)
    ways["distance_m"] = shapely.distance(shapes, lines)
    is_only = ~ways.duplicated("row", keep=False)
    found = ways[is_only | ways["distance_m"].notna()].sort_values(["row", "distance_m", "segment_id"])
    found = found.drop_duplicates("row")
    named = stated.to_numpy(dtype=object).copy()
    named[found["row"]] = found["segment_id"]
    return records.assign(segment_id=pd.array(named, dtype="str"))


def last_segments(ids: pd.Index, successions: pd.DataFrame, known: pd.Index) -> pd.DataFrame:
    """Return for each id the known segments that continue its pipe: first_id, segment_id, each pair once."""
    steps = successions.loc[successions["relation"] != _REPLACED, ["parent_id", "child_id"]].drop_duplicates()
    moving = pd.DataFrame({"first_id": ids, "segment_id": ids}, dtype="str")
    arrived: list[pd.DataFrame] = []
    # an id that was left and taken up again must not lead round for ever
    for _ in range(len(steps)):
        moving = moving.merge(steps, left_on="segment_id", right_on="parent_id")
        moving = pd.DataFrame({"first_id": moving["first_id"], "segment_id": moving["child_id"]}).drop_duplicates()
        is_known = moving["segment_id"].isin(known)
        arrived.append(moving[is_known])
        moving = moving[~is_known]
        if moving.empty:
            break
    found = pd.concat(arrived) if arrived else moving.iloc[:0]
    return found.drop_duplicates(ignore_index=True)
