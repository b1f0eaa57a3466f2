"""What the pipes truly are: years, materials, protection, diameters. The census tells only part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from registry.city.parameters import Bools, Floats, Ints, Objects, load, rows
from registry.city.parcels import COMPOUND, Parcels
from registry.city.pipes import BRANCH, ENTRY, HEAT, MAIN, Pipes
from registry.city.streets import LANE, Streets, built_years

MATERIALS: Final = ("grey_iron", "ductile_iron", "steel", "galvanised_steel", "pe80", "pe100", "stainless_steel")
COATINGS: Final = ("none", "paint", "asphalt", "coal_tar", "tape", "epoxy", "pe3", "not_applicable")
PROTECTIONS: Final = ("none", "sacrificial", "impressed", "not_applicable")
JOINTS: Final = ("socket_lead", "mechanical", "weld", "thread", "fusion")
PRESSURES: Final = ("low", "medium_b", "medium_a")
LAYINGS: Final = ("buried", "duct", "trench", "trenchless", "overhead")
SURFACES: Final = ("carriageway", "pavement", "green", "courtyard")
STEEL, PE80 = MATERIALS.index("steel"), MATERIALS.index("pe80")


@dataclass(frozen=True)
class Truth:
    """True attributes per segment; numbers point into the tuples of this module."""

    installed_year: Ints
    material: Ints
    previous_year: Ints
    previous_material: Ints
    coating: Ints
    cathodic_protection: Ints
    joint: Ints
    diameter_mm: Ints
    is_outer: Bools
    pressure: Ints
    laying: Ints
    surface: Ints
    cover_depth_m: Floats
    in_compound: Bools


def by_period(table: list[dict[str, str]], names: tuple[str, ...], name: str, years: Ints, drawn: Floats) -> Ints:
    """Return per year the entry that the uniform number `drawn` falls on, by the shares of its period."""
    starts = sorted({int(row["from_year"]) for row in table})
    result = np.full(len(years), -1, dtype=np.int64)
    period = np.searchsorted(starts, years, side="right") - 1
    for number, start in enumerate(starts):
        mine = period == number
        entries = [row for row in table if int(row["from_year"]) == start]
        edges = np.cumsum([float(row["share"]) for row in entries])
        at = np.minimum(np.searchsorted(edges, drawn[mine] * edges[-1], side="right"), len(entries) - 1)
        result[mine] = np.array([names.index(row[name]) for row in entries])[at]
    return result


def materials_of(tier: str, years: Ints, drawn: Floats) -> Ints:
    """Draw materials of a tier by the year of laying."""
    return by_period([row for row in rows("materials") if row["tier"] == tier], MATERIALS, "material", years, drawn)


@dataclass(frozen=True)
class _Laid:
    """Year and material now, and those of the pipe that lay there before (year -1: none)."""

    year: Ints
    material: Ints
    previous_year: Ints
    previous_material: Ints

    def take(self, at: Ints) -> _Laid:
        return _Laid(self.year[at], self.material[at], self.previous_year[at], self.previous_material[at])


def _renewed(tier: str, first_year: Ints, factor: float, rng: np.random.Generator) -> _Laid:
    """Lay each unit in its first year and renew some of the old ones."""
    settings, last = load("city")["pipes"], load("city")["as_of"].year
    decades = np.maximum(last - 20 - first_year, 0) / 10
    earliest = np.maximum(settings["renewed_years"][0], first_year + 15)
    is_renewed = (rng.random(len(first_year)) < factor * settings["renewed_share_per_decade"] * decades) & (
        earliest <= settings["renewed_years"][1]
    )
    span = np.maximum(settings["renewed_years"][1] - earliest, 0)
    renewed = earliest + np.floor(rng.random(len(first_year)) * (span + 1)).astype(np.int64)
    material = materials_of(tier, first_year, rng.random(len(first_year)))
    newer = materials_of(tier, renewed, rng.random(len(first_year)))
    return _Laid(
        year=np.where(is_renewed, renewed, first_year),
        material=np.where(is_renewed, newer, material),
        previous_year=np.where(is_renewed, first_year, -1),
        previous_material=np.where(is_renewed, material, -1),
    )


def first_years(streets: Streets, parcels: Parcels, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return the first year of the main of each edge and of the courtyard pipes of each parcel."""
    settings, last = load("city")["pipes"], load("city")["as_of"].year - 1
    edge = np.clip(built_years(streets.reach, streets.run, rng), 1962, last)
    delay = np.floor(rng.exponential(settings["courtyard_delay_years"], parcels.count)).astype(np.int64)
    courtyard = np.maximum.reduce(
        [parcels.built_year, edge[parcels.gate_edge] + delay, np.full(parcels.count, settings["courtyard_first_year"])]
    )
    return edge, np.minimum(courtyard, last)


