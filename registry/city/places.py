"""Roads, compounds, buildings, riser groups and customers as delivered."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from registry.city.census import spelled, texts, told_years, year_settings
from registry.city.lattice import Lattice
from registry.city.names import numbered
from registry.city.parameters import Floats, Ints, Objects, load
from registry.city.parcels import COMPOUND, Parcels
from registry.city.pipes import BRANCH, Pipes, building_grid, parcel_points
from registry.city.streets import Streets, pavements
from registry.city.truth import MATERIALS, materials_of, words

CLASS_WORDS = ("主干路", "次干路", "支路", "街巷")
USE_WORDS = ("住宅", "学校", "医院", "商业", "公共", "工业")
_CENTRELINE = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


def centrelines(lattice: Lattice, streets: Streets, edge: Ints) -> Objects:
    """Return the centrelines of edges."""
    along = np.tile(_CENTRELINE, len(edge))
    of = np.repeat(edge, len(_CENTRELINE))
    p = streets.p0[of] + along * (streets.p1[of] - streets.p0[of])
    q = streets.q0[of] + along * (streets.q1[of] - streets.q0[of])
    points = np.round(lattice.place(p, q), 3).reshape(-1, len(_CENTRELINE), 2)
    return np.asarray(shapely.linestrings(points), dtype=object)


def make_roads(
    lattice: Lattice, streets: Streets, names: Objects, crs: str, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Write the delivery of roads: one row per edge between two crossings."""
    edge = np.flatnonzero(streets.is_built)
    settings, as_of = load("city")["streets"], load("city")["as_of"]
    run_opened = 1962 + 50 * streets.reach + rng.normal(0, 4, int(streets.run.max()) + 1)[streets.run]
    opened_year = np.clip(np.round(run_opened), 1955, as_of.year - 1).astype(np.int64)[edge]
    opened = _days_in(opened_year, rng)
    # an overhaul takes a whole run at once
    run_offset = rng.integers(8, 48, int(streets.run.max()) + 1)[streets.run[edge]]
    overhauled_year = opened_year + run_offset
    is_overhauled = (overhauled_year < as_of.year) & (
        rng.random(int(streets.run.max()) + 1)[streets.run[edge]] < settings["overhaul_share"] * 2
    )
    overhauled = pd.Series(_days_in(overhauled_year, rng)).where(pd.Series(is_overhauled))
    is_told = rng.random(len(edge)) > load("census")["other"]["year_blank_share"]
    opened_told = pd.Series(opened).where(pd.Series(is_told))
    pavement = np.array(settings["pavement_words"], dtype=object)[pavements(streets.road_class[edge], rng)]
    columns = {
        "道路编号": texts(numbered("DL", len(edge), 6)),
        "道路名称": texts(names[edge]),
        "道路等级": texts(np.array(CLASS_WORDS, dtype=object)[streets.road_class[edge]]),
        "路宽": pd.Series(streets.width_m[edge]),
        "路面类型": texts(pavement),
        "通车日期": opened_told,
        "大修竣工日期": overhauled,
    }
    return gpd.GeoDataFrame(columns, geometry=centrelines(lattice, streets, edge), crs=crs)


def _days_in(years: Ints, rng: np.random.Generator) -> Objects:
    day = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]") + rng.integers(0, 364, len(years))
    result: Objects = day.astype("datetime64[s]")
    return result


