"""The seeded synthetic city: all delivery tables of one town, and the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from registry.city.census import segment_census, texts
from registry.city.digs import make_digs, make_utility_programme
from registry.city.events import make_events
from registry.city.faults import FaultList, spoil_leaks, spoil_projects, spoil_segments
from registry.city.hazard import Hazard, draw_leaks, make_hazard, rate_at, year_of
from registry.city.lattice import make_lattice
from registry.city.leak_records import make_leak_records
from registry.city.meetings import class_renovations, make_pavements, number_roads, place_works
from registry.city.names import compound_names, numbered, place_names, street_names
from registry.city.parameters import Bools, Floats, Objects, load, streams
from registry.city.parcels import COMPOUND, Parcels, make_parcels
from registry.city.pipes import HEAT, Ground, Pipes, building_grid, cut_to_size, lay_pipes
from registry.city.places import make_buildings, make_compounds, make_customers, make_risers, make_roads
from registry.city.programmes import make_compound_programme, make_road_programme
from registry.city.streets import make_streets
from registry.city.surroundings import Districts, Soil, make_context, make_valves
from registry.city.surveys import make_surveys
from registry.city.truth import COATINGS, MATERIALS, PROTECTIONS, Truth, true_attributes, words
from registry.errors import DigonceError


class CityError(DigonceError, ValueError):
    """A synthetic city of this size or seed cannot be made."""


@dataclass(frozen=True)
class City:
    """A city in memory: tables with the Chinese headings and words of its delivery files, faulty rows included.

    `truth` holds tables with English names that no importer, model or planner may see: `segments` (true attributes
    and hazard), `leaks`, `events` and `digs` (the segment of each), `faults` (injected rows). `parameters` is what the
    generator was run with.
    """

    segments: gpd.GeoDataFrame
    leaks: pd.DataFrame
    events: pd.DataFrame
    digs: pd.DataFrame
    roads: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    compounds: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    valves: gpd.GeoDataFrame
    customers: pd.DataFrame
    risers: pd.DataFrame
    compound_programme: pd.DataFrame
    road_programme: pd.DataFrame
    utility_programme: pd.DataFrame
    pavements: gpd.GeoDataFrame
    moratoria: pd.DataFrame
    context: gpd.GeoDataFrame
    surveys: pd.DataFrame
    truth: dict[str, pd.DataFrame]
    parameters: dict[str, Any]


def make_city(segment_count: int, seed: int) -> City:
    """Make a synthetic city of about `segment_count` segments (within 3 %); the same arguments give the same city.

    Raises
    ------
    CityError
        If the size or the seed cannot be used.
    """
    town = load("city")
    if segment_count < town["smallest_segment_count"]:
        raise CityError("city_too_small", smallest=town["smallest_segment_count"], asked=segment_count)
    if seed < 0:
        raise CityError("city_seed_negative", seed=seed)
    rng = streams(seed)
    ground = _build(segment_count, seed)
    return _write_up(ground, segment_count, seed, rng)


def _build(segment_count: int, seed: int) -> Ground:
    """Lay out a city a little too large and keep the wanted number of segments nearest to the centre."""
    per_cell = load("city")["lattice"]["segments_per_cell"]
    cells = ceil(sqrt(segment_count / per_cell)) + 2
    while True:
        # every attempt starts from the seed, so that the size alone decides
        rng = streams(seed)
        lattice = make_lattice(cells, rng["lattice"])
        streets = make_streets(lattice, rng["streets"])
        parcels = make_parcels(lattice, streets, rng["parcels"])
        cut = cut_to_size(streets, parcels, segment_count)
        if cut is not None:
            return Ground(lattice, *cut, lay_pipes(lattice, *cut))
        cells = ceil(cells * 1.06) + 1


def _middles(ground: Ground) -> tuple[Floats, Floats]:
    """Return lattice coordinates near the middle of every segment."""
    streets, parcels, pipes = ground.streets, ground.parcels, ground.pipes
    share = (pipes.part + 0.5) / streets.parts[pipes.edge]
    p = streets.p0[pipes.edge] + share * (streets.p1[pipes.edge] - streets.p0[pipes.edge])
    q = streets.q0[pipes.edge] + share * (streets.q1[pipes.edge] - streets.q0[pipes.edge])
    yard = pipes.parcel >= 0
    of = pipes.parcel[yard]
    p[yard] = parcels.column[of] + (parcels.u0[of] + parcels.u1[of]) / 2
    q[yard] = parcels.row[of] + (parcels.v0[of] + parcels.v1[of]) / 2
    return p, q


@dataclass(frozen=True)
class _Labels:
    """Ids and names of everything; None where a thing has none."""

    segment_id: Objects
    compound_id: Objects
    compound: Objects
    place: Objects
    street: Objects

    def of_pipes(self, pipes: Pipes) -> tuple[Objects, Objects]:
        """Return street and compound of each segment: a main has a street, a courtyard pipe a compound."""
        street, compound = self.street[pipes.edge], self.compound[pipes.parcel]
        compound[pipes.parcel < 0] = None
        street[pipes.parcel >= 0] = None
        return street, compound


def _label(ground: Ground, rng: np.random.Generator) -> _Labels:
    parcels = ground.parcels
    is_compound = (parcels.use == COMPOUND) & (parcels.building_count > 0)
    street = street_names(ground.streets, ground.lattice.rows, rng)
    compound_id = np.full(parcels.count, None, dtype=object)
    compound_id[is_compound] = numbered("XQ", int(is_compound.sum()), 5)
    return _Labels(
        segment_id=_segment_ids(ground.pipes),
        compound_id=compound_id,
        compound=compound_names(parcels, is_compound, rng),
        place=place_names(parcels, rng),
        street=street,
    )


def _write_up(ground: Ground, segment_count: int, seed: int, rng: dict[str, np.random.Generator]) -> City:
    lattice, streets, parcels, pipes = ground.lattice, ground.streets, ground.parcels, ground.pipes
    crs = f"EPSG:{load('city')['epsg']}"
    labels = _label(ground, rng["names"])
    truth = true_attributes(streets, parcels, pipes, rng["years"], rng["attributes"])
    soil, districts = Soil(lattice, rng["context"]), Districts(streets, segment_count)
    middle = _middles(ground)
    is_corrosive = soil.holds(*middle)
    hazard = make_hazard(streets, pipes, truth, is_corrosive, parcels.count, rng["hazard"])
    district = districts.number(*middle)
    leaks, *expected, surveyed = draw_leaks(pipes, hazard, district, districts.count, rng["leaks"])
    buildings = make_buildings(lattice, parcels, labels.compound_id, labels.place, crs, rng["buildings"])
    roads = make_roads(lattice, streets, labels.street, crs, rng["streets"])
    compounds = make_compounds(lattice, parcels, labels.compound, labels.compound_id, buildings, crs)
    street, compound = labels.of_pipes(pipes)
    segments, is_wrong = segment_census(labels.segment_id, pipes, truth, street, compound, crs, rng["census"])
    addresses = _addresses(parcels, labels.compound, labels.place, buildings)
    leak_labels = _leak_labels(pipes, labels.segment_id, street, addresses, buildings)
    records, true_leaks = make_leak_records(leaks, ground, truth, leak_labels, rng["leaks"])
    events, true_events = make_events(pipes, truth, labels.segment_id, leak_labels["address"], rng["events"])
    digs, true_digs = make_digs(pipes, truth, labels.segment_id, roads, rng["digs"])
    flags = {"is_corrosive_soil": is_corrosive, "is_material_wrong_in_census": is_wrong}
    district_frame = districts.frame(lattice, crs)
    gas_km = np.zeros(districts.count)
    np.add.at(gas_km, district, pipes.length_m / 1000.0 * (pipes.kind != HEAT))
    faults = FaultList()
    compound_programme, road_programme, bans = _programmes(roads, compounds, faults, rng)
    return City(
        segments=spoil_segments(segments, faults, rng["faults"]),
        leaks=spoil_leaks(records, faults, rng["faults"]),
        events=events,
        digs=digs,
        roads=number_roads(roads),
        buildings=buildings,
        compounds=compounds,
        districts=district_frame,
        valves=make_valves(pipes, truth, labels.segment_id, crs, rng["fittings"]),
        customers=make_customers(pipes, parcels, buildings, labels.segment_id, addresses, rng["customers"]),
        risers=make_risers(parcels, buildings, labels.compound_id, labels.compound, rng["customers"]),
        compound_programme=compound_programme,
        road_programme=road_programme,
        utility_programme=make_utility_programme(roads, faults, rng["digs"]),
        pavements=make_pavements(roads),
        moratoria=bans,
        context=make_context(lattice, streets, parcels, soil, labels.place, crs, rng["context"]),
        surveys=make_surveys(surveyed, district_frame["区划名称"], gas_km, street, rng["surveys"]),
        truth={
            "segments": _true_segments(labels.segment_id, pipes, truth, hazard, (expected[0], expected[1]), flags),
            "leaks": true_leaks,
            "events": true_events,
            "digs": true_digs,
            "faults": faults.frame(),
        },
        parameters=_parameters(segment_count, seed),
    )


def _programmes(
    roads: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame, faults: FaultList, rng: dict[str, np.random.Generator]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return compound and road programme, some rows of which name a place that does not exist, and dig bans."""
    absent = load("names")["sheets"]
    by_road, bans = place_works(make_road_programme(roads, rng["programmes"]), roads, rng["meetings"])
    by_compound = class_renovations(make_compound_programme(compounds, rng["programmes"]))
    draw = rng["faults"]
    return (
        spoil_projects(by_compound, "compounds.xlsx", "小区名称", absent["absent_compounds"], faults, draw),
        spoil_projects(by_road, "road_programme.xlsx", "道路名称", absent["absent_streets"], faults, draw),
        bans,
    )


