"""Work on independent pieces side by side: what comes back is the same, and in the same order, for any processor count.

It pays for work that lets go of Python's lock: compiled kernels and whole arrays of shapes. The threads end before the
call returns, so that a process which starts others later has none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")


def side_by_side(work: Callable[[_Piece], _Result], pieces: Sequence[_Piece]) -> list[_Result]:
    """Return what the work makes of each piece, in the order of the pieces.

    Raises
    ------
    Exception
        The error of the first piece that fails, as a loop would.
    """
    threads = min(len(pieces), len(os.sched_getaffinity(0)))
    if threads < 2:
        return [work(piece) for piece in pieces]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, pieces))


def row_slices(count: int, at_once: int) -> list[slice]:
    """Cut so many rows into slices of a size; the last may be shorter, and no rows are no slice."""
    return [slice(first, min(first + at_once, count)) for first in range(0, count, at_once)]