def _laid(pipes: Pipes, edge_year: Ints, parcel_year: Ints, rng: np.random.Generator) -> _Laid:
    settings, last = load("city")["pipes"], load("city")["as_of"].year
    heat_year = rng.integers(settings["heat_year"][0], settings["heat_year"][1] + 1, len(edge_year))
    nets = {
        MAIN: (_renewed("municipal", edge_year, 1.0, rng), pipes.edge),
        ENTRY: (_renewed("courtyard", parcel_year, settings["courtyard_renewed_factor"], rng), pipes.parcel),
        HEAT: (_renewed("heat", heat_year, 0.0, rng), pipes.edge),
    }
    columns = [np.full(pipes.count, -1, dtype=np.int64) for _ in range(4)]
    for net, (laid, unit) in nets.items():
        mine = (pipes.kind == net) if net != ENTRY else (pipes.kind >= ENTRY) & (pipes.kind <= BRANCH)
        here = laid.take(unit[mine])
        for column, values in zip(
            columns, (here.year, here.material, here.previous_year, here.previous_material), strict=True
        ):
            column[mine] = values
    # some single pieces were renewed after a burst or for a crossing
    year = columns[0]
    piece = (rng.random(pipes.count) < settings["segment_renewed_share"]) & (year < last - 15) & (pipes.kind != HEAT)
    piece_year = np.minimum(year + 12 + rng.integers(0, 25, pipes.count), last - 1)
    newer = materials_of("municipal", piece_year, rng.random(pipes.count))
    return _Laid(
        year=np.where(piece, piece_year, year),
        material=np.where(piece, newer, columns[1]),
        previous_year=np.where(piece, year, columns[2]),
        previous_material=np.where(piece, columns[1], columns[3]),
    )


def true_attributes(
    streets: Streets, parcels: Parcels, pipes: Pipes, years: np.random.Generator, rng: np.random.Generator
) -> Truth:
    """Draw all true attributes of the segments."""
    edge_year, parcel_year = first_years(streets, parcels, years)
    laid = _laid(pipes, edge_year, parcel_year, years)
    is_main, is_heat = pipes.kind == MAIN, pipes.kind == HEAT
    is_plastic = (laid.material == PE80) | (laid.material == PE80 + 1)
    is_steel = np.isin(laid.material, (STEEL, MATERIALS.index("galvanised_steel")))
    protection = [row for row in rows("protection") if row["column"] == "coating"]
    cathodic = [row for row in rows("protection") if row["column"] == "cathodic_protection"]
    unit = np.where(pipes.parcel >= 0, streets.count + pipes.parcel, pipes.edge)
    by_unit = rng.random((streets.count + parcels.count, 4))[unit]
    coating = np.where(
        is_steel, by_period(protection, COATINGS, "code", laid.year, by_unit[:, 0]), COATINGS.index("not_applicable")
    )
    anodes = np.where(
        laid.material == STEEL,
        by_period(cathodic, PROTECTIONS, "code", laid.year, by_unit[:, 1]),
        PROTECTIONS.index("not_applicable"),
    )
    road_class = streets.road_class[pipes.edge]
    wide = np.where(is_main | is_heat, road_class, np.where(pipes.kind == ENTRY, 4, 5))
    big = np.asarray([2, 1, 1, 0])[road_class]
    in_compound = (pipes.parcel >= 0) & (parcels.use[pipes.parcel] == COMPOUND)
    return Truth(
        installed_year=laid.year, material=laid.material,
        previous_year=laid.previous_year, previous_material=laid.previous_material,
        coating=coating, cathodic_protection=anodes,
        joint=_joints(laid, rng.random(pipes.count)),
        diameter_mm=_diameters(wide, is_plastic, by_unit[:, 2]),
        is_outer=is_plastic,
        pressure=np.where(is_main, big, np.where((pipes.kind == ENTRY) | (by_unit[:, 3] < 0.12), 1, 0)),
        laying=_layings(streets, pipes, is_steel, rng.random(pipes.count)),
        surface=_surfaces(streets, pipes, rng.random(pipes.count)),
        cover_depth_m=_covers(pipes, road_class, rng),
        in_compound=in_compound,
    )  # fmt: skip


