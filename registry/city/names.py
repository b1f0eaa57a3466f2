"""Chinese names of streets, compounds and places, put together from parts so that any size has enough of them."""

from __future__ import annotations

from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd

from registry.city.parameters import Bools, Ints, Objects, load, pick
from registry.city.parcels import COMPOUND, Parcels
from registry.city.streets import LANE, Streets

_QUARTERS: Final = ("", "东", "西", "南", "北", "中", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十")
_PARTS: Final = ("", "甲区", "乙区", "丙区", "丁区", "戊区", "己区", "庚区")


def numbered(prefix: str, count: int, digits: int) -> Objects:
    """Return ids `prefix` + running number with leading zeros."""
    ids = prefix + pd.Series(np.arange(1, count + 1)).astype("str").str.zfill(digits)
    return ids.to_numpy(dtype=object)


def _stems(parts: dict[str, Any], first: list[str], rng: np.random.Generator) -> list[str]:
    made = [a + b for a, b in product(parts["first"], parts["second"]) if a != b]
    mixed = [made[at] for at in rng.permutation(len(made))]
    return list(dict.fromkeys([*first, *mixed]))


def street_names(streets: Streets, row_line_count: int, rng: np.random.Generator) -> Objects:
    """Return the name of each edge: one name per run, no name twice; unbuilt edges None."""
    parts = load("names")["streets"]
    stems = _stems(parts, parts["main"], rng)
    edges = np.flatnonzero(streets.is_built)
    runs, first = np.unique(streets.run[edges], return_index=True)
    sample = edges[first]
    road_class, line = streets.road_class[sample], streets.line[sample]
    name_of_run = np.full(int(streets.run.max()) + 1, None, dtype=object)
    is_lane = road_class == LANE
    is_along = line < row_line_count
    # wide and central streets take the well-known names
    rank = np.lexsort((streets.reach[sample], road_class))
    for number, at in enumerate(rank[~is_lane[rank]]):
        key = "arterial" if road_class[at] == 0 else "along" if is_along[at] else "across"
        suffixes = parts[f"{key}_suffix"]
        name_of_run[runs[at]] = _combined(stems, number, suffixes[number % len(suffixes)])
    for number, at in enumerate(rank[is_lane[rank]]):
        name_of_run[runs[at]] = _combined(stems, number, parts["lane_suffix"][number % len(parts["lane_suffix"])])
    names = name_of_run[streets.run]
    names[~streets.is_built] = None
    return names


def _combined(stems: list[str], number: int, suffix: str) -> str:
    turn, at = divmod(number, len(stems))
    return stems[at] + _QUARTERS[turn % len(_QUARTERS)] + suffix


def compound_names(parcels: Parcels, is_compound: Bools, rng: np.random.Generator) -> Objects:
    """Return a distinct name for every compound; None elsewhere."""
    parts = load("names")["compounds"]
    stems = _stems(parts, [], rng)
    names = np.full(parcels.count, None, dtype=object)
    is_modern = parcels.built_year >= parts["modern_from_year"]
    for mine, suffixes in (
        (is_compound & ~is_modern, parts["old_suffix"]),
        (is_compound & is_modern, parts["new_suffix"]),
    ):
        where = np.flatnonzero(mine)
        turn, at = np.divmod(np.arange(len(where)), len(stems))
        # the suffix depends on the stem and the turn, so that no pair comes twice
        start = rng.integers(0, len(suffixes), len(stems))[at]
        suffix = np.array(suffixes, dtype=object)[(start + turn) % len(suffixes)]
        extra = np.array(_PARTS, dtype=object)[np.minimum(turn // len(suffixes), len(_PARTS) - 1)]
        names[where] = np.array(stems, dtype=object)[at] + suffix + extra
    return names


def place_names(parcels: Parcels, rng: np.random.Generator) -> Objects:
    """Return a name for schools, hospitals, shops and works; None elsewhere. Names may repeat, as they do."""
    stems = np.array(_stems(load("names")["streets"], [], rng), dtype=object)
    names = np.full(parcels.count, None, dtype=object)
    uses = load("city")["parcels"]["uses"]
    for number, use in enumerate(uses):
        words = load("names")["places"].get(use)
        if number == COMPOUND or words is None:
            continue
        where = np.flatnonzero(parcels.use == number)
        names[where] = rng.choice(stems, len(where)) + rng.choice(np.array(words, dtype=object), len(where))
    return names


def owners(group: str, count: int, rng: np.random.Generator) -> Objects:
    """Draw owners of a group."""
    names = load("names")["owners"]
    choices = np.array(names[group], dtype=object)
    shares = names.get(f"{group}_shares", [1.0] * len(choices))
    drawn: Ints = pick(rng, shares, count)
    return choices[drawn]
