"""Pipes and junctions as lists: what lies at which node, and how connected groups are grown and listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from planner.groups import snapped_nodes
from planner.policy import Policy

Rows = NDArray[np.int64]

# so many elements that do not fit end a growth
_MISSES: Final = 8
# a listing looks at so many neighbours of a group at most
_WIDEST: Final = 24


@dataclass(frozen=True)
class Network:
    """Elements (segments or runs) and the nodes they touch; `elements_at` lists the preferred element first."""

    nodes_of: list[list[int]]
    elements_at: list[list[int]]

    @classmethod
    def of_pairs(cls, element: Rows, node: Rows, element_count: int) -> Network:
        """Build from pairs of element and node, repeated pairs counting once."""
        pairs = np.unique(np.column_stack([element, node]), axis=0)
        nodes_of = _lists(pairs[:, 0], pairs[:, 1], element_count)
        order = np.lexsort((pairs[:, 0], pairs[:, 1]))
        node_count = int(pairs[:, 1].max(initial=-1)) + 1
        return cls(nodes_of, _lists(pairs[order, 1], pairs[order, 0], node_count))

    def preferring(self, rank: Sequence[int]) -> Network:
        """Return the network with the elements at each node in the order of rank, the lowest first."""
        return Network(self.nodes_of, [sorted(here, key=rank.__getitem__) for here in self.elements_at])


def _lists(key: Rows, value: Rows, count: int) -> list[list[int]]:
    """Return for each key the list of its values; pairs stand in the order of keys."""
    ends = np.searchsorted(key, np.arange(1, count))
    return [part.tolist() for part in np.split(value, ends)] if count else []


def grow(
    start: Sequence[int],
    network: Network,
    rank: Sequence[int],
    length_m: Sequence[float],
    longest_m: float,
    shortest_m: float = 0.0,
) -> list[int]:
    """Return a connected group in the order in which it grows: always the preferred element beside it that still fits.

    `network` must prefer by the same `rank`. Each node is asked for its next element only, so that a growth costs the
    logarithm of its size for each element, however many meet at a node.
    """
    elements, nodes_of, elements_at = list(start), network.nodes_of, network.elements_at
    seen = set(elements)
    room_m = longest_m - sum(length_m[element] for element in elements)
    opened = {node for element in elements for node in nodes_of[element]}
    heap = [(rank[elements_at[node][0]], 0, node) for node in opened]
    heapify(heap)
    misses = 0
    while heap and (misses < _MISSES or longest_m - room_m < shortest_m):
        _, place, node = heappop(heap)
        here = elements_at[node]
        element = here[place]
        if place + 1 < len(here):
            heappush(heap, (rank[here[place + 1]], place + 1, node))
        if element in seen:
            continue
        seen.add(element)
        if length_m[element] > room_m:
            misses += 1
            continue
        room_m -= length_m[element]
        elements.append(element)
        for other in nodes_of[element]:
            if other not in opened:
                opened.add(other)
                heappush(heap, (rank[elements_at[other][0]], 0, other))
    return elements


def connected_groups(
    start: int, network: Network, length_m: Sequence[float], longest_m: float
) -> Iterator[tuple[int, ...]]:
    """List each connected group that holds the start and is not longer than `longest_m`, each once, deepest first.

    Every group is extended by each neighbour in turn, and neighbours tried before are not tried again below
    (Wernicke 2006, for groups around one vertex). Beside a group only the first 24 neighbours are looked at.
    """
    stack: list[tuple[tuple[int, ...], frozenset[int], float]] = [((start,), frozenset((start,)), length_m[start])]
    while stack:
        group, tried, used_m = stack.pop()
        yield group
        further: list[tuple[tuple[int, ...], frozenset[int], float]] = []
        for element in _beside(group, tried, network):
            tried = tried | {element}
            if used_m + length_m[element] <= longest_m:
                further.append(((*group, element), tried, used_m + length_m[element]))
        stack.extend(reversed(further))


def _beside(group: tuple[int, ...], tried: frozenset[int], network: Network) -> list[int]:
    found: dict[int, None] = {}
    for element in group:
        for node in network.nodes_of[element]:
            for other in network.elements_at[node]:
                if other not in tried:
                    found[other] = None
                    if len(found) >= _WIDEST:
                        return list(found)
    return list(found)


def end_nodes(segments: gpd.GeoDataFrame, policy: Policy) -> Rows:
    """Return the node of the first and of the last end of each segment, in two rows."""
    lines: NDArray[Any] = np.asarray(segments.geometry.array)
    ends = [shapely.get_coordinates(shapely.get_point(lines, place)) for place in (0, -1)]
    return snapped_nodes(np.vstack(ends), policy.groups.snap_m.value).reshape(2, -1)


def components(segments: gpd.GeoDataFrame, policy: Policy) -> Rows:
    """Number what hangs together: segments of one medium that are linked through their ends."""
    count = len(segments)
    medium = numbered(segments["medium"].astype("str"))
    node = numbered(np.tile(medium, 2), end_nodes(segments, policy).ravel())
    total = count + int(node.max(initial=-1)) + 1
    links = coo_array((np.ones(2 * count), (np.tile(np.arange(count), 2), node + count)), shape=(total, total))
    return np.asarray(connected_components(links, directed=False)[1][:count], dtype=np.int64)


def members_of(labels: Rows) -> Iterator[list[int]]:
    """Yield the places of each label."""
    if len(labels):
        order = np.argsort(labels, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
            yield part.tolist()


def numbered(*keys: pd.Series | Rows) -> Rows:
    """Number the different rows of some columns."""
    frame = pd.DataFrame({place: np.asarray(key) for place, key in enumerate(keys)})
    numbers = frame.groupby(list(frame.columns), sort=True, dropna=False).ngroup()
    return np.asarray(numbers, dtype=np.int64)
