"""Parcels: the ground inside the blocks, what stands on it, and the grid of its buildings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from registry.city.lattice import Lattice
from registry.city.parameters import Bools, Floats, Ints, load, pick, within
from registry.city.streets import Streets

COMPOUND, EMPTY, PARK = 0, 6, 7
SIDES = 5  # south, north, west, east, lane


@dataclass(frozen=True)
class Parcels:
    """One row per parcel, in lattice cells (column, row) from (u0, v0) to (u1, v1).

    The building grid has `rows` x `columns` places, its south-west corner `left_m`, `south_m` from the cell corner.
    `gate_edge` is the street edge from which gas enters (-1: no gas), `gate_part` the node of its main.
    """

    column: Ints
    row: Ints
    u0: Floats
    u1: Floats
    v0: Floats
    v1: Floats
    use: Ints
    built_year: Ints
    reach: Floats
    grid_rows: Ints
    grid_columns: Ints
    left_m: Floats
    south_m: Floats
    length_m: Floats
    depth_m: Floats
    gap_m: Floats
    row_m: Floats
    floors: Ints
    flats_per_floor: Ints
    wide_m: Floats
    high_m: Floats
    inset_m: Floats
    gate_edge: Ints
    gate_part: Ints
    trunk_column: Ints
    entry_row: Ints

    @property
    def count(self) -> int:
        """Number of parcels."""
        return len(self.column)

    def take(self, keep: Bools) -> Parcels:
        """Return the parcels of a mask."""
        return Parcels(**{name: value[keep] for name, value in vars(self).items()})

    @property
    def has_gas(self) -> Bools:
        """Whether gas enters the parcel."""
        return self.gate_edge >= 0

    @property
    def building_count(self) -> Ints:
        """Buildings on the parcel."""
        return self.grid_rows * self.grid_columns

    @property
    def pipe_count(self) -> Ints:
        """Courtyard segments: the entry, the trunk between rows, one to each building."""
        return np.where(self.has_gas, self.grid_rows + self.building_count, 0)


def make_parcels(lattice: Lattice, streets: Streets, rng: np.random.Generator) -> Parcels:
    """Divide the blocks, give each parcel a use and a year, and lay out its buildings and its gate."""
    ground = _divide(lattice, streets, rng)
    column, row = ground["column"], ground["row"]
    middle_p, middle_q = column + (ground["u0"] + ground["u1"]) / 2, row + (ground["v0"] + ground["v1"]) / 2
    reach = lattice.reach(middle_p, middle_q)
    use = _uses(column, row, reach, rng)
    built = _built(reach, rng)
    plan = _building_types(use, built, rng)
    room = _room(lattice, streets, ground)
    grid: dict[str, Any] = _grid(plan, room)
    gate: dict[str, Any] = _gates(streets, ground, use, grid, plan, room, rng)
    return Parcels(
        **ground, **grid, **gate, use=use, built_year=built, reach=reach,
        length_m=plan["length_m"], depth_m=plan["depth_m"], gap_m=plan["gap_m"], row_m=plan["row_m"],
        floors=plan["floors"].astype(np.int64), flats_per_floor=plan["flats"].astype(np.int64),
        wide_m=room["wide_m"], high_m=room["high_m"],
        inset_m=np.column_stack([room[side] for side in ("west", "south", "east", "north")]),
    )  # fmt: skip


def _divide(lattice: Lattice, streets: Streets, rng: np.random.Generator) -> dict[str, Any]:
    shares = load("city")["parcels"]["split_share"]
    i, j = (part.ravel() for part in np.meshgrid(np.arange(lattice.columns - 1), np.arange(lattice.rows - 1)))
    split = pick(rng, shares, len(i))
    split[streets.lane_edge[j, i] >= 0] = 1
    is_ground = (j != lattice.river_row) & (i != lattice.rail_column)
    i, j, split = i[is_ground], j[is_ground], split[is_ground]
    halves = 1 + (split > 0)
    of = np.repeat(np.arange(len(i)), halves)
    is_second = np.concatenate([[False], of[1:] == of[:-1]])
    beside, above = split[of] == 1, split[of] == 2
    return {
        "column": i[of],
        "row": j[of],
        "u0": np.where(beside & is_second, 0.5, 0.0),
        "u1": np.where(beside & ~is_second, 0.5, 1.0),
        "v0": np.where(above & is_second, 0.5, 0.0),
        "v1": np.where(above & ~is_second, 0.5, 1.0),
    }


def _uses(column: Ints, row: Ints, reach: Floats, rng: np.random.Generator) -> Ints:
    settings = load("city")["parcels"]
    centre, rim = np.asarray(settings["use_shares_centre"]), np.asarray(settings["use_shares_rim"])
    shares = centre + (rim - centre) * np.clip(reach, 0, 1)[:, None]
    edges = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
    use: Ints = np.minimum((rng.random(len(reach))[:, None] > edges).sum(axis=1), EMPTY)
    # a park takes its whole block
    side = int(max(column.max(), row.max())) + 1
    is_park = rng.random((side, side)) < settings["park_share"]
    use[is_park[row, column]] = PARK
    return use


def _built(reach: Floats, rng: np.random.Generator) -> Ints:
    settings = load("city")["parcels"]
    span = settings["built_rim_year"] - settings["built_centre_year"]
    year = settings["built_centre_year"] + span * reach + rng.normal(0, settings["built_noise_years"], len(reach))
    rebuilt = rng.random(len(reach)) < settings["rebuilt_share"]
    later = rng.integers(settings["rebuilt_years"][0], settings["rebuilt_years"][1] + 1, len(reach))
    last = load("city")["as_of"].year - 1
    years: Ints = np.clip(np.round(np.where(rebuilt, np.maximum(year, later), year)), 1955, last).astype(np.int64)
    return years


def _building_types(use: Ints, built: Ints, rng: np.random.Generator) -> dict[str, Any]:
    """Return length, depth, gap, row distance, floors and largest grid by use and period."""
    town = load("city")
    plan = {name: np.zeros(len(use)) for name in ("length_m", "depth_m", "gap_m", "row_m", "floors", "flats")}
    plan["most_rows"], plan["most_columns"] = np.full(len(use), 99), np.full(len(use), 99)
    kinds = [(use == COMPOUND) & (built >= entry["from_year"]) for entry in town["housing"]]
    types = list(zip(kinds, town["housing"], strict=True))
    for number, name in enumerate(town["parcels"]["uses"]):
        if name in town["other_buildings"]:
            types.append((use == number, town["other_buildings"][name]))
    for mine, entry in types:
        count = int(mine.sum())
        plan["length_m"][mine] = np.round(within(rng, entry["length_m"], count), 1)
        plan["floors"][mine] = rng.integers(entry["floors"][0], entry["floors"][1] + 1, count)
        for name, key in (("depth_m", "depth_m"), ("gap_m", "gap_m"), ("row_m", "row_m")):
            plan[name][mine] = entry[key]
        plan["flats"][mine] = entry.get("flats_per_floor", 0)
        if "grid" in entry:
            plan["most_rows"][mine], plan["most_columns"][mine] = entry["grid"]
    is_bare = np.isin(use, (EMPTY, PARK))
    plan["most_rows"][is_bare] = 0
    plan["length_m"][is_bare] = plan["row_m"][is_bare] = 1.0
    return plan


def _room(lattice: Lattice, streets: Streets, ground: dict[str, Any]) -> dict[str, Floats]:
    """Return size of the cell and how far the parcel keeps from each street."""
    i, j = ground["column"], ground["row"]
    half = np.append(streets.line_width_m / 2, 2.0)
    lane = np.where(streets.lane_edge[j, i] >= 0, 3.8, 1.5)
    first_column = lattice.rows

    def beside(edge: Ints, line: Ints) -> Floats:
        built = (edge >= 0) & streets.is_built[edge]
        return half[np.where(built, line, -1)]

    return {
        "wide_m": lattice.xs[i + 1] - lattice.xs[i],
        "high_m": lattice.ys[j + 1] - lattice.ys[j],
        "south": np.where(ground["v0"] == 0, beside(streets.row_edge[j, i], j), 1.5),
        "north": np.where(ground["v1"] == 1, beside(streets.row_edge[j + 1, i], j + 1), 1.5),
        "west": np.where(ground["u0"] == 0, beside(streets.column_edge[j, i], first_column + i), lane),
        "east": np.where(ground["u1"] == 1, beside(streets.column_edge[j, i + 1], first_column + i + 1), lane),
        "u0": ground["u0"], "u1": ground["u1"], "v0": ground["v0"], "v1": ground["v1"],
    }  # fmt: skip


def _grid(plan: dict[str, Any], room: dict[str, Floats]) -> dict[str, Any]:
    """Fit as many buildings as the parcel holds, spread them over it, and shorten what does not fit.

    Changes length, gap and row distance in `plan` to what was fitted.
    """
    settings = load("city")["parcels"]
    margin = settings["margin_m"]
    free_x = room["wide_m"] * (room["u1"] - room["u0"]) - room["west"] - room["east"] - 2 * margin
    free_y = room["high_m"] * (room["v1"] - room["v0"]) - room["south"] - room["north"] - 2 * margin
    is_narrow = (free_x < plan["length_m"]) & (free_x >= settings["shortest_m"])
    plan["length_m"] = np.where(is_narrow, free_x, plan["length_m"])
    columns = np.floor((free_x + plan["gap_m"]) / (plan["length_m"] + plan["gap_m"]) + 1e-9)
    # one row needs its depth and the pipe behind it
    rows = np.floor((free_y - plan["depth_m"] - 4.0) / plan["row_m"]) + 1
    columns = np.clip(columns, 0, plan["most_columns"]).astype(np.int64)
    rows = np.clip(rows, 0, plan["most_rows"]).astype(np.int64)
    is_void = (columns == 0) | (rows == 0)
    columns[is_void], rows[is_void] = 0, 0
    # what is left over goes into longer buildings, then into wider gaps and courts
    spread = settings["most_spread"]
    each = free_x / np.maximum(columns, 1)
    plan["length_m"] = np.clip(each - plan["gap_m"], plan["length_m"], plan["length_m"] * spread)
    plan["gap_m"] = np.clip(each - plan["length_m"], plan["gap_m"], plan["gap_m"] * spread)
    court = (free_y - plan["depth_m"] - 4.0) / np.maximum(rows - 1, 1)
    plan["row_m"] = np.clip(court, plan["row_m"], plan["row_m"] * spread)
    used_x = columns * (plan["length_m"] + plan["gap_m"]) - plan["gap_m"]
    used_y = (rows - 1) * plan["row_m"] + plan["depth_m"] + 4.0
    return {
        "grid_columns": columns,
        "grid_rows": rows,
        "left_m": room["u0"] * room["wide_m"] + room["west"] + margin + (free_x - used_x) / 2,
        "south_m": room["v0"] * room["high_m"] + room["south"] + margin + (free_y - used_y) / 2,
    }


def _gates(
    streets: Streets,
    ground: dict[str, Any],
    use: Ints,
    grid: dict[str, Any],
    plan: dict[str, Any],
    room: dict[str, Floats],
    rng: np.random.Generator,
) -> dict[str, Ints]:
    """Choose the street main from which gas enters, the node on it, and where the courtyard trunk stands."""
    i, j = ground["column"], ground["row"]
    u0, u1, v0, v1 = (ground[name] for name in ("u0", "u1", "v0", "v1"))
    sides = np.column_stack(
        [
            np.where(v0 == 0, streets.row_edge[j, i], -1),
            np.where(v1 == 1, streets.row_edge[j + 1, i], -1),
            np.where(u0 == 0, streets.column_edge[j, i], -1),
            np.where(u1 == 1, streets.column_edge[j, i + 1], -1),
            np.where(u1 - u0 < 1, streets.lane_edge[j, i], -1),
        ]
    )
    usable = (sides >= 0) & streets.has_main[sides]
    wish = np.where(usable, rng.random((len(i), SIDES)), -1.0)
    side = np.argmax(wish, axis=1)
    rows = np.arange(len(i))
    wants = rng.random(len(i)) < np.append(load("city")["parcels"]["gas_share"], 0.0)[np.minimum(use, PARK)]
    has_gas = usable[rows, side] & wants & (grid["grid_rows"] > 0)
    edge = np.where(has_gas, sides[rows, side], -1)
    parts = streets.parts[edge]
    along = np.where(side < 2, (u0 + u1) / 2, (v0 + v1) / 2)
    part = np.clip(np.round(along * parts), 1, parts - 1).astype(np.int64)
    step_x = np.maximum(plan["length_m"] + plan["gap_m"], 1.0)
    tap_x = part / parts * room["wide_m"] - grid["left_m"]
    tap_y = part / parts * room["high_m"] - grid["south_m"]
    trunk = np.clip(np.round(tap_x / step_x), 0, grid["grid_columns"])
    is_west = (side == 2) | ((side == 4) & (u0 > 0))
    trunk = np.where(is_west, 0, np.where((side == 3) | ((side == 4) & (u0 == 0)), grid["grid_columns"], trunk))
    last = np.maximum(grid["grid_rows"] - 1, 0)
    level = np.clip(np.round(tap_y / np.maximum(plan["row_m"], 1.0)), 0, last)
    entry = np.where(side == 0, 0, np.where(side == 1, last, level))
    return {
        "gate_edge": edge,
        "gate_part": part,
        "trunk_column": trunk.astype(np.int64),
        "entry_row": entry.astype(np.int64),
    }
