"""A disturbed copy of a census with a list of what was done to it, for tests of the matching and of change reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.affinity import translate
from shapely.ops import substring

# shorter pieces than this are not made
SHORTEST_PIECE_M = 8.0
FARTHEST_MOVE_M = 20.0


@dataclass(frozen=True)
class Edits:
    """What was done, by id. Ids of the copy come first, ids of the original second.

    `altered` has a row for each changed attribute (segment_id as in the copy, column, old, new); `moved` holds the
    distance in metres; `renumbered` new id -> old id; `split` part -> parent; `merged` whole -> its old parts.
    """

    dropped: tuple[str, ...]
    added: tuple[str, ...]
    altered: pd.DataFrame
    moved: dict[str, float]
    renumbered: dict[str, str]
    split: dict[str, str]
    merged: dict[str, tuple[str, str]]
    unchanged_ids: tuple[str, ...] = field(repr=False)

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Every pair (id in the copy, id in the original) that is one pipe or a piece of it."""
        merged = {(whole, part) for whole, parts in self.merged.items() for part in parts}
        return {(kept, kept) for kept in self.unchanged_ids} | self.changed_pairs | merged

    @property
    def changed_pairs(self) -> set[tuple[str, str]]:
        """Those of the pairs that no id can find."""
        merged = {(whole, part) for whole, parts in self.merged.items() for part in parts}
        return set(self.renumbered.items()) | set(self.split.items()) | merged


def disturb(
    frame: gpd.GeoDataFrame,
    seed: int,
    *,
    drop: float = 0.0,
    add: float = 0.0,
    alter: float = 0.0,
    move: float = 0.0,
    renumber: float = 0.0,
    split: float = 0.0,
    merge: float = 0.0,
    jitter_m: float = 0.0,
) -> tuple[gpd.GeoDataFrame, Edits]:
    """Return a copy of segments with shares of its rows changed, in random order, and the edits.

    A row is at most one of dropped, moved, renumbered, split or merged; it may be altered as well. Merged pipes touch
    at one end and share all attributes that matter. Added pipes lie in a new quarter east of all others. `jitter_m` is
    the standard deviation of every vertex of every row, along each axis, as of a survey made anew.
    """
    rng = np.random.default_rng(seed)
    ids = [str(name) for name in frame.index]
    lines: list[Any] = list(frame.geometry)
    counts = {name: round(share * len(ids)) for name, share in (("drop", drop), ("move", move), ("split", split))}
    merges = _touching(frame, rng)[: round(merge * len(ids))]
    free = _without(list(rng.permutation(len(ids))), {row for pair in merges for row in pair})
    long_ones = [row for row in free if lines[row].length >= 3 * SHORTEST_PIECE_M]
    splits = long_ones[: counts["split"]]
    free = _without(free, set(splits))
    drops, free = free[: counts["drop"]], free[counts["drop"] :]
    moves, free = free[: counts["move"]], free[counts["move"] :]
    renumbers, kept = free[: round(renumber * len(ids))], free[round(renumber * len(ids)) :]
    names = _new_names(set(ids), rng)

    moved = _move(lines, moves, rng)
    rows: list[tuple[int, str, Any]] = [(row, ids[row], lines[row]) for row in [*kept, *moves]]
    renumbered = {next(names): row for row in renumbers}
    rows += [(row, name, lines[row]) for name, row in renumbered.items()]
    parts = {next(names): (row, number) for row in splits for number in (0, 1)}
    cuts = {row: rng.uniform(0.35, 0.65) for row in splits}
    rows += [(row, name, _part(lines[row], cuts[row], number)) for name, (row, number) in parts.items()]
    wholes = {next(names): pair for pair in merges}
    rows += [(first, name, _joined(lines[first], lines[second])) for name, (first, second) in wholes.items()]
    east = float(frame.total_bounds[2] - frame.total_bounds[0]) + 1000.0
    added = {next(names): row for row in rng.permutation(len(ids))[: round(add * len(ids))]}
    rows += [(row, name, translate(lines[row], east)) for name, row in added.items()]

    places = [row for row, _, _ in rows]
    copy = frame.iloc[places].set_geometry(_jittered([line for _, _, line in rows], jitter_m, rng), crs=frame.crs)
    copy.index = pd.Index([name for _, name, _ in rows], dtype="str", name=frame.index.name)
    if "length_m" in copy.columns:
        copy["length_m"] = copy.length
    single = {*kept, *moves, *renumbers}
    touched = [name for row, name, _ in rows if row in single]
    altered = _alter(copy, list(rng.permutation(touched))[: round(alter * len(ids))], rng)
    edits = Edits(
        dropped=tuple(ids[row] for row in drops),
        added=tuple(added),
        altered=altered,
        moved={ids[row]: length for row, length in moved.items()},
        renumbered={name: ids[row] for name, row in renumbered.items()},
        split={name: ids[row] for name, (row, _) in parts.items()},
        merged={name: (ids[first], ids[second]) for name, (first, second) in wholes.items()},
        unchanged_ids=tuple(ids[row] for row in [*kept, *moves]),
    )
    return copy.iloc[rng.permutation(len(copy))], edits


