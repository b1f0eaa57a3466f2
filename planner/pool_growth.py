"""How the groups of a pool are found: cut from the network, merged from runs, grown by several rules, listed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.factors import Floats
from planner.pool_graph import Network, Rows, connected_groups, grow, members_of
from planner.runs import cut_runs

Group = tuple[int, ...]

# shares of the longest run into which the network is cut: parts that tile it, so that a plan can use them together
_CUT_SHARES: Final = (1.0, 0.75, 0.5, 0.35)
# shares of the longest run at which a growth also stops
_STOP_SHARES: Final = (0.5, 0.25)
# so many first steps of a growth are groups of their own
_FIRST_STEPS: Final = 6
# the first rules also grow from segments that lie in enough groups, until they lie in so many times as many
_OWN_RULES: Final = 2
_OWN_TIMES: Final = 1.5
# spread of the noise on the logarithm of worth per cost, one rule each
_NOISE: Final = (0.25, 0.5, 0.5, 1.0, 1.0, 2.0)
# groups looked at around a segment that lies in too few batches
_LISTED: Final = 64


@dataclass(frozen=True)
class Site:
    """The segments that may form runs, in the order of ids: what they are worth and cost, and how they hang together.

    Nodes are numbered so that only segments that may share a batch share a node; `street_ends` tell the streets apart
    as well. Both have one row for the first and one for the last end of the segments.
    """

    ids: Sequence[str]
    worth: Floats
    cost_cny: Floats
    length_m: Floats
    ends: Rows
    street_ends: Rows
    mobilisation_cny: float
    shortest_m: float
    longest_m: float

    @property
    def worth_per_cost(self) -> Floats:
        """Worth per yuan, of free segments as if they cost one yuan."""
        ratio: Floats = self.worth / np.maximum(self.cost_cny, 1.0)
        return ratio


@dataclass(frozen=True)
class Rule:
    """One way to grow: which segments come first, and whether a growth stays in its street."""

    code: str
    score: Floats
    stays_in_street: bool = False


class Collector:
    """The different groups found so far, with the rule that found each first, and how many hold each segment."""

    def __init__(self, site: Site) -> None:
        """Start without a group."""
        count = len(site.ids)
        self.rules: dict[Group, str] = {}
        self.covered = [0] * count
        self.network = _network(site.ends, count)
        self._site = site
        self._length_m: list[float] = site.length_m.tolist()

    def add(self, members: Sequence[int], rule: str) -> None:
        """Add a group, unless it is known or shorter than the policy wants although a neighbour would fit."""
        group = tuple(sorted(members))
        if group in self.rules:
            return
        if self._site.shortest_m > 0 and self._could_be_longer(group):
            return
        self.rules[group] = rule
        for member in group:
            self.covered[member] += 1

    def add_labels(self, labels: Rows, rule: str) -> None:
        """Add the group of every label."""
        for members in members_of(labels):
            self.add(members, rule)

    def _could_be_longer(self, group: Group) -> bool:
        used_m = sum(self._length_m[member] for member in group)
        if used_m >= self._site.shortest_m:
            return False
        inside = set(group)
        beside = (
            other
            for member in group
            for node in self.network.nodes_of[member]
            for other in self.network.elements_at[node]
        )
        return any(other not in inside and used_m + self._length_m[other] <= self._site.longest_m for other in beside)


def find_runs(site: Site, known: Sequence[Sequence[int]], batches_per_segment: int, seed: int) -> dict[Group, str]:
    """Return the groups of a pool with the rule that found each first; `known` groups always count as found.

    Every step costs about the number of segments times the groups that hold each.
    """
    found = Collector(site)
    for members in known:
        found.add(members, "today")
    _merge(site, found)
    _cut(site, found)
    _grow(site, found, batches_per_segment, seed)
    _list(site, found, batches_per_segment)
    return found.rules


def _cut(site: Site, found: Collector) -> None:
    """Cut the network into parts of several lengths, along streets and across corners."""
    for share in _CUT_SHARES:
        for ends in (site.ends, site.street_ends):
            found.add_labels(cut_runs(ends[0], ends[1], site.length_m, share * site.longest_m), "cut")


def _merge(site: Site, found: Collector) -> None:
    """Join whole runs of streets with their neighbours, also across a corner, as long as the length allows."""
    run = cut_runs(site.street_ends[0], site.street_ends[1], site.length_m, site.longest_m)
    count = int(run.max(initial=-1)) + 1
    network = Network.of_pairs(np.tile(run, 2), site.ends.ravel(), count)
    length_m = np.bincount(run, site.length_m, count)
    cost_cny = np.bincount(run, site.cost_cny, count) + site.mobilisation_cny
    rank = _rank(np.bincount(run, site.worth, count) / np.maximum(cost_cny, 1.0))
    preferring, lengths = network.preferring(rank), length_m.tolist()
    members = list(members_of(run))
    for start in range(count):
        joined: list[int] = []
        for step, other in enumerate(grow([start], preferring, rank, lengths, site.longest_m)):
            joined = joined + members[other]
            if step:
                found.add(joined, "merged")


def _grow(site: Site, found: Collector, batches_per_segment: int, seed: int) -> None:
    """Grow from every segment by the first rules, then by the others where a segment lies in too few groups."""
    rules = _rules(site, seed)
    street_network = _network(site.street_ends, len(site.ids))
    lengths = site.length_m.tolist()
    for place, rule in enumerate(rules):
        share = _OWN_TIMES if place < _OWN_RULES else (place + 1) / len(rules)
        rank = _rank(rule.score)
        network = (street_network if rule.stays_in_street else found.network).preferring(rank)
        for start in np.argsort(rank).tolist():
            if found.covered[start] >= share * batches_per_segment:
                continue
            grown = grow([start], network, rank, lengths, site.longest_m, site.shortest_m)
            for stop in _stops(site, np.array(grown)):
                found.add(grown[:stop], rule.code)


def _rules(site: Site, seed: int) -> list[Rule]:
    ratio = site.worth_per_cost
    logarithm = np.log(np.maximum(ratio, np.finfo(np.float64).tiny))
    ahead = _around(site, site.worth) / np.maximum(_around(site, site.cost_cny), 1.0)
    rules = [
        Rule("worth_per_cost", ratio),
        Rule("street", ratio, stays_in_street=True),
        Rule("ahead", np.sqrt(ratio * ahead)),
        Rule("worth", site.worth),
    ]
    for number, spread in enumerate(_NOISE):
        score = logarithm + spread * _noise(site.ids, f"{seed}:{number}")
        rules.append(Rule("noise", score, stays_in_street=number == 1))
    return rules


def _around(site: Site, amount: Floats) -> Floats:
    """Sum an amount over the segments at both ends of each; the segment itself counts twice."""
    at_node = np.bincount(site.ends.ravel(), np.tile(amount, 2))
    total: Floats = at_node[site.ends].sum(axis=0)
    return total


def _noise(ids: Sequence[str], salt: str) -> Floats:
    """Return Gumbel noise that depends on the id alone, so that other segments never change it."""
    digests = (hashlib.sha256(f"{salt}:{name}".encode()).digest()[:6] for name in ids)
    share = (np.array([int.from_bytes(digest, "big") for digest in digests], dtype=np.float64) + 0.5) / 2.0**48
    noise: Floats = -np.log(-np.log(share))
    return noise


def _stops(site: Site, grown: Rows) -> set[int]:
    """Return after how many segments a growth gives a group."""
    length_m = np.cumsum(site.length_m[grown])
    ratio = np.cumsum(site.worth[grown]) / (np.cumsum(site.cost_cny[grown]) + site.mobilisation_cny + 1.0)
    shares = np.searchsorted(length_m, np.array(_STOP_SHARES) * site.longest_m, side="right")
    stops = {len(grown), int(np.argmax(ratio)) + 1, *shares.tolist(), *range(1, _FIRST_STEPS + 1)}
    if site.shortest_m > 0:
        stops.add(int(np.searchsorted(length_m, site.shortest_m)) + 1)
    return {stop for stop in stops if 0 < stop <= len(grown)}


def _list(site: Site, found: Collector, batches_per_segment: int) -> None:
    """List the groups around each segment that still lies in too few, until there are enough or no more."""
    lengths = site.length_m.tolist()
    for start in range(len(site.ids)):
        if found.covered[start] >= batches_per_segment:
            continue
        for looked_at, group in enumerate(connected_groups(start, found.network, lengths, site.longest_m)):
            found.add(group, "listed")
            if found.covered[start] >= batches_per_segment or looked_at >= _LISTED:
                break


def _network(ends: Rows, count: int) -> Network:
    return Network.of_pairs(np.tile(np.arange(count), 2), ends.ravel(), count)


def _rank(score: Floats) -> list[int]:
    """Return the place of each element by score, the highest first; ties in the order of ids."""
    rank = np.empty(len(score), dtype=np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(len(score))
    return rank.tolist()
