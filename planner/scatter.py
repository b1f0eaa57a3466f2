"""How likely a report lies where it lies, had any metre of a pipe leaked: the scatter of reports, along a line."""

from __future__ import annotations

import numpy as np

from planner.factors import Floats


def piece_nearness(aside_m: Floats, begin_m: Floats, end_m: Floats, scatter_m: Floats) -> Floats:
    """Return the density of reports at a place from a straight piece of pipe, per metre, if each metre leaks alike.

    Reports scatter round the true place by a Student distribution of two degrees of freedom in the plane, with the
    density (1 + r² / 2s²)⁻² / 2πs²: half of them lie within 1.41 s, 96 % within 7 s, and a few far away. Its integral
    along a line has a closed form. Plain arithmetic only: the compiled kernel uses this very function.

    Parameters
    ----------
    aside_m
        Distance of the place from the straight line through the piece.
    begin_m, end_m
        Where the piece begins and ends along that line, seen from the foot of the place; never falling.
    scatter_m
        The scatter s of the report.
    """
    stretch = 1.0 + aside_m * aside_m / (2.0 * scatter_m * scatter_m)
    scale = scatter_m * np.sqrt(2.0 * stretch)
    first, last = begin_m / scale, end_m / scale
    # the difference of two angles as one angle: far along a line both are nearly equal
    turn = np.arctan2(last - first, 1.0 + first * last)
    inner = 0.5 * (last / (1.0 + last * last) - first / (1.0 + first * first) + turn)
    return inner * scale / (2.0 * np.pi * scatter_m * scatter_m * stretch * stretch)
