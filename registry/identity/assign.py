"""One-to-one pairs: the assignment that explains both censuses best, and how far the next best ones are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from registry.identity.candidates import Pairs
from registry.identity.census import Flags, Floats, Rows


@dataclass(frozen=True)
class Lookup:
    """Pairs by their rows: `of(delivered, known)` is the position of a pair, or -1."""

    keys: Rows
    known_count: int

    @classmethod
    def over(cls, pairs: Pairs, known_count: int) -> Lookup:
        """Index pairs that are in the order of their rows."""
        return cls(pairs.delivered * known_count + pairs.known, known_count)

    def of(self, delivered: Rows, known: Rows) -> Rows:
        """Return the positions of pairs, -1 where there is none."""
        if len(self.keys) == 0:
            return np.full(len(delivered), -1, dtype=np.int64)
        wanted = delivered * self.known_count + known
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        found: Rows = np.where(self.keys[place] == wanted, place, -1)
        return found


def choose_pairs(pairs: Pairs, log_odds: Floats) -> Flags:
    """Choose at most one pair for every pipe so that the sum of log-odds is the largest.

    Pairs below zero are never chosen: two pipes are then the likelier story. Ties go to the first in the order of the
    ids; `rival_weights` tells that they were ties.
    """
    chosen: Flags = np.zeros(len(log_odds), dtype=bool)
    eligible = np.flatnonzero(log_odds > 0.0)
    if len(eligible) == 0:
        return chosen
    _, theirs = np.unique(pairs.delivered[eligible], return_inverse=True)
    _, ours = np.unique(pairs.known[eligible], return_inverse=True)
    shape = int(theirs.max()) + 1, int(ours.max()) + 1
    nodes = sum(shape)
    graph = coo_array((np.ones(len(eligible)), (theirs, ours + shape[0])), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    group = component[theirs]
    order = np.argsort(group, kind="stable")
    edges = np.flatnonzero(np.diff(group[order], prepend=-1, append=-1))
    size = np.diff(edges)
    chosen[eligible[order[edges[:-1][size == 1]]]] = True
    for start, count in zip(edges[:-1][size > 1], size[size > 1], strict=True):
        members = order[start : start + count]
        best = _best(theirs[members], ours[members], log_odds[eligible[members]])
        chosen[eligible[members[best]]] = True
    return chosen


def _best(theirs: Rows, ours: Rows, gain: Floats) -> Rows:
    """Return the positions of the best one-to-one pairs of one component."""
    _, row = np.unique(theirs, return_inverse=True)
    _, column = np.unique(ours, return_inverse=True)
    table = np.zeros((int(row.max()) + 1, int(column.max()) + 1))
    table[row, column] = gain
    place = np.full(table.shape, -1, dtype=np.int64)
    place[row, column] = np.arange(len(gain))
    found = place[linear_sum_assignment(table, maximize=True)]
    return found[found >= 0]


def rival_weights(pairs: Pairs, log_odds: Floats, chosen: Flags, known_count: int) -> Floats:
    """Return for each pair the weight of the stories that would put another pair in its place, relative to it.

    A story takes one pair that was not chosen and releases what stands in its way; the two that are left over go
    together if they can. So two pipes in one trench are weighed as a swap of both, and of n pipes that nothing tells
    apart each gets 1/n. Longer rings of swaps are not counted; they are never better than their best single swap.
    """
    partner_of_delivered = _partners(pairs.delivered, chosen)
    partner_of_known = _partners(pairs.known, chosen)
    lookup = Lookup.over(pairs, known_count)
    rival = np.flatnonzero(~chosen & (log_odds > 0.0))
    first = partner_of_delivered[pairs.delivered[rival]]
    second = partner_of_known[pairs.known[rival]]
    is_swap = (first >= 0) & (second >= 0)
    other = np.full(len(rival), -1, dtype=np.int64)
    other[is_swap] = lookup.of(pairs.delivered[second[is_swap]], pairs.known[first[is_swap]])
    gain = np.append(np.maximum(log_odds, 0.0), 0.0)
    is_mirror = (other >= 0) & (gain[other] > 0.0) & (other < rival)
    cost = gain[first] + gain[second] - gain[rival] - gain[other]
    weight = np.where(is_mirror, 0.0, np.exp(-np.maximum(cost, 0.0)))
    total = np.zeros(len(log_odds) + 1)
    np.add.at(total, first, weight)
    np.add.at(total, second, weight)
    return total[:-1]


def _partners(rows: Rows, chosen: Flags) -> Rows:
    """Return row -> position of its chosen pair, or -1."""
    partners = np.full(int(rows.max(initial=-1)) + 1, -1, dtype=np.int64)
    partners[rows[chosen]] = np.flatnonzero(chosen)
    return partners
