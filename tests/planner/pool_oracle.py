"""Small street networks, all their connected groups, and the exact best choice of batches under budgets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_diag, coo_array, csr_array, hstack, vstack

from tests.planner.frames import line, segments_of

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Group = tuple[int, ...]
_PRICES = (650.0, 1000.0, 1650.0)


@dataclass(frozen=True)
class Town:
    """Candidate segments in the order of ids, with worth a year and cost by segment."""

    segments: gpd.GeoDataFrame
    worth: Floats
    cost_cny: Floats

    @property
    def by_class(self) -> Flags:
        """All are candidates by class."""
        return np.ones(len(self.segments), dtype=bool)

    @property
    def length_m(self) -> Floats:
        """The length of each segment."""
        return self.segments["length_m"].to_numpy(dtype="float64")


def street_town(seed: int, columns: int, rows: int, kept_share: float = 0.75) -> Town:
    """Make a net of streets with gaps: blocks of uneven size, worth that goes by street and by chance."""
    rng = np.random.default_rng(seed)
    east = np.concatenate([[0.0], np.cumsum(rng.uniform(60, 240, columns))])
    north = np.concatenate([[0.0], np.cumsum(rng.uniform(60, 240, rows))])
    described: list[dict[str, Any]] = []
    for i in range(columns):
        for j in range(rows):
            for name, end in ((f"east {j}", (i + 1, j)), (f"north {i}", (i, j + 1))):
                if end[0] < columns and end[1] < rows and rng.random() < kept_share:
                    shape = line((east[i], north[j]), (east[end[0]], north[end[1]]))
                    described.append({"street_name": name, "geometry": shape})
    segments = segments_of(*described)
    length_m = segments["length_m"].to_numpy(dtype="float64")
    streets = segments["street_name"].to_numpy(dtype=object)
    by_street = {name: rng.lognormal(0, 0.6) for name in sorted(set(streets))}
    worth = length_m / 1000 * np.array([by_street[name] for name in streets]) * rng.lognormal(0, 0.8, len(segments))
    return Town(segments, worth, length_m * rng.choice(_PRICES, len(segments)))


def neighbours_of(segments: gpd.GeoDataFrame) -> list[set[int]]:
    """Return for each segment those that share an end with it, by comparing all pairs."""
    ends = [[np.array(shape.coords[place]) for place in (0, -1)] for shape in segments.geometry]
    return [
        {
            other
            for other in range(len(ends))
            if other != one and any(np.hypot(*(a - b)) <= 0.05 for a in ends[one] for b in ends[other])
        }
        for one in range(len(ends))
    ]


def all_groups(segments: gpd.GeoDataFrame, longest_m: float, most: int = 99) -> list[Group]:
    """List every connected group up to a length and a number of segments, by widening sets until none is new."""
    neighbours = neighbours_of(segments)
    length_m = segments["length_m"].to_numpy(dtype="float64")
    found = layer = {frozenset((one,)) for one in range(len(segments))}
    while layer:
        wider = {
            group | {other}
            for group in layer
            if len(group) < most
            for other in set().union(*(neighbours[one] for one in group)) - group
        }
        layer = {group for group in wider - found if sum(length_m[one] for one in group) <= longest_m}
        found = found | layer
    return sorted(tuple(sorted(group)) for group in found)


def groups_of(row: npt.NDArray[np.int64], batch: npt.NDArray[np.int64]) -> Iterator[Group]:
    """Yield the segments of each batch of a pool."""
    for members in np.split(row, np.flatnonzero(np.diff(batch)) + 1):
        yield tuple(sorted(members.tolist()))


def best_choice(
    groups: Sequence[Group],
    worth: Floats,
    cost_cny: Floats,
    mobilisation_cny: float,
    budget_cny: Floats,
    relief: Floats,
    gap: float = 0.0,
    seconds: float = 60.0,
) -> tuple[float, float]:
    """Return the best worth of disjoint groups, each in one year, within the budgets, and the solver's bound."""
    years, count = len(relief), len(groups)
    row = np.concatenate([np.array(group) for group in groups])
    column = np.repeat(np.arange(count), [len(group) for group in groups])
    holds = csr_array(coo_array((np.ones(len(row)), (row, column)), shape=(len(worth), count)))
    cost = csr_array((np.asarray(holds.T @ cost_cny) + mobilisation_cny)[None, :])
    limits = csr_array(vstack([hstack([holds] * years), block_diag([cost] * years)]))
    upper = np.concatenate([np.ones(len(worth)), budget_cny])
    solved = milp(
        -np.concatenate([(holds.T @ worth) * share for share in relief]),
        constraints=LinearConstraint(limits, -np.inf, upper),
        integrality=np.ones(count * years, dtype=np.int64),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": gap, "time_limit": seconds},
    )
    assert solved.fun is not None
    assert solved.mip_dual_bound is not None
    return -float(solved.fun), -float(solved.mip_dual_bound)
