"""The plane of the city: a lattice of street lines, denser in the old town, bent by waves and turned by quarters.

Everything is placed by lattice coordinates (p along the columns, q along the rows), so streets, pipes, parcels and
buildings bend together and never cross by accident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from registry.city.parameters import Floats, Ints, load, within


@dataclass(frozen=True)
class Lattice:
    """Street lines and how they are bent; `columns` lines run south to north, `rows` lines west to east."""

    columns: int
    rows: int
    xs: Floats
    ys: Floats
    jitter: Floats
    waves: Floats
    meanders: Floats
    meander_reach_m: float
    quarters: Floats
    tile_m: float
    origin: Floats
    outline: Floats
    column_class: Ints
    row_class: Ints
    river_row: int
    rail_column: int
    radius_m: float

    def raw(self, p: Floats, q: Floats) -> Floats:
        """Return unbent metres from the centre."""
        column = np.clip(np.floor(p).astype(np.int64), 0, self.columns - 2)
        row = np.clip(np.floor(q).astype(np.int64), 0, self.rows - 2)
        u, v = (p - column)[:, None], (q - row)[:, None]
        flat = np.column_stack(
            [
                self.xs[column] + u[:, 0] * (self.xs[column + 1] - self.xs[column]),
                self.ys[row] + v[:, 0] * (self.ys[row + 1] - self.ys[row]),
            ]
        )
        south = self.jitter[row, column] * (1 - u) + self.jitter[row, column + 1] * u
        north = self.jitter[row + 1, column] * (1 - u) + self.jitter[row + 1, column + 1] * u
        flat += south * (1 - v) + north * v
        return flat

    def place(self, p: Floats, q: Floats) -> Floats:
        """Return eastings and northings of lattice coordinates."""
        points = self._turned(self.raw(p, q))
        bent = points.copy()
        bent[:, 1] += self._meander(points)
        for east, north, phase, move_east, move_north in self.waves:
            swing = np.sin(points[:, 0] * east + points[:, 1] * north + phase)
            bent[:, 0] += move_east * swing
            bent[:, 1] += move_north * swing
        return bent + self.origin

    def _meander(self, points: Floats) -> Floats:
        """Return how far the river draws each point north; the pull fades away from its bed."""
        bed = (self.ys[self.river_row] + self.ys[self.river_row + 1]) / 2
        swing = np.zeros(len(points))
        for size, number, phase in self.meanders:
            swing += size * np.sin(number * points[:, 0] + phase)
        pull: Floats = swing * np.exp(-(((points[:, 1] - bed) / self.meander_reach_m) ** 2))
        return pull

    def _turned(self, points: Floats) -> Floats:
        """Turn each quarter about its own centre; the turn fades out at its edge."""
        side = self.quarters.shape[0]
        tile = np.clip(np.floor(points / self.tile_m + side / 2).astype(np.int64), 0, side - 1)
        centre_x, centre_y, radius, angle = self.quarters[tile[:, 1], tile[:, 0]].T
        away_x, away_y = points[:, 0] - centre_x, points[:, 1] - centre_y
        near = np.clip(1.5 * (1 - np.hypot(away_x, away_y) / radius), 0.0, 1.0)
        turn = angle * near * near * (3 - 2 * near)
        cos, sin = np.cos(turn), np.sin(turn)
        return np.column_stack([centre_x + away_x * cos - away_y * sin, centre_y + away_x * sin + away_y * cos])

    def reach(self, p: Floats, q: Floats) -> Floats:
        """Return the distance from the centre as a share of the radius, with an irregular outline."""
        points = self.raw(p, q)
        angle = np.arctan2(points[:, 1], points[:, 0])
        factor = np.ones(len(points))
        for lobes, (size, phase) in zip((2, 3, 5), self.outline, strict=True):
            factor += size * np.sin(lobes * angle + phase)
        return np.hypot(points[:, 0], points[:, 1]) * factor / self.radius_m

    def frame(self, p: Floats, q: Floats) -> tuple[Floats, Floats]:
        """Return the local directions of p and q in metres per metre of unbent ground, for turning and scaling."""
        step = 0.02
        column = np.clip(np.floor(p).astype(np.int64), 0, self.columns - 2)
        row = np.clip(np.floor(q).astype(np.int64), 0, self.rows - 2)
        wide = (self.xs[column + 1] - self.xs[column])[:, None]
        high = (self.ys[row + 1] - self.ys[row])[:, None]
        # inward differences, so that a step never leaves its own cell
        side = np.where(p - column > 0.5, -step, step)
        rise = np.where(q - row > 0.5, -step, step)
        here = self.place(p, q)
        along = (self.place(p + side, q) - here) / (side[:, None] * wide)
        across = (self.place(p, q + rise) - here) / (rise[:, None] * high)
        return along, across


def make_lattice(cells_across: int, rng: np.random.Generator) -> Lattice:
    """Draw the lattice of a city of about `cells_across` blocks from side to side."""
    settings = load("city")["lattice"]
    count = cells_across + 1
    column_class, row_class = (_line_classes(count, settings["arterial_every"]) for _ in range(2))
    river_row = _ordinary_gap(row_class, round(count * 0.7))
    rail_column = _ordinary_gap(column_class, round(count * 0.2))
    xs = _lines(count, rail_column, settings["rail_gap_m"], settings, rng)
    ys = _lines(count, river_row, settings["river_gap_m"], settings, rng)
    spread = np.where(
        np.minimum(column_class[None, :], row_class[:, None]) == 0, settings["arterial_jitter_m"], settings["jitter_m"]
    )
    jitter = np.clip(rng.normal(0.0, 0.5, (count, count, 2)), -1.0, 1.0) * spread[..., None]
    width = float(min(xs[-1] - xs[0], ys[-1] - ys[0]))
    town = load("city")
    return Lattice(
        columns=count,
        rows=count,
        xs=xs,
        ys=ys,
        jitter=jitter,
        waves=_waves(settings, rng),
        meanders=np.column_stack(
            [settings["meander_m"], 2 * np.pi / np.array(settings["meander_length_m"]), rng.uniform(0, 2 * np.pi, 2)]
        ),
        meander_reach_m=settings["meander_reach_m"],
        quarters=_quarters(width, settings, rng),
        tile_m=settings["tile_m"],
        origin=np.array([town["centre_east_m"], town["centre_north_m"]]),
        outline=np.column_stack([settings["outline_noise"], rng.uniform(0, 2 * np.pi, 3)]),
        column_class=column_class,
        row_class=row_class,
        river_row=river_row,
        rail_column=rail_column,
        radius_m=width / 2,
    )


def _line_classes(count: int, every: int) -> Ints:
    from_centre = np.abs(np.arange(count) - count // 2) % every
    classes = np.full(count, 2)
    classes[from_centre == every // 2] = 1
    classes[from_centre == 0] = 0
    return classes


def _ordinary_gap(classes: Ints, wish: int) -> int:
    """Return the gap nearest to the wish whose two banks are branch or secondary streets."""
    gaps = np.flatnonzero(np.minimum(classes[:-1], classes[1:]) > 0)
    return int(gaps[np.argmin(np.abs(gaps - wish))])


def _lines(count: int, special: int, gap_m: float, settings: dict[str, Any], rng: np.random.Generator) -> Floats:
    away = np.abs(np.arange(count - 1) - (count - 2) / 2) / (count / 2)
    centre, rim = settings["centre_spacing_factor"], settings["rim_spacing_factor"]
    gaps: Floats = (
        settings["spacing_m"] * (centre + (rim - centre) * away) * within(rng, settings["spacing_noise"], count - 1)
    )
    gaps[special] = gap_m
    lines: Floats = np.concatenate([[0.0], np.cumsum(gaps)])
    return np.asarray(lines - lines[count // 2], dtype=np.float64)


def _waves(settings: dict[str, Any], rng: np.random.Generator) -> Floats:
    count = settings["wave_count"]
    number = 2 * np.pi / within(rng, settings["wave_length_m"], count)
    heading, moved = rng.uniform(0, 2 * np.pi, (2, count))
    size = settings["wave_slope"] / number
    return np.column_stack(
        [
            number * np.cos(heading),
            number * np.sin(heading),
            rng.uniform(0, 2 * np.pi, count),
            size * np.cos(moved),
            size * np.sin(moved),
        ]
    )


def _quarters(width: float, settings: dict[str, Any], rng: np.random.Generator) -> Floats:
    """Draw at most one turned quarter inside each tile of the plane, so that no two touch."""
    side = int(np.ceil(width / settings["tile_m"])) + 2
    radius = within(rng, settings["quarter_radius_m"], side * side).reshape(side, side)
    middle = (np.arange(side) - side / 2 + 0.5) * settings["tile_m"]
    room = np.maximum(settings["tile_m"] / 2 - radius, 0.0)
    centre_x = middle[None, :] + rng.uniform(-1, 1, (side, side)) * room
    centre_y = middle[:, None] + rng.uniform(-1, 1, (side, side)) * room
    angle = np.radians(within(rng, settings["quarter_angle_deg"], side * side)).reshape(side, side)
    angle *= rng.choice([-1.0, 1.0], (side, side)) * (rng.random((side, side)) < settings["quarter_share"])
    return np.stack([centre_x, centre_y, radius, angle], axis=-1)
