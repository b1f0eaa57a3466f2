"""One census as the matching sees it: sorted by id, lines without a direction, a few points on each course."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]
Geometries = NDArray[Any]

# a pipe of which nine tenths lie on another has at least two of these points there
PROBE_SHARES: Final = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Census:
    """Segments in the order of their ids, so that the order of the rows cannot matter.

    `probes` holds the points at PROBE_SHARES of each line, shape (segments, 3).
    """

    ids: pd.Index
    lines: Geometries
    length_m: Floats
    probes: Geometries
    rows: pd.DataFrame

    @property
    def count(self) -> int:
        """Return the number of segments."""
        return len(self.ids)


def read_census(segments: gpd.GeoDataFrame) -> Census:
    """Sort the segments by id and turn every line the same way round: its direction carries no meaning."""
    ids = segments.index.astype("str")
    order = np.argsort(ids.to_numpy(dtype=object), kind="stable")
    lines: Geometries = shapely.normalize(np.asarray(segments.geometry.array)[order])
    probes = shapely.line_interpolate_point(lines[:, None], np.array(PROBE_SHARES)[None, :], normalized=True)
    rows = pd.DataFrame(segments.drop(columns="geometry")).iloc[order].reset_index(drop=True)
    return Census(ids[order], lines, shapely.length(lines), np.asarray(probes, dtype=object), rows)
