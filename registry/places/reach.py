"""How much ground belongs to works that are known as a point only."""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

Objects = npt.NDArray[Any]


@cache
def reach_m() -> dict[str, float]:
    """Return kind of project or of delivery -> radius in metres; a renovation has none: its outline must be known.

    Of projects and dig bans it is the ground that belongs to a point, of leaks and events how far a place in words may
    stretch and still be a position.
    """
    text = files("registry.places").joinpath("reach.csv").read_text(encoding="utf-8")
    return {row["kind"]: float(row["radius_m"]) for row in csv.DictReader(text.splitlines())}


def widened(points: Objects, kinds: Objects) -> Objects:
    """Return the ground within reach of points or groups of points; missing where their kind has no reach."""
    radius = pd.Series(kinds, dtype=object).map(reach_m()).to_numpy(dtype=np.float64)
    result = np.full(len(points), None, dtype=object)
    known = np.isfinite(radius)
    result[known] = shapely.buffer(points[known], radius[known])
    return result


def top_dimension(shapes: Objects) -> Objects:
    """Return collections as their areas, else their lines, else their points; all others as they are."""
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION)
    if not mixed.size:
        return shapes
    result = shapes.copy()
    for place in mixed:
        parts = _parts(shapes[place])
        dimension = shapely.get_dimensions(parts)
        result[place] = _MULTI[int(dimension.max())](parts[dimension == dimension.max()]) if parts.size else None
    return result


def _parts(shape: shapely.Geometry) -> Objects:
    """Return the parts of a collection, also of those within it; empty ones are no parts."""
    parts = shapely.get_parts(np.array([shape], dtype=object))
    while (shapely.get_type_id(parts) > shapely.GeometryType.POLYGON).any():
        parts = shapely.get_parts(parts)
    return np.asarray(parts[~shapely.is_empty(parts)])


_MULTI: Final[dict[int, Callable[[Objects], Any]]] = {
    0: shapely.multipoints,
    1: shapely.multilinestrings,
    2: shapely.multipolygons,
}
