"""Seeded planning models of four kinds: disjoint with every rule, with pair bonuses, budgets only, and overlapping."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.solve.model import NONE, Bonuses, Cap, Flags, Floats, Floor, Model, Packing, Rows, Sites, Streets

YEARS: Final = 5
_DISTRICTS: Final = 12
_DISCOUNT: Final = 0.04
_HORIZON_YEARS: Final = 30
_PER_SEGMENT: Final = 6


def _worth(rng: np.random.Generator, cost: Floats, years: int) -> Floats:
    """Return values by batch and year: what is avoided from that year on, spread widely around the cost."""
    relief = np.array([((1 + _DISCOUNT) ** -np.arange(year, _HORIZON_YEARS)).sum() for year in range(years)])
    worth: Floats = (cost / 1e6 * rng.lognormal(0, 0.7, len(cost)))[:, None] * relief / relief[0]
    return worth


def _joint_costs(rng: np.random.Generator, cost: Floats, project: Rows) -> Floats:
    """Return costs by batch and year: a quarter less in the year of a project, a little noise otherwise."""
    by_year = np.repeat(cost[:, None], YEARS, axis=1) * rng.uniform(0.98, 1.02, (len(cost), YEARS))
    joint = np.flatnonzero(project != NONE)
    by_year[joint, project[joint]] *= 0.75
    return by_year


def full(batches: int, seed: int) -> Model:
    """Disjoint batches under every rule: budgets carried on, sites, no second cut, bans, caps, due work, floors."""
    rng = np.random.default_rng(seed)
    length_km = rng.lognormal(-1.2, 0.6, batches)
    cost = length_km * rng.lognormal(14.3, 0.35, batches)
    street = np.sort(rng.integers(0, max(batches // 4, 1), batches))
    streets = int(street.max()) + 1
    project = np.where(rng.random(streets) < 0.25, rng.integers(0, YEARS, streets), NONE)
    may = np.ones((batches, YEARS), dtype=bool)
    after = (project[street] != NONE)[:, None] & (np.arange(YEARS) > project[street][:, None])
    may &= ~after & (rng.random((batches, YEARS)) > 0.03)
    district = (street * _DISTRICTS // streets).astype(np.int64)
    site = (street * max(batches // 20, 1) // streets).astype(np.int64)
    households = rng.lognormal(4, 1, batches)
    caps = _cap("crew_km", length_km, district, 0.42), _cap("households_out", households, district, 0.45)
    # one due batch alone never fills a year
    due = (rng.random(batches) < 0.03) & np.all([cap.amount < 0.3 * cap.cap[district, 0] for cap in caps], axis=0)
    first = np.where(may.any(axis=1), may.argmax(axis=1), YEARS - 1)
    deadline = np.where(due & may.any(axis=1), np.maximum(rng.integers(1, YEARS, batches), first), NONE)
    each = np.arange(batches)
    return Model(
        value=_worth(rng, cost, YEARS),
        cost_cny=_joint_costs(rng, cost, project[street]),
        is_open=may,
        budget_cny=np.full(YEARS, cost.sum() * 0.35 / YEARS) * rng.uniform(0.8, 1.2, YEARS),
        packing=Packing.disjoint(deadline),
        carried_share=1.0,
        streets=Streets(each, street, rng.integers(3, 6, streets)),
        sites=Sites(site, np.full(int(site.max()) + 1, float(np.median(cost)) * 0.3)),
        caps=caps,
        floors=(Floor("district_km", length_km, district, caps[0].cap[:, 0] * YEARS * 0.6),),
    )


def _cap(code: str, amount: Floats, district: Rows, share: float) -> Cap:
    whole = np.bincount(district, weights=amount)
    return Cap(code, amount, district, np.repeat(whole[:, None] * share / YEARS, YEARS, axis=1))


def pairs(batches: int, seed: int) -> Model:
    """Disjoint batches under budgets; neighbours are worth more in one year."""
    rng = np.random.default_rng(seed)
    cost = rng.lognormal(13, 0.8, batches)
    value = _worth(rng, cost, YEARS)
    project = np.where(rng.random(batches) < 0.3, rng.integers(0, YEARS, batches), NONE)
    first = rng.integers(0, batches - 1, batches)
    second = np.minimum(first + rng.integers(1, 4, batches), batches - 1)
    pair = np.unique(np.stack([first, second], axis=1)[first < second], axis=0)
    smaller = np.minimum(value[pair[:, 0]], value[pair[:, 1]])
    bonus = smaller * rng.uniform(0.05, 0.25, len(pair))[:, None]
    return Model(
        value=value,
        cost_cny=_joint_costs(rng, cost, project),
        is_open=np.ones((batches, YEARS), dtype=bool),
        budget_cny=np.full(YEARS, cost.sum() * 0.3 / YEARS),
        packing=Packing.disjoint(np.full(batches, NONE)),
        bonuses=Bonuses(pair[:, 0], pair[:, 1], bonus),
    )


def budgets(batches: int, seed: int) -> Model:
    """Disjoint batches under budgets and kilometres of crews by year."""
    rng = np.random.default_rng(seed)
    length_km = rng.lognormal(-1.2, 0.6, batches)
    cost = length_km * rng.lognormal(14.3, 0.35, batches)
    project = np.where(rng.random(batches) < 0.3, rng.integers(0, YEARS, batches), NONE)
    return Model(
        value=_worth(rng, cost, YEARS),
        cost_cny=_joint_costs(rng, cost, project),
        is_open=np.ones((batches, YEARS), dtype=bool),
        budget_cny=np.full(YEARS, cost.sum() * 0.3 / YEARS),
        packing=Packing.disjoint(np.full(batches, NONE)),
        caps=(_cap("crew_km", length_km, np.zeros(batches, dtype=np.int64), 0.32),),
    )


def _grid(side: int) -> tuple[NDArray[np.int64], int]:
    """Return the edges of a square grid as pairs of nodes, and how many nodes there are."""
    node = np.arange(side * side).reshape(side, side)
    across = np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()], axis=1)
    down = np.stack([node[:-1].ravel(), node[1:].ravel()], axis=1)
    return np.concatenate([across, down]), side * side


def _connected_sets(rng: np.random.Generator, edges: NDArray[np.int64], nodes: int, count: int) -> list[list[int]]:
    """Grow connected sets of edges from every edge in turn until there are enough different ones."""
    at_node: list[list[int]] = [[] for _ in range(nodes)]
    for number, (one, other) in enumerate(edges.tolist()):
        at_node[one].append(number)
        at_node[other].append(number)
    seen: set[tuple[int, ...]] = set()
    order = rng.permutation(len(edges)).tolist()
    trial = 0
    while len(seen) < count:
        grown = {order[trial % len(order)]}
        trial += 1
        for _ in range(int(rng.integers(1, 2 * _PER_SEGMENT))):
            edge = sorted(grown)[int(rng.integers(len(grown)))]
            end = int(edges[edge, int(rng.integers(2))])
            grown.add(at_node[end][int(rng.integers(len(at_node[end])))])
        seen.add(tuple(sorted(grown)))
    return sorted(list(group) for group in seen)


def overlapping(batches: int, seed: int) -> Model:
    """Connected candidates that share segments of a street grid, each with a cost to set up a site."""
    rng = np.random.default_rng(seed)
    side = max(int((batches / _PER_SEGMENT / 2) ** 0.5) + 1, 4)
    edges, nodes = _grid(side)
    groups = _connected_sets(rng, edges, nodes, batches)
    batch = np.repeat(np.arange(batches), [len(group) for group in groups])
    segment = np.concatenate([np.array(group) for group in groups])
    length_m = rng.uniform(60, 180, len(edges))
    risk = length_m * rng.lognormal(0, 0.9, len(edges))
    cost = np.bincount(batch, weights=length_m[segment]) * 3000.0 + 150_000.0
    relief = np.array([((1 + _DISCOUNT) ** -np.arange(year, _HORIZON_YEARS)).sum() for year in range(YEARS)])
    value = np.bincount(batch, weights=risk[segment])[:, None] * relief / relief[0]
    may: Flags = np.ones((batches, YEARS), dtype=bool)
    ban = rng.random(len(edges)) < 0.1
    banned_until = np.where(ban, rng.integers(1, YEARS + 1, len(edges)), 0)
    free_from = np.zeros(batches, dtype=np.int64)
    np.maximum.at(free_from, batch, banned_until[segment])
    may &= np.arange(YEARS) >= free_from[:, None]
    return Model(
        value=value,
        cost_cny=np.repeat(cost.astype(np.float64)[:, None], YEARS, axis=1),
        is_open=may,
        budget_cny=np.full(YEARS, length_m.sum() * 3000.0 * 0.3 / YEARS),
        packing=Packing(segment, batch, np.full(len(edges), NONE)),
    )
