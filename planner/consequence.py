"""Consequence: what a leak does, relative to the reference segment, as a sum of logarithms.

After the form of the British iron mains programme, P(incident | leak) = release x way in x ignition and harm, taken
apart into factors: the release by the pressure; the way in by the nearest building, the surface above and the nearest
void; the harm by the people near, whether they are hard to lead away, and the households that are cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.factors import Flags, Floats, band_factors, code_factors, entries_for, text_column
from planner.policy_models import Weights
from planner.policy_tables import CodeTable
from planner.pressure import pressure_class
from planner.surroundings import Near, find_surroundings


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


def consequence_parts(
    segments: gpd.GeoDataFrame,
    near: Near,
    weights: Weights,
    progress: Callable[[int], None] | None = None,
    supplied: Floats | None = None,
) -> ConsequenceParts:
    """Compute the contributions to the consequence; a table that says nothing about a medium adds nothing.

    The households that are cut off are those that the segment is expected to supply (`supplied`); where that is not
    known (NaN), those within reach stand in.

    Pressure comes from the class, else from the design pressure. Where no buildings, voids or uses are known at all,
    the factors take their documented defaults and are gaps; a building without a household count adds no household.
    """
    medium, tables = segments["medium"], weights.consequence
    around = find_surroundings(segments, near, tables, progress)
    households = around.household_count
    if supplied is not None:
        households = np.where(np.isnan(supplied), households, supplied)
    found = {
        "pressure": (
            "pressure_class",
            code_factors(pressure_class(segments, weights.pressure_limits), medium, tables.pressure),
        ),
        "building": ("building_distance", band_factors(around.building_m, medium, tables.building_distance_m)),
        "surface": ("surface", code_factors(_surface(segments), medium, tables.surface)),
        "void": ("void_distance", band_factors(around.void_m, medium, tables.void_distance_m)),
        "occupancy": ("people_count", band_factors(around.people_count, medium, tables.people)),
        "evacuation": ("building_use", _worst_kind(around.kinds, medium, tables.evacuation)),
        "household": ("household_count", band_factors(households, medium, tables.households)),
    }
    ln_parts = {name: np.log(factors) for name, (_, (factors, _)) in found.items()}
    return ConsequenceParts(ln_parts, {gap: gaps for gap, (_, gaps) in found.values()})


def _surface(segments: pd.DataFrame) -> pd.Series:
    return text_column(segments, "surface").fillna("unknown")


def _worst_kind(kinds: dict[str, Flags] | None, media: pd.Series, table: CodeTable) -> tuple[Floats, Flags]:
    """Return the highest factor of what stands within reach; what the table does not list is easy to lead away.

    A gap is where nothing is known at all, and where a building of unknown use may be the worst.
    """
    medium_codes, names = pd.factorize(media)
    factors, gaps = np.ones(len(media)), np.zeros(len(media), dtype=bool)
    for code, medium in [*enumerate(names), (-1, None)]:
        by_code = {entry.code: entry.factor for entry in entries_for(table.factors, medium)}
        rows = np.flatnonzero(medium_codes == code)
        if not by_code or not len(rows):
            continue
        if kinds is None:
            factors[rows], gaps[rows] = by_code["unknown"], True
            continue
        worst = np.full(len(rows), by_code["none"])
        for kind in kinds.keys() & by_code.keys() - {"unknown"}:
            worst = np.where(kinds[kind][rows], np.maximum(worst, by_code[kind]), worst)
        if "unknown" in kinds:
            gaps[rows] = kinds["unknown"][rows] & (worst < by_code["unknown"])
            worst = np.where(gaps[rows], by_code["unknown"], worst)
        factors[rows] = worst
    return factors, gaps
