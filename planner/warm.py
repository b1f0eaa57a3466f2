"""Compile the clipping kernel ahead of its first use; `make setup` does, so that nobody waits for it."""

from __future__ import annotations

import numpy as np
import shapely

from planner.clip import has_kernel, inside_lengths


def compile_kernel() -> bool:
    """Compile and cache the kernel by one small clip; return whether there is one."""
    if not has_kernel():
        return False
    lines = np.array([shapely.LineString([(0.0, 0.0), (2.0, 0.5)])], dtype=object)
    areas = np.array([shapely.box(-1.0, -1.0, 1.0, 1.0)], dtype=object)
    inside_lengths(lines, areas, engine="kernel")
    return True
