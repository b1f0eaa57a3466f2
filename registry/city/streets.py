"""Streets: which edges of the lattice are built, of which class and width, under which run of one name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from registry.city.lattice import Lattice
from registry.city.parameters import Bools, Floats, Ints, blend, load, pick, within

LANE = 3


@dataclass(frozen=True)
class Streets:
    """All edges between two crossings: first those along rows, then those along columns, then the lanes.

    `line` numbers the lattice line (columns after rows, lanes after columns): width and the offset of the main are
    constant along it. `run` is a stretch under one name.
    """

    p0: Floats
    q0: Floats
    p1: Floats
    q1: Floats
    road_class: Ints
    line: Ints
    run: Ints
    reach: Floats
    is_built: Bools
    has_main: Bools
    has_heat: Bools
    width_m: Floats
    offset_m: Floats
    parts: Ints
    row_edge: Ints
    column_edge: Ints
    lane_edge: Ints
    line_width_m: Floats
    line_offset_m: Floats

    @property
    def count(self) -> int:
        """Number of edges, built or not."""
        return len(self.p0)


def make_streets(lattice: Lattice, rng: np.random.Generator) -> Streets:
    """Choose edges, classes, runs and mains of the street net."""
    settings = load("city")["streets"]
    columns, rows = lattice.columns, lattice.rows
    i, j = (part.ravel() for part in np.meshgrid(np.arange(columns), np.arange(rows)))
    along, across = i < columns - 1, j < rows - 1
    cell_i, cell_j = i[along & across], j[along & across]
    has_lane = _lane_cells(lattice, cell_i, cell_j, rng)
    lane_i, lane_j = cell_i[has_lane].astype(float), cell_j[has_lane].astype(float)
    p0 = np.concatenate([i[along], i[across], lane_i + 0.5]).astype(float)
    q0 = np.concatenate([j[along], j[across], lane_j]).astype(float)
    p1 = np.concatenate([i[along] + 1, i[across], lane_i + 0.5]).astype(float)
    q1 = np.concatenate([j[along], j[across] + 1, lane_j + 1]).astype(float)
    road_class = np.concatenate(
        [lattice.row_class[j[along]], lattice.column_class[i[across]], np.full(len(lane_i), LANE)]
    ).astype(np.int64)
    line = np.concatenate([j[along], rows + i[across], rows + columns + np.arange(len(lane_i))])
    reach = lattice.reach((p0 + p1) / 2, (q0 + q1) / 2)
    keep = blend(settings["keep_share_centre"], settings["keep_share_rim"], road_class, reach)
    is_built = rng.random(len(p0)) < keep
    is_built &= ~_blocked(lattice, p0, q0, p1, q1, road_class)
    row_edge = _edge_table(i[along], j[along], columns, rows, 0)
    column_edge = _edge_table(i[across], j[across], columns, rows, int(along.sum()))
    lane_edge = _edge_table(cell_i[has_lane], cell_j[has_lane], columns, rows, int(along.sum() + across.sum()))
    # a lane needs a street at both ends
    first_lane = int(along.sum() + across.sum())
    ends = row_edge[lane_j.astype(int), lane_i.astype(int)], row_edge[lane_j.astype(int) + 1, lane_i.astype(int)]
    is_built[first_lane:] &= is_built[ends[0]] & is_built[ends[1]]
    lane_edge[lane_j[~is_built[first_lane:]].astype(int), lane_i[~is_built[first_lane:]].astype(int)] = -1
    main = blend(settings["main_share_centre"], settings["main_share_rim"], road_class, reach)
    has_main = is_built & (rng.random(len(p0)) < main)
    has_main[first_lane:] &= has_main[ends[0]] | has_main[ends[1]]
    run = _runs(road_class, line, is_built, rng)
    # heat mains follow whole streets
    has_heat = is_built & (rng.random(int(run.max()) + 1)[run] < np.asarray(settings["heat_share"])[road_class])
    line_width, line_offset = _line_shape(lattice, len(lane_i), rng)
    length = np.hypot(*(lattice.raw(p1, q1) - lattice.raw(p0, q0)).T)
    parts = np.clip(2 * np.round(length / (2 * load("city")["pipes"]["split_m"])), 2, 8).astype(np.int64)
    return Streets(
        p0=p0, q0=q0, p1=p1, q1=q1, road_class=road_class, line=line,
        run=run, reach=reach,
        is_built=is_built, has_main=has_main, has_heat=has_heat,
        width_m=line_width[line], offset_m=line_offset[line], parts=parts,
        row_edge=row_edge, column_edge=column_edge, lane_edge=lane_edge,
        line_width_m=line_width, line_offset_m=line_offset,
    )  # fmt: skip


def _lane_cells(lattice: Lattice, i: Ints, j: Ints, rng: np.random.Generator) -> Bools:
    settings = load("city")["streets"]
    reach = lattice.reach(i.astype(np.float64) + 0.5, j.astype(np.float64) + 0.5)
    share = np.where(reach < settings["old_town_radius"], settings["lane_share_centre"], settings["lane_share_rim"])
    is_special = (j == lattice.river_row) | (i == lattice.rail_column)
    has_lane: Bools = (rng.random(len(i)) < share) & ~is_special
    return has_lane


def _blocked(lattice: Lattice, p0: Floats, q0: Floats, p1: Floats, q1: Floats, road_class: Ints) -> Bools:
    """Only main roads cross the river and the railway."""
    over_river = (q0 == lattice.river_row) & (q1 == lattice.river_row + 1)
    over_rail = (p0 == lattice.rail_column) & (p1 == lattice.rail_column + 1)
    is_blocked: Bools = (over_river | over_rail) & (road_class >= 2)
    return is_blocked


def _edge_table(i: Ints, j: Ints, columns: int, rows: int, first: int) -> Ints:
    table = np.full((rows, columns), -1, dtype=np.int64)
    table[j, i] = first + np.arange(len(i))
    return table


def _line_shape(lattice: Lattice, lane_count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return width and signed offset of the main for each line."""
    settings = load("city")["streets"]
    classes = np.concatenate([lattice.row_class, lattice.column_class, np.full(lane_count, LANE)])
    noise = settings["width_noise"]
    width = np.asarray(settings["width_m"])[classes] * rng.uniform(1 - noise, 1 + noise, len(classes))
    width = np.round(width * 2) / 2
    offset = width * within(rng, settings["offset_share"], len(classes)) * rng.choice([-1.0, 1.0], len(classes))
    return width, np.round(offset, 2)