def make_buildings(
    lattice: Lattice, parcels: Parcels, compound_ids: Objects, names: Objects, crs: str, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Write the delivery of buildings: rectangles in rows, turned with their block."""
    of, row, column = building_grid(parcels)
    step = parcels.length_m + parcels.gap_m
    shift = rng.uniform(-1.2, 1.2, (len(of), 2))
    p, q = parcel_points(
        parcels,
        of,
        column * step[of] + parcels.length_m[of] / 2 + shift[:, 0],
        row * parcels.row_m[of] + parcels.depth_m[of] / 2 + shift[:, 1] / 2,
    )
    shapes = _rectangles(lattice, p, q, parcels.length_m[of], parcels.depth_m[of])
    is_home = parcels.use[of] == COMPOUND
    floors = np.maximum(parcels.floors[of] + rng.integers(-1, 2, len(of)) * (rng.random(len(of)) < 0.25), 1)
    households = np.where(is_home, floors * parcels.flats_per_floor[of], 0)
    number = row * np.maximum(parcels.grid_columns[of], 1) + column + 1
    label = number.astype("str").astype(object) + load("names")["sheets"]["building_suffix"]
    other = names[of]
    built = parcels.built_year[of].astype("str").astype(object)
    built[rng.random(len(of)) < load("census")["other"]["year_blank_share"]] = None
    columns = {
        "建筑编号": texts(numbered("JZ", len(of), 7)),
        "楼栋名称": texts(np.where(is_home, label, other)),
        "用途": texts(np.array(USE_WORDS, dtype=object)[parcels.use[of]]),
        "建成年代": texts(built),
        "层数": pd.Series(floors, dtype="Int64"),
        "户数": pd.Series(households, dtype="Int64"),
        "小区编号": texts(compound_ids[of]),
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


def _rectangles(lattice: Lattice, p: Floats, q: Floats, length_m: Floats, depth_m: Floats) -> Objects:
    centre = lattice.place(p, q)
    along, across = lattice.frame(p, q)
    # where the ground is squeezed, buildings are smaller, never overlapping
    half_length = length_m * np.minimum(np.hypot(*along.T), 1.0) / 2
    half_depth = depth_m * np.minimum(np.hypot(*across.T), 1.0) / 2
    along = along / np.hypot(*along.T)[:, None]
    upward = np.column_stack([-along[:, 1], along[:, 0]])
    corners = [
        centre + east * half_length[:, None] * along + north * half_depth[:, None] * upward
        for east, north in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    ]
    return np.asarray(shapely.polygons(np.round(np.stack(corners, axis=1), 2)), dtype=object)


def make_compounds(
    lattice: Lattice, parcels: Parcels, names: Objects, ids: Objects, buildings: gpd.GeoDataFrame, crs: str
) -> gpd.GeoDataFrame:
    """Write the delivery of residential compounds."""
    where = np.flatnonzero(ids != None)  # noqa: E711 - element by element
    of, _, _ = building_grid(parcels)
    households = np.bincount(of, weights=buildings["户数"].to_numpy(dtype=np.float64), minlength=parcels.count)
    columns = {
        "小区编号": texts(ids[where]),
        "小区名称": texts(names[where]),
        "建成年代": texts(parcels.built_year[where].astype("str").astype(object)),
        "楼栋数": pd.Series(parcels.building_count[where], dtype="Int64"),
        "户数": pd.Series(households[where].astype(np.int64), dtype="Int64"),
    }
    return gpd.GeoDataFrame(columns, geometry=parcel_shapes(lattice, parcels, where), crs=crs)


def parcel_shapes(lattice: Lattice, parcels: Parcels, where: Ints) -> Objects:
    """Return the boundary of parcels, inside the streets around them."""
    west, south, east, north = parcels.inset_m[where].T
    left = parcels.column[where] + parcels.u0[where] + (west + 0.8) / parcels.wide_m[where]
    right = parcels.column[where] + parcels.u1[where] - (east + 0.8) / parcels.wide_m[where]
    low = parcels.row[where] + parcels.v0[where] + (south + 0.8) / parcels.high_m[where]
    high = parcels.row[where] + parcels.v1[where] - (north + 0.8) / parcels.high_m[where]
    middle_p, middle_q = (left + right) / 2, (low + high) / 2
    ring = [
        (left, low), (middle_p, low), (right, low), (right, middle_q), (right, high),
        (middle_p, high), (left, high), (left, middle_q), (left, low),
    ]  # fmt: skip
    corners = np.stack([lattice.place(p, q) for p, q in ring], axis=1)
    return np.asarray(shapely.polygons(np.round(corners, 2)), dtype=object)


def make_risers(
    parcels: Parcels, buildings: gpd.GeoDataFrame, ids: Objects, names: Objects, rng: np.random.Generator
) -> pd.DataFrame:
    """Write the riser groups: one per residential building with gas, booked at a stated length per household."""
    of, _, _ = building_grid(parcels)
    where = np.flatnonzero(parcels.has_gas[of] & (parcels.use[of] == COMPOUND))
    flats = parcels.flats_per_floor[of[where]]
    first_year = np.maximum(parcels.built_year[of[where]], load("city")["pipes"]["courtyard_first_year"])
    years = np.minimum(first_year + rng.integers(0, 2, len(where)), load("city")["as_of"].year - 1)
    told, source = told_years(years, year_settings(), rng)
    material = spelled("material", words(MATERIALS, materials_of("riser", years, rng.random(len(where)))), rng)
    return pd.DataFrame(
        {
            "立管组编号": texts(numbered("LG", len(where), 7)),
            "小区编号": texts(ids[of[where]]),
            "小区名称": texts(names[of[where]]),
            "建筑编号": buildings["建筑编号"].take(where).reset_index(drop=True),
            "立管根数": pd.Series(flats, dtype="Int64"),
            "户数": buildings["户数"].take(where).reset_index(drop=True),
            "每户米数": pd.Series(np.full(len(where), 3.0)),
            "管材": texts(material),
            "建设年代": texts(told),
            "年代来源": texts(source),
        }
    )


def make_customers(
    pipes: Pipes,
    parcels: Parcels,
    buildings: gpd.GeoDataFrame,
    segment_ids: Objects,
    addresses: Objects,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Write the customers: one row per supplied building; X is the northing, as in surveys here."""
    settings = load("census")["other"]
    segment = np.flatnonzero(pipes.kind == BRANCH)
    building = pipes.building[segment]
    of, _, _ = building_grid(parcels)
    kind = np.array(["居民", "公服", "公服", "商业", "公服", "工业"], dtype=object)[parcels.use[of[building]]]
    named = segment_ids[segment].copy()
    named[rng.random(len(segment)) > settings["segment_named_share"]] = None
    points = pipes.nodes[pipes.end[segment]].copy()
    points[rng.random(len(segment)) < settings["position_missing_share"]] = np.nan
    households = buildings["户数"].take(building).reset_index(drop=True)
    return pd.DataFrame(
        {
            "用户编号": texts(numbered("YH", len(segment), 7)),
            "用户类别": texts(kind),
            "户数": households.where(households > 0),
            "建筑编号": buildings["建筑编号"].take(building).reset_index(drop=True),
            "管段编号": texts(named),
            "地址": texts(addresses[building]),
            "X": pd.Series(points[:, 1]),
            "Y": pd.Series(points[:, 0]),
        }
    )


def day_of(at_year: Floats) -> Objects:
    """Return instants in years as days."""
    whole = np.floor(at_year).astype(np.int64)
    start = (whole - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    size = ((whole - 1969).astype("datetime64[Y]").astype("datetime64[D]") - start).astype(np.int64)
    days: Objects = start + np.floor((at_year - whole) * size).astype("timedelta64[D]")
    return days


def as_day(day: date) -> np.datetime64:
    """Return a date as numpy has it."""
    return np.datetime64(day, "D")
