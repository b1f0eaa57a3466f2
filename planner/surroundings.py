"""What stands near each segment: the nearest building and void, the people, and who is hard to lead away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.factors import Flags, Floats, code_factors, number_column, text_column
from planner.policy_models import Consequence

Rows = NDArray[np.int64]
Geometries = NDArray[Any]
SENSITIVE_PLACE: Final = "sensitive_place"
_VOID: Final = "void"
_CHUNK: Final = 100_000
# beyond any band, and it keeps equal crowds equal in whatever order they are added up
_DIGITS: Final = 6


@dataclass(frozen=True)
class Near:
    """What is known of the neighbours of segments: `buildings` and `context`; None where a city has none of them."""

    buildings: gpd.GeoDataFrame | None = None
    context: gpd.GeoDataFrame | None = None


@dataclass(frozen=True)
class Surroundings:
    """What stands near each segment.

    Distances in metres are infinite beyond reach. All is NaN where nothing can be said: no buildings, no voids or no
    household counts at all. `kinds` tells for each use of a building, for `sensitive_place` and for `unknown` whether
    one is within reach; None where neither uses nor such places are known.
    """

    building_m: Floats
    void_m: Floats
    household_count: Floats
    people_count: Floats
    kinds: dict[str, Flags] | None


def find_surroundings(
    segments: gpd.GeoDataFrame, near: Near, weights: Consequence, progress: Callable[[int], None] | None = None
) -> Surroundings:
    """Find what stands near each segment: buildings and their people within `building_reach_m`, voids within theirs.

    A place exactly at the reach counts. People are counted at home and at work: see `building_people`. The work is
    done in pieces, so that the pairs of a million segments do not fill the memory.
    """
    finder = _Finder(segments, near, weights)
    for start in range(0, len(segments), _CHUNK):
        finder.look(start)
        if progress is not None:
            progress(min(_CHUNK, len(segments) - start))
    return finder.found()


def building_people(buildings: gpd.GeoDataFrame, weights: Consequence) -> Floats:
    """Return the people that may be in each building.

    Households times people per household; where no households are counted, or the building is no dwelling, by its use
    and floor area (footprint times floors, one floor where none are stated) instead or besides.

    Misleads where a hall or a market fills up at certain hours only.
    """
    households = number_column(buildings, "household_count")
    use = text_column(buildings, "use").fillna("unknown")
    floors = np.nan_to_num(number_column(buildings, "floor_count"), nan=1.0)
    floor_m2 = shapely.area(np.asarray(buildings.geometry.array)) * np.maximum(floors, 1.0)
    per_m2, _ = code_factors(use, pd.Series("", index=buildings.index, dtype="str"), weights.people_per_m2)
    is_home = use.isin(["residential", "unknown"]).to_numpy(dtype=bool) & ~np.isnan(households)
    at_work = np.where(is_home, 0.0, floor_m2 * per_m2)
    people: Floats = np.nan_to_num(households) * weights.people_per_household.value + at_work
    return people


class _Finder:
    """Collects what stands near the segments, piece by piece."""

    def __init__(self, segments: gpd.GeoDataFrame, near: Near, weights: Consequence) -> None:
        count = len(segments)
        self.lines: Geometries = np.asarray(segments.geometry.array)
        self.reach_m, self.void_reach_m = weights.building_reach_m.value, weights.void_reach_m
        buildings = near.buildings if near.buildings is not None and not near.buildings.empty else None
        self.has_buildings = buildings is not None
        self.buildings = _Layer(_shapes(buildings), count)
        self.places = _Layer(_shapes(_of_kind(near.context, SENSITIVE_PLACE)), count)
        self.voids = _Layer(_shapes(_of_kind(near.context, _VOID)), count)
        self.household_count, self.people_count = np.zeros(count), np.zeros(count)
        self.homes = self.people = np.empty(0)
        self.use = np.empty(0, dtype=np.int64)
        self.uses: list[str] = []
        if buildings is not None:
            self.homes = number_column(buildings, "household_count")
            self.people = building_people(buildings, weights)
            use, names = pd.factorize(text_column(buildings, "use").fillna("unknown"))
            self.use, self.uses = use.astype(np.int64), [str(name) for name in names]
        self.has_use = np.zeros((len(self.uses), count), dtype=bool)

    def look(self, start: int) -> None:
        """Look around the segments of one piece."""
        piece = self.lines[start : start + _CHUNK]
        size = len(piece)
        row, building = self.buildings.look(piece, start, self.reach_m)
        self.household_count[start : start + size] = _sums(row, self.homes[building], size)
        self.people_count[start : start + size] = _sums(row, self.people[building], size)
        self.has_use[self.use[building], start + row] = True
        self.places.look(piece, start, self.reach_m)
        self.voids.look(piece, start, self.void_reach_m)

    def found(self) -> Surroundings:
        """Return what was found, NaN where nothing can be said."""
        nothing = np.full(len(self.lines), np.nan)
        if not self.has_buildings:
            self.household_count = self.people_count = nothing
        elif np.isnan(self.homes).all():
            self.household_count = nothing
        return Surroundings(
            self.buildings.distance_m if self.has_buildings else nothing,
            self.voids.distance_m if len(self.voids.shapes) else nothing,
            self.household_count,
            np.round(self.people_count, _DIGITS),
            self._kinds(),
        )

    def _kinds(self) -> dict[str, Flags] | None:
        is_known = bool(len(self.places.shapes)) or bool(set(self.uses) - {"unknown"})
        if not is_known:
            return None
        kinds = dict(zip(self.uses, self.has_use, strict=True))
        return kinds | {SENSITIVE_PLACE: np.isfinite(self.places.distance_m)}


class _Layer:
    """Shapes of one layer in a tree, and how far the nearest one lies from each segment."""

    def __init__(self, shapes: Geometries, count: int) -> None:
        self.shapes = shapes
        self.tree = shapely.STRtree(shapes)
        self.distance_m = np.full(count, np.inf)

    def look(self, piece: Geometries, start: int, reach_m: float) -> tuple[Rows, Rows]:
        """Return the pairs of segments and shapes within reach, and keep the least distances."""
        row, shape = self.tree.query(piece, predicate="dwithin", distance=reach_m)
        np.minimum.at(self.distance_m, start + row, shapely.distance(piece[row], self.shapes[shape]))
        return row.astype(np.int64), shape.astype(np.int64)


def _shapes(frame: gpd.GeoDataFrame | None) -> Geometries:
    return np.empty(0, dtype=object) if frame is None else np.asarray(frame.geometry.array)


def _of_kind(context: gpd.GeoDataFrame | None, kind: str) -> gpd.GeoDataFrame | None:
    if context is None:
        return None
    return context[(text_column(context, "kind") == kind).to_numpy(dtype=bool)]


def _sums(row: Rows, weights: Floats, count: int) -> Floats:
    return np.bincount(row, weights=np.nan_to_num(weights), minlength=count).astype("float64")
