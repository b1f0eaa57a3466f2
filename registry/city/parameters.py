"""Parameters and random streams of the synthetic city. Only the generator may read them."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
# texts, days and shapes
Objects = npt.NDArray[Any]

# the order is part of the seed: append, never reorder, so that old seeds keep their city
STAGES: Final = (
    "lattice", "streets", "parcels", "pipes", "years", "attributes", "hazard", "leaks", "census", "buildings",
    "names", "programmes", "fittings", "context", "customers", "faults", "events", "meetings", "digs",
    "surveys",
)  # fmt: skip


@cache
def load(name: str) -> dict[str, Any]:
    """Read one parameter file `registry/city/<name>.toml`."""
    return tomllib.loads(files("registry.city").joinpath(f"{name}.toml").read_text(encoding="utf-8"))


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Read one parameter table `registry/city/<name>.csv`."""
    text = files("registry.city").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def streams(seed: int) -> dict[str, np.random.Generator]:
    """Return one independent generator per stage, so that a change in one stage leaves the others as they were."""
    children = np.random.SeedSequence(seed).spawn(len(STAGES))
    return {stage: np.random.Generator(np.random.PCG64(child)) for stage, child in zip(STAGES, children, strict=True)}


def pick(rng: np.random.Generator, shares: list[float] | Floats, count: int) -> Ints:
    """Draw positions 0..n-1 with the given shares (scaled to one)."""
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))
    drawn = np.searchsorted(edges, rng.random(count) * edges[-1], side="right")
    positions: Ints = np.minimum(drawn, len(edges) - 1).astype(np.int64)
    return positions


def blend(centre: list[float], rim: list[float], which: Ints, nearness: Floats) -> Floats:
    """Return per row the value between centre and rim: `nearness` 0 at the centre, 1 at the rim."""
    at_centre: Floats = np.asarray(centre, dtype=np.float64)[which]
    blended: Floats = at_centre + (np.asarray(rim)[which] - at_centre) * np.clip(nearness, 0.0, 1.0)
    return blended


def within(rng: np.random.Generator, bounds: list[float], count: int) -> Floats:
    """Draw evenly between two bounds."""
    return rng.uniform(bounds[0], bounds[1], count)
