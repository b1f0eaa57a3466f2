"""Compile the kernels ahead of their first use; `make setup` does, so that nobody waits for them."""

from __future__ import annotations

import numpy as np
import shapely

from planner.clip import has_kernel, inside_lengths
from planner.near import find_near


def compile_kernel() -> bool:
    """Compile and cache the kernels by one small clip and one small search; return whether there are any."""
    if not has_kernel():
        return False
    lines = np.array([shapely.LineString([(0.0, 0.0), (2.0, 0.5)])], dtype=object)
    areas = np.array([shapely.box(-1.0, -1.0, 1.0, 1.0)], dtype=object)
    inside_lengths(lines, areas, engine="kernel")
    places = np.array([shapely.Point(1.0, 1.0)], dtype=object)
    find_near(places, lines, np.array([3.0]), np.array([1.0]), engine="kernel")
    return True