def _joints(laid: _Laid, drawn: Floats) -> Ints:
    joint = np.full(len(drawn), JOINTS.index("fusion"))
    material = laid.material
    joint[material == STEEL] = JOINTS.index("weld")
    joint[material >= PE80 + 2] = JOINTS.index("weld")
    joint[material == MATERIALS.index("galvanised_steel")] = JOINTS.index("thread")
    iron = material <= 1
    flexible = np.where(material == 0, drawn < 0.15, drawn < 0.85)
    joint[iron] = np.where(flexible[iron], JOINTS.index("mechanical"), JOINTS.index("socket_lead"))
    return joint


def _diameters(place: Ints, is_plastic: Bools, drawn: Floats) -> Ints:
    names = ("arterial", "secondary", "branch", "lane", "entry", "courtyard")
    result = np.zeros(len(place), dtype=np.int64)
    for number, name in enumerate(names):
        for family, is_family in (("plastic", is_plastic), ("metal", ~is_plastic)):
            entries = [row for row in rows("diameters") if row["place"] == name and row["family"] == family]
            edges = np.cumsum([float(row["share"]) for row in entries])
            mine = (place == number) & is_family
            at = np.minimum(np.searchsorted(edges, drawn[mine] * edges[-1], side="right"), len(entries) - 1)
            result[mine] = np.array([int(row["diameter_mm"]) for row in entries])[at]
    return result


def _layings(streets: Streets, pipes: Pipes, is_steel: Bools, drawn: Floats) -> Ints:
    laying = np.where(drawn < 0.03, LAYINGS.index("duct"), LAYINGS.index("buried"))
    laying[(drawn > 0.985) & (pipes.parcel >= 0)] = LAYINGS.index("trench")
    main_road = (pipes.parcel < 0) & (streets.road_class[pipes.edge] <= 1)
    laying[main_road & (drawn > 0.95)] = LAYINGS.index("trenchless")
    laying[(pipes.parcel >= 0) & is_steel & (drawn > 0.992)] = LAYINGS.index("overhead")
    return laying


def _surfaces(streets: Streets, pipes: Pipes, drawn: Floats) -> Ints:
    is_lane = streets.road_class[pipes.edge] == LANE
    street = np.where(drawn < np.where(is_lane, 0.9, 0.45), 0, np.where(drawn < 0.85, 1, 2))
    return np.where(pipes.parcel < 0, street, np.where(drawn < 0.78, 3, 2))


def _covers(pipes: Pipes, road_class: Ints, rng: np.random.Generator) -> Floats:
    usual = np.where(pipes.parcel < 0, np.asarray([1.35, 1.2, 1.05, 0.9])[road_class], 0.75)
    spread: Floats = rng.lognormal(0.0, 0.2, pipes.count)
    return np.asarray(np.round(np.clip(usual * spread, 0.25, 4.5), 2), dtype=np.float64)


def words(names: tuple[str, ...], numbers: Ints) -> Objects:
    """Return the words of numbers; -1 gives None."""
    return np.array([*names, None], dtype=object)[numbers]
