"""Colours and line widths of every class that is drawn, read from one table."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Stroke:
    """How one class is drawn: colour as `#rrggbb`, width in pixels at zoom 16."""

    colour: str
    width: float


@cache
def palette() -> dict[str, Stroke]:
    """Return code -> stroke of `palette.csv`.

    Ordered classes (grades, policy classes, years, decades) fall or rise steadily in lightness, and neighbours differ
    under the three kinds of colour blindness; the tests measure both.
    """
    text = files("maps").joinpath("palette.csv").read_text(encoding="utf-8")
    return {row["code"]: Stroke(row["colour"], float(row["width"])) for row in csv.DictReader(text.splitlines())}


def stroke(code: str) -> Stroke:
    """Return the stroke of a class; a class that the table does not name is drawn as unknown."""
    return palette().get(code, palette()["unknown"])
