"""Consequence: what a leak does, relative to the reference segment, as a sum of logarithms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from planner.factors import Flags, Floats, band_factors, code_factors, number_column, text_column
from planner.policy_models import Weights
from planner.pressure import pressure_class

_CHUNK: Final = 100_000


@dataclass(frozen=True)
class ConsequenceParts:
    """The contributions of each segment, their sum, and which attributes were unknown."""

    ln_parts: dict[str, Floats]
    gaps: dict[str, Flags]

    @property
    def ln_consequence(self) -> Floats:
        """The logarithm of the consequence: the sum of the contributions."""
        total: Floats = np.sum(list(self.ln_parts.values()), axis=0)
        return total


@dataclass(frozen=True)
class Neighbourhood:
    """What stands near each segment: nearest building (infinite beyond reach) and households within reach."""

    distance_m: Floats
    household_count: Floats


def consequence_parts(
    segments: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame | None,
    weights: Weights,
    progress: Callable[[int], None] | None = None,
    supplied: Floats | None = None,
) -> ConsequenceParts:
    """Compute the contributions to the consequence: pressure, nearest building, surface, households.

    The households are those within reach or, where these are more, those that the segment is expected to supply
    (`supplied`, NaN where unknown).

    Pressure comes from the class, else from the design pressure; it applies to media that the weights list. Where no
    buildings are known at all, distance and households are gaps; a building without a household count adds none.
    """
    medium, tables = segments["medium"], weights.consequence
    pressure, no_pressure = code_factors(pressure_class(segments, weights.pressure_limits), medium, tables.pressure)
    surface, no_surface = code_factors(text_column(segments, "surface"), medium, tables.surface)
    near = neighbourhood(segments, buildings, tables.building_reach_m.value, progress)
    building, no_building = band_factors(near.distance_m, medium, tables.building_distance_m)
    households = near.household_count if supplied is None else np.fmax(near.household_count, supplied)
    household, no_household = band_factors(households, medium, tables.households)
    parts = {"pressure": pressure, "building": building, "surface": surface, "household": household}
    gaps = {
        "pressure_class": no_pressure,
        "surface": no_surface,
        "building_distance": no_building,
        "household_count": no_household,
    }
    return ConsequenceParts({name: np.log(factor) for name, factor in parts.items()}, gaps)


def neighbourhood(
    segments: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame | None,
    reach_m: float,
    progress: Callable[[int], None] | None = None,
) -> Neighbourhood:
    """Find for each segment the nearest building and the households within reach.

    NaN where nothing can be said: no buildings at all, or no household counts at all.
    """
    count = len(segments)
    if buildings is None or buildings.empty:
        return Neighbourhood(np.full(count, np.nan), np.full(count, np.nan))
    homes = number_column(buildings, "household_count")
    distance = np.full(count, np.inf)
    household_count = np.zeros(count)
    footprints: NDArray[Any] = np.asarray(buildings.geometry.array)
    lines: NDArray[Any] = np.asarray(segments.geometry.array)
    tree = shapely.STRtree(footprints)
    # pieces keep the pairs of a million segments from filling the memory
    for start in range(0, count, _CHUNK):
        piece = lines[start : start + _CHUNK]
        row, building = tree.query(piece, predicate="dwithin", distance=reach_m)
        np.minimum.at(distance, start + row, shapely.distance(piece[row], footprints[building]))
        household_count += np.bincount(start + row, weights=np.nan_to_num(homes[building]), minlength=count)
        if progress is not None:
            progress(len(piece))
    if np.isnan(homes).all():
        household_count[:] = np.nan
    return Neighbourhood(distance, household_count)
