"""Districts, corrosive ground, river, railway and parks, manholes, and the valves and regulators on the pipes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from registry.city.census import texts, told_years, year_settings
from registry.city.lattice import Lattice
from registry.city.names import numbered
from registry.city.parameters import Bools, Floats, Ints, Objects, load
from registry.city.parcels import PARK, Parcels
from registry.city.pipes import ENTRY, MAIN, Pipes, beside_street
from registry.city.places import parcel_shapes
from registry.city.streets import Streets
from registry.city.truth import Truth

_SOIL_TILE = 7
_GRIDS = ((0, 2, 2), (2500, 3, 2), (20000, 3, 3), (100000, 4, 3))


class Districts:
    """A tiling of the city into a few districts, cut along lattice lines."""

    def __init__(self, streets: Streets, segment_count: int) -> None:
        built = streets.is_built
        self.columns, self.rows = next((c, r) for least, c, r in reversed(_GRIDS) if segment_count >= least)
        low_p, high_p = streets.p0[built].min(), streets.p1[built].max()
        low_q, high_q = streets.q0[built].min(), streets.q1[built].max()
        self.cuts_p = np.round(np.linspace(low_p, high_p, self.columns + 1))
        self.cuts_q = np.round(np.linspace(low_q, high_q, self.rows + 1))

    @property
    def count(self) -> int:
        """Number of districts."""
        return self.columns * self.rows

    def number(self, p: Floats, q: Floats) -> Ints:
        """Return the district of lattice coordinates."""
        column = np.clip(np.searchsorted(self.cuts_p, p, side="right") - 1, 0, self.columns - 1)
        row = np.clip(np.searchsorted(self.cuts_q, q, side="right") - 1, 0, self.rows - 1)
        return row * self.columns + column

    def frame(self, lattice: Lattice, crs: str) -> gpd.GeoDataFrame:
        """Write the delivery of districts; the outer ones reach a little past the last street."""
        cuts_p, cuts_q = self.cuts_p.copy(), self.cuts_q.copy()
        cuts_p[[0, -1]] += (-0.4, 0.4)
        cuts_q[[0, -1]] += (-0.4, 0.4)
        shapes = []
        for row in range(self.rows):
            for column in range(self.columns):
                ps = np.unique(np.concatenate([_steps(cuts_p[column], cuts_p[column + 1])]))
                qs = np.unique(np.concatenate([_steps(cuts_q[row], cuts_q[row + 1])]))
                p = np.concatenate([ps, np.full(len(qs), ps[-1]), ps[::-1], np.full(len(qs), ps[0])])
                q = np.concatenate([np.full(len(ps), qs[0]), qs, np.full(len(ps), qs[-1]), qs[::-1]])
                shapes.append(shapely.Polygon(np.round(lattice.place(p, q), 2)))
        names = load("names")["districts"]["names"][: self.count]
        columns = {
            "区划编号": texts(numbered("370685", self.count, 3)),
            "区划名称": texts(np.array(names, dtype=object)),
        }
        return gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)


def _steps(low: float, high: float) -> Floats:
    inner = np.arange(np.ceil(low), np.floor(high) + 0.25, 0.5)
    return np.unique(np.concatenate([[low], inner[(inner > low) & (inner < high)], [high]]))


class Soil:
    """Patches of corrosive ground in lattice coordinates, at most one per tile."""

    def __init__(self, lattice: Lattice, rng: np.random.Generator) -> None:
        side = (max(lattice.columns, lattice.rows) // _SOIL_TILE) + 1
        self.radius = rng.uniform(1.2, 2.3, (side, side))
        room = _SOIL_TILE / 2 - self.radius * 1.25
        middle = np.arange(side) * _SOIL_TILE + _SOIL_TILE / 2
        self.p = middle[None, :] + rng.uniform(-1, 1, (side, side)) * room
        self.q = middle[:, None] + rng.uniform(-1, 1, (side, side)) * room
        self.phase = rng.uniform(0, 2 * np.pi, (side, side))
        self.is_there = rng.random((side, side)) < 0.42
        self.is_there[side // 2, side // 2] = True
        self.is_strong = rng.random((side, side)) < 0.4

    def _reach(self, angle: Floats, row: Ints, column: Ints) -> Floats:
        phase = self.phase[row, column]
        lobes = 0.15 * np.sin(2 * angle + phase) + 0.1 * np.sin(3 * angle - phase)
        reach: Floats = self.radius[row, column] * (1 + lobes)
        return reach

    def holds(self, p: Floats, q: Floats) -> Bools:
        """Return which points lie in a patch."""
        column = np.clip((p // _SOIL_TILE).astype(np.int64), 0, self.p.shape[1] - 1)
        row = np.clip((q // _SOIL_TILE).astype(np.int64), 0, self.p.shape[0] - 1)
        away_p, away_q = p - self.p[row, column], q - self.q[row, column]
        limit = self._reach(np.arctan2(away_q, away_p), row, column)
        inside: Bools = (np.hypot(away_p, away_q) <= limit) & self.is_there[row, column]
        return inside

    def shapes(self, lattice: Lattice) -> tuple[Objects, Objects]:
        """Return the patches and their degree."""
        rows, columns = np.nonzero(self.is_there)
        angle = np.linspace(0, 2 * np.pi, 33)[:-1]
        polygons, levels = [], []
        words = load("names")["context"]["soil_levels"]
        for row, column in zip(rows, columns, strict=True):
            reach = self._reach(angle, np.full(32, row), np.full(32, column))
            p, q = self.p[row, column] + reach * np.cos(angle), self.q[row, column] + reach * np.sin(angle)
            polygons.append(shapely.Polygon(np.round(lattice.place(p, q), 1)))
            levels.append(words[0] if self.is_strong[row, column] else words[1])
        return np.array(polygons, dtype=object), np.array(levels, dtype=object)


def make_context(
    lattice: Lattice, streets: Streets, parcels: Parcels, soil: Soil, names: Objects, crs: str, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Write the delivery of context: manholes, corrosive ground, sensitive places, railway, river and parks."""
    words = load("names")["context"]
    edges = np.flatnonzero(streets.is_built & (rng.random(streets.count) < 0.6))
    along = rng.uniform(0.08, 0.92, len(edges))
    manholes = np.round(
        beside_street(lattice, streets, edges, along, streets.width_m[edges] * rng.uniform(-0.42, 0.42, len(edges))), 2
    )
    patches, levels = soil.shapes(lattice)
    town = shapely.box(*_extent(lattice, streets))
    near = shapely.intersects(patches, town)
    patches, levels = patches[near], levels[near]
    places = np.flatnonzero(np.isin(parcels.use, (1, 2)) & (parcels.building_count > 0))
    parks = np.flatnonzero(parcels.use == PARK)
    bands = [_band(lattice, streets, is_river=True), _band(lattice, streets, is_river=False)]
    groups: list[tuple[str, Objects, Objects, Objects]] = [
        ("检查井", np.asarray(shapely.points(manholes)), _any_of(words["manhole"], len(edges), rng), _none(len(edges))),
        ("腐蚀土壤", patches, np.full(len(patches), words["soil"], dtype=object), levels),
        ("人员密集场所", parcel_shapes(lattice, parcels, places), names[places], _none(len(places))),
        ("其他", parcel_shapes(lattice, parcels, parks), _any_of(words["park"], len(parks), rng), _none(len(parks))),
        ("其他", np.array(bands[:1], dtype=object), np.array([words["river"]], dtype=object), _none(1)),
        ("杂散电流", np.array(bands[1:], dtype=object), np.array([words["rail"]], dtype=object), _none(1)),
    ]  # fmt: skip
    kind = np.concatenate([np.full(len(shapes), name, dtype=object) for name, shapes, _, _ in groups])
    columns = {
        "要素编号": texts(numbered("HJ", len(kind), 6)),
        "要素类别": texts(kind),
        "名称": texts(np.concatenate([group[2] for group in groups])),
        "程度": texts(np.concatenate([group[3] for group in groups])),
    }
    return gpd.GeoDataFrame(columns, geometry=np.concatenate([group[1] for group in groups]), crs=crs)


