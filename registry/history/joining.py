"""Join lines that lie end to end, and settle which values the whole has."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from registry.errors import EditError

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Current:
    """One segment as it is known on a day: its course and its stored values."""

    segment_id: str
    shape: shapely.LineString
    values: dict[str, Any]


Link = tuple[Current, Points]


@dataclass(frozen=True)
class Piece:
    """Where a parent lies along the whole; from after to where it runs the other way."""

    parent_id: str
    length_m: float
    from_m: float
    to_m: float


def joined_line(parents: Sequence[Current], tolerance_m: float) -> tuple[shapely.LineString, list[Piece]]:
    """Return the line that the parents form, in the direction of the first, and where each lies along it.

    Raises
    ------
    EditError
        Where one of them does not touch the end of the others.
    """
    chain: list[Link] = [(parents[0], shapely.get_coordinates(parents[0].shape))]
    left = list(parents[1:])
    while left:
        for parent in left:
            if (points := _attached(parent, chain[-1][1], tolerance_m, is_tail=True)) is not None:
                chain.append((parent, points))
            elif (points := _attached(parent, chain[0][1], tolerance_m, is_tail=False)) is not None:
                chain.insert(0, (parent, points))
            else:
                continue
            left.remove(parent)
            break
        else:
            raise EditError("not_end_to_end", segments=", ".join(parent.segment_id for parent in left))
    line = shapely.LineString(np.concatenate([chain[0][1], *(points[1:] for _, points in chain[1:])]))
    return line, _pieces(chain)


def _attached(parent: Current, to: Points, tolerance_m: float, *, is_tail: bool) -> Points | None:
    """Return the vertices of a line so that it goes on from (or leads to) another, or None where it does not touch."""
    points = shapely.get_coordinates(parent.shape)
    anchor = to[-1] if is_tail else to[0]
    for turned in (points, points[::-1]):
        near = turned[0] if is_tail else turned[-1]
        if np.hypot(*(near - anchor)) <= tolerance_m:
            return turned
    return None


def _pieces(chain: Sequence[Link]) -> list[Piece]:
    pieces: list[Piece] = []
    start = 0.0
    for parent, points in chain:
        stop = start + parent.shape.length
        is_turned = not np.array_equal(points, shapely.get_coordinates(parent.shape))
        ends = (stop, start) if is_turned else (start, stop)
        pieces.append(Piece(parent.segment_id, parent.shape.length, *ends))
        start = stop
    return pieces


@cache
def merge_rules() -> dict[str, str]:
    """Return column -> rule of `lineage_policy.csv`."""
    text = files("registry.history").joinpath("lineage_policy.csv").read_text(encoding="utf-8")
    return {row["column"]: row["on_merge"] for row in csv.DictReader(text.splitlines())}


def merged_values(parents: Sequence[Current]) -> dict[str, Any]:
    """Return the values of the whole by the rules of `lineage_policy.csv`.

    Raises
    ------
    EditError
        With every column in which the parents differ although one pipe has only one value of it.
    """
    longest = max(parents, key=lambda parent: parent.shape.length)
    values: dict[str, Any] = {}
    clashes: list[str] = []
    for column, rule in merge_rules().items():
        known = [parent.values[column] for parent in parents if parent.values[column] is not None]
        match rule:
            case "equal":
                if len(set(known)) > 1:
                    clashes.append(column)
                values[column] = known[0] if known else None
            case "least" | "greatest":
                # an interval with an unknown end stays open there
                is_whole = len(known) == len(parents)
                values[column] = (min(known) if rule == "least" else max(known)) if is_whole else None
            case "any":
                values[column] = any(known) if known else None
            case "none":
                values[column] = None
            case _:
                values[column] = longest.values[column]
    if clashes:
        raise EditError("parents_differ", columns=", ".join(clashes))
    return values
