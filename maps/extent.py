"""The box that a map opens on: the bulk of the city, whatever single features lie elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

_CORE: Final = (0.05, 0.95)
# a town or an airfield of its own beside the city still belongs to the picture
_REACH_SPANS: Final = 2.0
_REACH_M: Final = 20_000.0


def far_away(table: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Return which features reach further out than twice the size of the city and 20 km around its middle 90 %.

    Features without geometry are not far away, and no feature is where half of them would be. Assumes coordinates in
    metres. With few features the middle is that of the median, so that a single stray one is found among three.
    """
    boxes = shapely.bounds(np.asarray(table.geometry.array))
    is_there = np.isfinite(boxes).all(axis=1)
    if not is_there.any():
        return np.zeros(len(table), dtype=bool)
    middles = (boxes[is_there, :2] + boxes[is_there, 2:]) / 2
    low = np.quantile(middles, _CORE[0], axis=0, method="higher")
    high = np.quantile(middles, _CORE[1], axis=0, method="lower")
    # of two features no one can say which is the stray one
    low, high = np.minimum(low, high), np.maximum(low, high)
    reach = _REACH_SPANS * (high - low) + _REACH_M
    is_out = (boxes[:, :2] < low - reach).any(axis=1) | (boxes[:, 2:] > high + reach).any(axis=1)
    is_far = np.asarray(is_there & is_out, dtype=bool)
    # where half of all lie far from the middle there is no city to be far away from
    return is_far if 2 * is_far.sum() < is_there.sum() else np.zeros(len(table), dtype=bool)


def bulk_bounds(table: gpd.GeoDataFrame) -> NDArray[np.float64] | None:
    """Return west, south, east, north of the features that are not far away, or None where there are none."""
    boxes = shapely.bounds(np.asarray(table.geometry.array))
    kept = boxes[np.isfinite(boxes).all(axis=1) & ~far_away(table)]
    if not len(kept):
        return None
    return np.concatenate([kept[:, :2].min(axis=0), kept[:, 2:].max(axis=0)])
