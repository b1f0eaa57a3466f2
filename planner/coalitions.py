"""The Shapley value, exact, with every coalition shown."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import comb
from typing import Final, NamedTuple

MOST_PARTIES: Final = 8
Members = tuple[int, ...]


class Marginal(NamedTuple):
    """What a party adds to the cost of those before it, and the share of all orders in which just those are before."""

    party: int
    before: Members
    cost: float
    weight: float


def marginal_costs(party_count: int, cost: Callable[[Members], float]) -> list[Marginal]:
    """Return what each party adds to every coalition of the others, party by party, small coalitions first.

    The Shapley value of a party is the sum of weight times marginal cost; the weight of a coalition of s out of n
    parties is s! (n - s - 1)! / n!, the share of the orders in which exactly those come before it (Shapley 1953).
    """
    every = range(party_count)
    costs = {members: cost(members) for size in range(party_count + 1) for members in combinations(every, size)}
    return [
        Marginal(
            party,
            before,
            costs[tuple(sorted((*before, party)))] - costs[before],
            1.0 / (party_count * comb(party_count - 1, len(before))),
        )
        for party in every
        for before in costs
        if party not in before
    ]