def _leak_labels(
    pipes: Pipes, segment_ids: Objects, street: Objects, addresses: Objects, buildings: gpd.GeoDataFrame
) -> dict[str, Objects]:
    return {
        "segment_id": segment_ids,
        "medium": np.where(pipes.kind == HEAT, "heat", "gas").astype(object),
        "address": _segment_addresses(pipes, street, addresses),
        "building_at": shapely.get_coordinates(shapely.centroid(buildings.geometry.to_numpy())),
    }


def _parameters(segment_count: int, seed: int) -> dict[str, Any]:
    files = ("city", "census", "hazard", "programmes", "events", "meetings", "digs", "surveys")
    return {"segment_count": segment_count, "seed": seed} | {name: load(name) for name in files}


def _segment_ids(pipes: Pipes) -> Objects:
    """Number gas and heat pipes apart, as two companies would."""
    is_heat = pipes.kind == HEAT
    ids = np.full(pipes.count, None, dtype=object)
    ids[~is_heat] = numbered("RQ", int((~is_heat).sum()), 7)
    ids[is_heat] = numbered("RL", int(is_heat.sum()), 6)
    return ids


def _addresses(parcels: Parcels, compound: Objects, places: Objects, buildings: gpd.GeoDataFrame) -> Objects:
    """Return an address for each building: compound and number, or the name of the place."""
    of, _, _ = building_grid(parcels)
    is_home = parcels.use[of] == COMPOUND
    address = places[of].copy()
    labels = buildings["楼栋名称"].to_numpy(dtype=object)
    address[is_home] = compound[of][is_home] + labels[is_home]
    return address