def _any_of(names: list[str], count: int, rng: np.random.Generator) -> Objects:
    return np.array(names, dtype=object)[rng.integers(0, len(names), count)]


def _none(count: int) -> Objects:
    return np.full(count, None, dtype=object)


def _extent(lattice: Lattice, streets: Streets) -> tuple[float, float, float, float]:
    built = streets.is_built
    points = lattice.place(streets.p0[built], streets.q0[built])
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _band(lattice: Lattice, streets: Streets, *, is_river: bool) -> shapely.Polygon:
    """Return the water of the river or the track bed of the railway, inside its row or column of blocks."""
    built = streets.is_built
    axis = streets.p0 if is_river else streets.q0
    way = np.arange(axis[built].min() - 0.4, axis[built].max() + 1.4, 0.25)
    way = way[(way >= 0) & (way <= lattice.columns - 1)]
    base = lattice.river_row if is_river else lattice.rail_column
    low, high = (0.24, 0.78) if is_river else (0.38, 0.62)
    swing = 0.05 * np.sin(way * 1.7) if is_river else np.zeros(len(way))
    sides = [np.full(len(way), base + low) + swing, (np.full(len(way), base + high) + swing)[::-1]]
    along, across = np.concatenate([way, way[::-1]]), np.concatenate(sides)
    points = lattice.place(along, across) if is_river else lattice.place(across, along)
    return shapely.Polygon(np.round(points, 1))


