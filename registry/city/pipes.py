"""Pipes: mains beside the streets, split at crossings and between, and courtyard pipes along the building rows.

Ends are shared through a table of nodes, so that pipes which meet have exactly equal end points.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from registry.city.lattice import Lattice
from registry.city.parameters import Bools, Floats, Ints
from registry.city.parcels import Parcels
from registry.city.streets import LANE, Streets

MAIN, ENTRY, TRUNK, BRANCH, HEAT = range(5)
PIPE_BEHIND_M = 3.0


@dataclass(frozen=True)
class Ground:
    """The built city before it is written up."""

    lattice: Lattice
    streets: Streets
    parcels: Parcels
    pipes: Pipes


@dataclass(frozen=True)
class Pipes:
    """One row per segment; `edge` is the street edge of a main, `parcel` that of a courtyard pipe, else -1."""

    start: Ints
    end: Ints
    kind: Ints
    edge: Ints
    part: Ints
    parcel: Ints
    building: Ints
    nodes: Floats

    @property
    def count(self) -> int:
        """Number of segments."""
        return len(self.start)

    @property
    def length_m(self) -> Floats:
        """Straight length between the two ends."""
        length: Floats = np.hypot(*(self.nodes[self.end] - self.nodes[self.start]).T)
        return length


def cut_to_size(streets: Streets, parcels: Parcels, wanted: int) -> tuple[Streets, Parcels] | None:
    """Keep what lies nearest to the centre until the wanted number of segments is reached; None if too few."""
    lane = streets.road_class == LANE
    key = streets.reach.copy()
    lane_i, lane_j = streets.p0[lane].astype(int), streets.q0[lane].astype(int)
    for level in (lane_j, lane_j + 1):
        key[lane] = np.maximum(key[lane], streets.reach[streets.row_edge[level, lane_i]])
    parcel_key = np.where(parcels.has_gas, np.maximum(parcels.reach, key[parcels.gate_edge]), parcels.reach)
    counts = np.concatenate([streets.parts * streets.has_main + streets.parts * streets.has_heat, parcels.pipe_count])
    keys = np.concatenate([key, parcel_key])
    order = np.argsort(keys, kind="stable")
    reached = np.cumsum(counts[order])
    if reached[-1] < wanted:
        return None
    limit = keys[order][np.searchsorted(reached, wanted)]
    inside = key <= limit
    kept = replace(
        streets,
        is_built=streets.is_built & inside,
        has_main=streets.has_main & inside,
        has_heat=streets.has_heat & inside,
    )
    return kept, parcels.take(parcel_key <= limit)


def lay_pipes(lattice: Lattice, streets: Streets, parcels: Parcels) -> Pipes:
    """Lay mains, heat mains and courtyard pipes."""
    mains, first_inner = _lay_mains(lattice, streets, streets.has_main, 1.0, MAIN)
    heat, _ = _lay_mains(lattice, streets, streets.has_heat, -1.0, HEAT)
    courtyard = _lay_courtyards(lattice, parcels, mains, first_inner)
    return _joined([mains, courtyard, heat])


def _joined(groups: list[Pipes]) -> Pipes:
    shift = np.cumsum([0] + [len(group.nodes) for group in groups])[:-1]
    shift[1] = 0  # courtyard pipes already number their nodes after those of the mains
    arrays = {
        name: np.concatenate([getattr(group, name) for group in groups])
        for name in ("kind", "edge", "part", "parcel", "building")
    }
    return Pipes(
        start=np.concatenate([group.start + by for group, by in zip(groups, shift, strict=True)]),
        end=np.concatenate([group.end + by for group, by in zip(groups, shift, strict=True)]),
        nodes=np.round(np.concatenate([group.nodes for group in groups]), 3),
        **arrays,
    )


def beside_street(lattice: Lattice, streets: Streets, edge: Ints, along: Floats, offset_m: Floats) -> Floats:
    """Return points at the share `along` of each edge, `offset_m` to the left of the centreline."""
    p, q = _on_edge(streets, edge, along)
    step = np.where(along > 0.5, -0.02, 0.02)
    here = lattice.place(p, q)
    heading = (lattice.place(*_on_edge(streets, edge, along + step)) - here) / step[:, None]
    heading /= np.hypot(*heading.T)[:, None]
    return here + np.column_stack([-heading[:, 1], heading[:, 0]]) * offset_m[:, None]


def _on_edge(streets: Streets, edge: Ints, along: Floats) -> tuple[Floats, Floats]:
    p0, q0 = streets.p0[edge], streets.q0[edge]
    return p0 + along * (streets.p1[edge] - p0), q0 + along * (streets.q1[edge] - q0)


def _crossings(lattice: Lattice, streets: Streets, sign: float) -> Floats:
    """Return where the mains of two crossing streets meet: each stays at its own offset."""
    i, j = (part.ravel() for part in np.meshgrid(np.arange(lattice.columns), np.arange(lattice.rows)))
    p, q = i.astype(float), j.astype(float)
    along, across = lattice.frame(p, q)
    normals = [np.column_stack([-way[:, 1], way[:, 0]]) / np.hypot(*way.T)[:, None] for way in (along, across)]
    row_offset = sign * streets.line_offset_m[j]
    column_offset = sign * streets.line_offset_m[lattice.rows + i]
    area = normals[0][:, 0] * normals[1][:, 1] - normals[0][:, 1] * normals[1][:, 0]
    east = (row_offset * normals[1][:, 1] - column_offset * normals[0][:, 1]) / area
    north = (column_offset * normals[0][:, 0] - row_offset * normals[1][:, 0]) / area
    points: Floats = lattice.place(p, q) + np.column_stack([east, north])
    return points


def _lay_mains(lattice: Lattice, streets: Streets, has: Bools, sign: float, kind: int) -> tuple[Pipes, Ints]:
    """Lay one net of mains; also return the number of the first inner node of each edge."""
    crossings = _crossings(lattice, streets, sign)
    edges = np.flatnonzero(has)
    inner_count = np.where(has, streets.parts - 1, 0)
    first_inner = len(crossings) + np.concatenate([[0], np.cumsum(inner_count)[:-1]])
    of = np.repeat(np.arange(streets.count), inner_count)
    inner_part = np.arange(len(of)) - (first_inner - len(crossings))[of] + 1
    inner = beside_street(lattice, streets, of, inner_part / streets.parts[of], sign * streets.offset_m[of])
    begin, finish = _ends(streets, has, first_inner, lattice.columns)
    # a lane whose cross street has no main ends where the lane ends
    loose = np.flatnonzero(has & ((begin < 0) | (finish < 0)))
    loose_at = len(crossings) + len(inner)
    stub = beside_street(
        lattice, streets, loose, np.where(begin[loose] < 0, 0.04, 0.96), sign * streets.offset_m[loose]
    )
    numbers = loose_at + np.arange(len(loose))
    begin[loose] = np.where(begin[loose] < 0, numbers, begin[loose])
    finish[loose] = np.where(finish[loose] < 0, numbers, finish[loose])
    edge = np.repeat(edges, streets.parts[edges])
    parts = streets.parts[edges]
    part = np.arange(len(edge)) - np.repeat(np.cumsum(parts) - parts, parts)
    none = np.full(len(edge), -1)
    pipes = Pipes(
        start=np.where(part == 0, begin[edge], first_inner[edge] + part - 1),
        end=np.where(part == streets.parts[edge] - 1, finish[edge], first_inner[edge] + part),
        kind=np.full(len(edge), kind), edge=edge, part=part, parcel=none, building=none,
        nodes=np.concatenate([crossings, inner, stub]),
    )  # fmt: skip
    return pipes, first_inner


def _ends(streets: Streets, has: Bools, first_inner: Ints, columns: int) -> tuple[Ints, Ints]:
    """Return the node at each end of each edge; -1 where a lane meets a street without main."""
    i0, j0 = streets.p0.astype(int), streets.q0.astype(int)
    i1, j1 = streets.p1.astype(int), streets.q1.astype(int)
    begin, finish = j0 * columns + i0, j1 * columns + i1
    lane = streets.road_class == LANE
    for ends, level in ((begin, j0), (finish, j1)):
        cross = streets.row_edge[level[lane], i0[lane]]
        middle = first_inner[cross] + streets.parts[cross] // 2 - 1
        ends[lane] = np.where(has[cross], middle, -1)
    return begin, finish


def parcel_points(parcels: Parcels, of: Ints, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """Return lattice coordinates of points given in metres from the corner of the building grid of a parcel."""
    p = parcels.column[of] + (parcels.left_m[of] + x_m) / parcels.wide_m[of]
    q = parcels.row[of] + (parcels.south_m[of] + y_m) / parcels.high_m[of]
    return p, q


def building_grid(parcels: Parcels) -> tuple[Ints, Ints, Ints]:
    """Return parcel, row and column of every building, in the order of building numbers."""
    count = parcels.building_count
    of = np.repeat(np.arange(parcels.count), count)
    within = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    columns = np.maximum(parcels.grid_columns[of], 1)
    return of, within // columns, within % columns


def _lay_courtyards(lattice: Lattice, parcels: Parcels, mains: Pipes, first_inner: Ints) -> Pipes:
    """Lay entry, trunk and row pipes of every parcel that has gas."""
    step = parcels.length_m + parcels.gap_m
    trunk_count = np.where(parcels.has_gas, parcels.grid_rows, 0)
    first_trunk = len(mains.nodes) + np.cumsum(trunk_count) - trunk_count
    of_trunk = np.repeat(np.arange(parcels.count), trunk_count)
    trunk_row = np.arange(len(of_trunk)) - (first_trunk - len(mains.nodes))[of_trunk]
    behind = parcels.depth_m + PIPE_BEHIND_M
    trunk_x = parcels.trunk_column * step - parcels.gap_m / 2
    trunk_at = parcel_points(
        parcels, of_trunk, trunk_x[of_trunk], trunk_row * parcels.row_m[of_trunk] + behind[of_trunk]
    )
    of, row, column = building_grid(parcels)
    first_building = np.cumsum(parcels.building_count) - parcels.building_count
    building_at = parcel_points(
        parcels, of, column * step[of] + parcels.length_m[of] / 2, row * parcels.row_m[of] + behind[of]
    )
    building_node = len(mains.nodes) + len(of_trunk) + np.arange(len(of))
    fed = np.flatnonzero(parcels.has_gas[of])
    inner = np.where(column >= parcels.trunk_column[of], column - 1, column + 1)
    is_first = (column == parcels.trunk_column[of]) | (column == parcels.trunk_column[of] - 1)
    neighbour = np.where(is_first, first_trunk[of] + row, building_node - column + inner)
    gates = np.flatnonzero(parcels.has_gas)
    tap = first_inner[parcels.gate_edge[gates]] + parcels.gate_part[gates] - 1
    upper = np.flatnonzero(trunk_row > 0)
    upper_node = first_trunk[of_trunk[upper]] + trunk_row[upper]
    sizes = [len(gates), len(upper), len(fed)]
    entry_building = first_building[gates] + parcels.entry_row[gates] * parcels.grid_columns[gates]
    upper_building = first_building[of_trunk[upper]] + trunk_row[upper] * parcels.grid_columns[of_trunk[upper]]
    parcel = np.concatenate([gates, of_trunk[upper], of[fed]])
    return Pipes(
        start=np.concatenate([tap, upper_node - 1, neighbour[fed]]),
        end=np.concatenate([first_trunk[gates] + parcels.entry_row[gates], upper_node, building_node[fed]]),
        kind=np.repeat([ENTRY, TRUNK, BRANCH], sizes),
        edge=parcels.gate_edge[parcel],
        part=np.full(len(parcel), -1),
        parcel=parcel,
        building=np.concatenate([entry_building, upper_building, fed]),
        nodes=np.concatenate([lattice.place(*trunk_at), lattice.place(*building_at)]),
    )
