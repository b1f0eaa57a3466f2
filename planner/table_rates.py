"""What the tables of the weights say of each segment: a factor for every attribute, and where it is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from planner.ages import install_years
from planner.factors import (
    Flags,
    Floats,
    band_factors,
    code_factors,
    entries_for,
    number_column,
    text_column,
)
from planner.ground import Ground, untold_ground
from planner.policy_models import Weights
from planner.policy_tables import DecadeFactor
from planner.pressure import pressure_class

# the contribution to which the factor of each attribute belongs, in the order in which they are added up
TERMS: Final = {
    "material": "material",
    "coating": "protection",
    "cathodic_protection": "protection",
    "diameter_mm": "diameter",
    "pressure_class": "pressure",
    "soil": "soil",
    "stray_current": "stray_current",
    "cover_depth_m": "cover",
    "road_class": "traffic",
    "joint": "joint",
}
_DECADE_YEARS: Final = 10.0


@dataclass(frozen=True)
class AttributeFactor:
    """The factor of one attribute by segment, 1 where it does not apply; a gap has the figure for `unknown`."""

    factor: Floats
    is_gap: Flags
    applies: Flags


def attribute_factors(
    segments: pd.DataFrame, weights: Weights, ground: Ground | None = None
) -> dict[str, AttributeFactor]:
    """Return the factor of every attribute that no time changes, by the name of the attribute, as in `TERMS`.

    Coating and cathodic protection count for the materials that can have them, soil and stray current for metals, the
    class of the road under a carriageway only. Where the surface is not known, the traffic is not either.
    """
    tables, ground = weights.likelihood, ground or untold_ground(segments)
    # both are looked up again and again: spelt out once
    medium = segments["medium"].astype("category")
    material = text_column(segments, "material").astype("category")
    is_protected = material.isin(list(tables.protected_materials)).to_numpy(dtype=bool)
    is_metal = material.isin(list(tables.metals)).to_numpy(dtype=bool)
    every = np.ones(len(segments), dtype=bool)
    coded = {
        "material": (material, tables.material, every),
        "coating": (text_column(segments, "coating"), tables.coating, is_protected),
        "cathodic_protection": (
            text_column(segments, "cathodic_protection"),
            tables.cathodic_protection,
            is_protected,
        ),
        "pressure_class": (pressure_class(segments, weights.pressure_limits), tables.pressure, every),
        "soil": (ground.soil, tables.soil, is_metal),
        "stray_current": (ground.stray_current, tables.stray_current, is_metal),
        "road_class": (_traffic_codes(segments, ground, tables.traffic_surfaces), tables.traffic, every),
        "joint": (text_column(segments, "joint"), tables.joint, every),
    }
    found = {name: _applied(*code_factors(values, medium, table), at) for name, (values, table, at) in coded.items()}
    for name, bands in (("diameter_mm", tables.diameter_mm), ("cover_depth_m", tables.cover_depth_m)):
        found[name] = _applied(*band_factors(number_column(segments, name), medium, bands), every)
    return {name: found[name] for name in TERMS}


def base_rates(segments: pd.DataFrame, weights: Weights) -> Floats:
    """Return the leaks per kilometre and year of the reference segment of each medium."""
    medium = segments["medium"].astype("category")
    return code_factors(medium, medium, weights.likelihood.base_per_km_year)[0]


def decade_factors(segments: pd.DataFrame, weights: Weights) -> Floats:
    """Return the factor of material and decade of installation, as its mean over the install interval.

    Every day of the interval is as likely. Where only one end is known, that year is taken; without any, 1.
    """
    begin, last = install_years(segments)
    end = last + 1.0
    factors = np.ones(len(segments))
    material = text_column(segments, "material").astype("category")
    codes, media = pd.factorize(segments["medium"].astype("category"))
    for code, medium in enumerate(media):
        for entry in entries_for(weights.likelihood.decade, str(medium)):
            rows = np.flatnonzero((codes == code) & (material == entry.code).to_numpy(dtype=bool))
            factors[rows] += (entry.factor - 1.0) * _share_in_decade(begin[rows], end[rows], entry)
    return factors


def steady_rates(segments: pd.DataFrame, weights: Weights) -> Floats:
    """Return the leaks per kilometre and year at the reference age, by the tables alone, of segments out of context.

    Every unknown attribute has the figure for `unknown`; nothing is told of the ground.
    """
    rate = base_rates(segments, weights) * decade_factors(segments, weights)
    for found in attribute_factors(segments, weights).values():
        rate = rate * found.factor
    return rate


def _applied(factor: Floats, is_gap: Flags, applies: Flags) -> AttributeFactor:
    return AttributeFactor(np.where(applies, factor, 1.0), is_gap & applies, applies)


def _share_in_decade(begin: Floats, end: Floats, entry: DecadeFactor) -> Floats:
    inside = np.minimum(end, entry.decade + _DECADE_YEARS) - np.maximum(begin, float(entry.decade))
    share: Floats = np.nan_to_num(np.maximum(inside, 0.0) / (end - begin))
    return share


def is_surface_known(segments: pd.DataFrame) -> Flags:
    """Tell which segments have a known surface above them."""
    surface = text_column(segments, "surface")
    return (surface.notna() & (surface != "unknown")).to_numpy(dtype=bool, na_value=False)


def _traffic_codes(segments: pd.DataFrame, ground: Ground, surfaces: tuple[str, ...]) -> pd.Series:
    """Return the class of the road over a pipe, `off` where it lies beside the traffic; missing where not known."""
    surface = text_column(segments, "surface")
    is_under = surface.isin(list(surfaces)).to_numpy(dtype=bool)
    is_beside = is_surface_known(segments) & ~is_under
    codes, names = pd.factorize(ground.road_class.replace("unknown", np.nan))
    table = np.array([*names, "off", "unknown"], dtype=object)
    chosen = np.where(is_beside, len(names), np.where(is_under & (codes >= 0), codes, len(names) + 1))
    return pd.Series(pd.Categorical.from_codes(chosen, pd.Index(table)), index=segments.index)