def make_valves(
    pipes: Pipes, truth: Truth, segment_ids: Objects, crs: str, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Write the delivery of valves, valve wells, regulator boxes and stations."""
    main = np.flatnonzero(pipes.kind == MAIN)
    at_crossing = main[(pipes.part[main] == 0) & (rng.random(len(main)) < 0.42)]
    entries = np.flatnonzero(pipes.kind == ENTRY)
    big = main[(truth.diameter_mm[main] >= 200) & (pipes.part[main] == 1)]
    stations = rng.choice(big if len(big) else main, max(2, pipes.count // 2500), replace=False)
    drips = main[(truth.material[main] <= 1) & (rng.random(len(main)) < 0.05)]
    segment = np.concatenate([at_crossing, entries, entries, stations, drips])
    well = rng.random(len(at_crossing)) < 0.55
    kind = np.concatenate(
        [
            np.where(well, "阀门井", "阀门"),
            np.full(len(entries), "阀门"),
            np.full(len(entries), "调压箱"),
            np.where(np.arange(len(stations)) == 0, "门站", "调压站"),
            np.full(len(drips), "凝水缸"),
        ]
    ).astype(object)
    share = np.concatenate(
        [
            np.full(len(at_crossing), 0.12), np.full(len(entries), 0.1), np.full(len(entries), 0.9),
            np.full(len(stations), 0.5), np.full(len(drips), 0.6),
        ]
    )  # fmt: skip
    start, end = pipes.nodes[pipes.start[segment]], pipes.nodes[pipes.end[segment]]
    points = np.round(start + (end - start) * share[:, None], 3)
    told, source = told_years(truth.installed_year[segment], year_settings(), rng)
    named = segment_ids[segment].copy()
    named[rng.random(len(segment)) < 0.2] = None
    columns = {
        "阀门编号": texts(numbered("FM", len(segment), 6)),
        "设备类别": texts(kind),
        "口径": pd.Series(truth.diameter_mm[segment], dtype="Int64"),
        "管段编号": texts(named),
        "建设年代": texts(told),
        "年代来源": texts(source),
    }
    return gpd.GeoDataFrame(columns, geometry=shapely.points(points), crs=crs)