def _without(rows: list[int], taken: set[int]) -> list[int]:
    return [row for row in rows if row not in taken]


def _new_names(taken: set[str], rng: np.random.Generator) -> Any:
    """Yield ids that nothing else has and that tell nothing."""
    while True:
        name = f"N{rng.integers(10**9):09d}"
        if name not in taken:
            taken.add(name)
            yield name


def _touching(frame: gpd.GeoDataFrame, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return pairs of rows that end in one point and share what a merged pipe must share, each row once."""
    lines: list[Any] = list(frame.geometry)
    columns = [name for name in ("medium", "material", "diameter_mm", "installed_year_min") if name in frame.columns]
    alike = pd.factorize(pd.MultiIndex.from_frame(frame[columns].astype("str")))[0]
    ends: dict[tuple[int, float, float], list[int]] = {}
    order = rng.permutation(len(lines))
    for row in order:
        if lines[row].length >= SHORTEST_PIECE_M:
            for number in (0, -1):
                x, y = lines[row].coords[number][:2]
                ends.setdefault((int(alike[row]), round(x, 3), round(y, 3)), []).append(int(row))
    used: set[int] = set()
    found: list[tuple[int, int]] = []
    for rows in ends.values():
        for first in rows:
            for second in rows:
                if first < second and not {first, second} & used and not _overlap(lines[first], lines[second]):
                    used |= {first, second}
                    found.append((first, second))
    return [found[place] for place in rng.permutation(len(found))]


def _overlap(first: Any, second: Any) -> bool:
    return bool(first.intersection(second.buffer(0.5)).length > 3.0)


def _move(lines: Any, rows: list[int], rng: np.random.Generator) -> dict[int, float]:
    """Shift lines in place, each in a direction of its own, and return how far."""
    moved: dict[int, float] = {}
    for row in rows:
        length, angle = rng.uniform(5.0, FARTHEST_MOVE_M), rng.uniform(0.0, 2 * np.pi)
        step = length * np.array([np.cos(angle), np.sin(angle)])
        lines[row] = translate(lines[row], *step)
        moved[row] = float(length)
    return moved


def _part(line: Any, cut: float, number: int) -> Any:
    bounds = (0.0, cut) if number == 0 else (cut, 1.0)
    return substring(line, *bounds, normalized=True)


def _joined(first: Any, second: Any) -> Any:
    """Join two lines that end in one point into one."""
    near = [(a, b) for a in (0, -1) for b in (0, -1)]
    a, b = min(near, key=lambda end: float(np.hypot(*np.subtract(first.coords[end[0]], second.coords[end[1]])[:2])))
    head = list(first.coords)[:: 1 if a == -1 else -1]
    tail = list(second.coords)[:: 1 if b == 0 else -1]
    return shapely.LineString(head + tail[1:])


def _jittered(lines: list[Any], jitter_m: float, rng: np.random.Generator) -> Any:
    given = np.array(lines, dtype=object)
    if jitter_m <= 0.0:
        return given
    return shapely.transform(given, lambda xy: xy + rng.normal(0.0, jitter_m, xy.shape))


def _alter(copy: gpd.GeoDataFrame, names: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Correct one attribute of each named row in place, to another value that the census has."""
    columns = [name for name in ("material", "diameter_mm") if name in copy.columns and len(copy[name].unique()) > 1]
    found: list[dict[str, Any]] = []
    for name in names:
        column = columns[int(rng.integers(len(columns)))]
        old = copy.loc[name, column]
        choices = sorted(value for value in copy[column].dropna().unique() if value != old)
        new = choices[int(rng.integers(len(choices)))]
        copy.loc[name, column] = new
        found.append({"segment_id": name, "column": column, "old": old, "new": new})
    return pd.DataFrame(found, columns=["segment_id", "column", "old", "new"])