def _segment_addresses(pipes: Pipes, street: Objects, addresses: Objects) -> Objects:
    near = load("names")["sheets"]["address_near"]
    yard = pipes.parcel >= 0
    result = np.full(pipes.count, None, dtype=object)
    result[~yard] = street[~yard] + near
    result[yard] = addresses[pipes.building[yard]]
    return result


def _true_segments(
    ids: Objects,
    pipes: Pipes,
    truth: Truth,
    hazard: Hazard,
    expected: tuple[Floats, Floats],
    flags: dict[str, Bools],
) -> pd.DataFrame:
    now = year_of(load("city")["as_of"])
    none_before = truth.previous_year < 0
    return pd.DataFrame(
        {
            "segment_id": texts(ids),
            "length_m": pipes.length_m,
            "material": texts(words(MATERIALS, truth.material)),
            "installed_year": truth.installed_year,
            "coating": texts(words(COATINGS, truth.coating)),
            "cathodic_protection": texts(words(PROTECTIONS, truth.cathodic_protection)),
            "diameter_mm": truth.diameter_mm,
            "cover_depth_m": truth.cover_depth_m,
            "previous_material": texts(words(MATERIALS, truth.previous_material)),
            "previous_installed_year": pd.Series(truth.previous_year, dtype="Int64").mask(pd.Series(none_before)),
            **flags,
            "street_effect": hazard.street_effect,
            "segment_effect": hazard.segment_effect,
            "hazard_per_km_year": rate_at(hazard.steady, hazard.exponent, now - hazard.installed_at),
            "expected_leaks": expected[0],
            "expected_predecessor_leaks": expected[1],
        }
    )