def _runs(road_class: Ints, line: Ints, is_built: Bools, rng: np.random.Generator) -> Ints:
    """Number the stretches under one name: a branch ends at a gap, a long street after its largest run."""
    order = np.lexsort((np.arange(len(line)), line))
    longest = np.asarray(load("city")["streets"]["run_edges"])[road_class[order]]
    new_line = np.concatenate([[True], line[order][1:] != line[order][:-1]])
    position = np.arange(len(line)) - np.maximum.accumulate(np.where(new_line, np.arange(len(line)), 0))
    phase = rng.integers(0, 50, int(line.max()) + 1)[line[order]]
    ends_here = (position + phase) % longest == 0
    after_gap = np.concatenate([[True], ~is_built[order][:-1]]) & (road_class[order] >= 2)
    run = np.empty(len(line), dtype=np.int64)
    run[order] = np.cumsum(new_line | ends_here | after_gap) - 1
    return run


def built_years(reach: Floats, run: Ints, rng: np.random.Generator) -> Ints:
    """Draw the year in which the first main of each edge was laid: by run, with phases along it."""
    settings = load("city")["pipes"]
    span = settings["rim_year"] - settings["centre_year"]
    of_run = rng.normal(0.0, settings["run_noise_years"], int(run.max()) + 1)[run]
    of_edge = rng.normal(0.0, settings["edge_noise_years"], len(run))
    years: Ints = np.round(settings["centre_year"] + span * reach**0.85 + of_run + of_edge).astype(np.int64)
    return years


def pavements(road_class: Ints, rng: np.random.Generator) -> Ints:
    """Draw a pavement word for each edge by class."""
    drawn = np.zeros(len(road_class), dtype=np.int64)
    for number, shares in enumerate(load("city")["streets"]["pavement_shares"]):
        mine = road_class == number
        drawn[mine] = pick(rng, shares, int(mine.sum()))
    return drawn
