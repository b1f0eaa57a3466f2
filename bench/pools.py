"""How much a pool of candidate batches loses against all connected groups, and how long it takes for a whole city.

Run with `python -m bench.pools`. Each small city is a net of streets with gaps, of about 100 segments; groups of up to
six segments are listed without exception, and both pools are solved by HiGHS under the same two yearly budgets. Printed
are the loss, the loss against the solver's bound for all groups, and the gap to the bound that needs no pool. A loss
below nothing means that the solver had no time to find the best of all groups; the bound holds all the same.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from planner.policy import Policy, read_policy
from planner.policy_parts import Figure
from planner.pool import make_pool
from planner.pool_bound import pool_free_bound, site_shares
from tests.planner.pool_oracle import all_groups, best_choice, groups_of, street_town

_LONGEST_M = 800.0
_MOST_SEGMENTS = 6
_BUDGET_SHARE = 0.2
_RELIEF = np.array([18.0, 17.2])
_GAP = 1e-3
_SECONDS = 90.0


def policy_of(longest_m: float) -> Policy:
    """Return the default policy with another longest run."""
    policy = read_policy()
    longest = Figure(value=longest_m, source="bench", confidence="derived")
    return policy.model_copy(update={"groups": policy.groups.model_copy(update={"maximum_run_m": longest})})


def measure(seed: int, streets: int) -> tuple[float, float]:
    """Solve one city with all groups and with the pool, print one line, and return the loss and what it is at most."""
    town, policy = street_town(seed, streets, streets + 2, 0.85), policy_of(_LONGEST_M)
    site_cny = policy.prices.mobilisation_cny_per_batch.value
    budget = np.full(2, _BUDGET_SHARE * (town.cost_cny.sum() + site_cny * len(town.segments) / 5))
    every = all_groups(town.segments, _LONGEST_M, _MOST_SEGMENTS)
    start = time.perf_counter()
    best, bound = best_choice(every, town.worth, town.cost_cny, site_cny, budget, _RELIEF, _GAP, _SECONDS)
    middle = time.perf_counter()
    pool = make_pool(town.segments, town.worth, town.cost_cny, town.by_class, policy)
    groups = list(groups_of(pool.row, pool.batch))
    ours, _ = best_choice(groups, town.worth, town.cost_cny, site_cny, budget, _RELIEF, _GAP, _SECONDS)
    seconds = time.perf_counter() - middle
    value, cost = town.worth[:, None] * _RELIEF, np.repeat(town.cost_cny[:, None], 2, axis=1)
    free = pool_free_bound(value, cost, site_shares(town.segments, policy), site_cny, budget).value
    loss, most = (best - ours) / best, (bound - ours) / bound
    print(
        f"city {seed}: {len(town.segments)} segments; {len(every):,} groups in {middle - start:.1f} s,"
        f" pool of {len(pool.ids):,} in {seconds:.1f} s; loss {loss:.2%}, against the bound of all groups"
        f" {most:.2%}; gap to the bound without a pool {(free - ours) / free:.2%}",
        flush=True,
    )
    return loss, most


def time_city(segment_count: int) -> None:
    """Make the pool of a whole city and print how long it took."""
    side = max(int(np.sqrt(segment_count / 2 / 0.8)), 2)
    town, policy = street_town(1, side, side, 0.8), read_policy()
    start, worked = time.perf_counter(), time.process_time()
    pool = make_pool(town.segments, town.worth, town.cost_cny, town.by_class, policy)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    print(f"{len(town.segments):,} segments in {seconds:.1f} s ({worked:.1f} s of a processor): {pool.rule.text('en')}")
    start = time.perf_counter()
    value = town.worth[:, None] * np.linspace(18.0, 15.0, 5)
    cost = np.repeat(town.cost_cny[:, None], 5, axis=1)
    shares = site_shares(town.segments, policy)
    pool_free_bound(value, cost, shares, 30_000.0, np.full(5, 0.08 * town.cost_cny.sum()))
    print(f"bound without a pool, 5 years: {time.perf_counter() - start:.1f} s")


def main() -> None:
    """Read the arguments, measure and print."""
    parser = argparse.ArgumentParser(description="Pools of candidate batches against all connected groups.")
    parser.add_argument("--cities", type=int, default=10)
    parser.add_argument("--streets", type=int, default=7)
    parser.add_argument("--segments", type=int, default=20_000)
    arguments = parser.parse_args()
    losses = [measure(seed, arguments.streets) for seed in range(arguments.cities)]
    known, least = (np.array([loss[place] for loss in losses]) for place in (0, 1))
    print(
        f"loss: mean {known.mean():.2%}, most {known.max():.2%}; at most, by the bound of all groups, {least.max():.2%}"
    )
    time_city(arguments.segments)


if __name__ == "__main__":
    main()
