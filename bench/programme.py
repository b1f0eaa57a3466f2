"""Planning models of five kinds: how close to the bound the engine comes, and in what time, beside its peers.

The peers run on the same model in the same process tree: the usual greedy plan, and HiGHS on the whole model with the
same time as the goal. Seconds of the processor are printed beside those of the clock, since a machine that is shared
runs slow by the clock only. A goal is reached where every seed reaches its gap within its time.

Example: python -m bench.programme --seeds 5
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.programme_instances import budgets, full, overlapping, pairs
from planner.solve.keep import keeps
from planner.solve.model import Model
from planner.solve.process import end_idle
from planner.solve.solve import Solution, solve


@dataclass(frozen=True)
class Goal:
    """A kind of model, its size, and the gap to be reached in a time."""

    make: Callable[[int, int], Model]
    batches: int
    gap_share: float
    seconds: float


GOALS: Final = {
    "full": Goal(full, 20_000, 1e-3, 60.0),
    "pairs": Goal(pairs, 10_000, 5e-4, 5.0),
    "budgets": Goal(budgets, 100_000, 2e-3, 60.0),
    "overlapping": Goal(overlapping, 20_000, 5e-3, 15.0),
    "overlapping_large": Goal(overlapping, 60_000, 1e-2, 60.0),
}
# HiGHS alone, in a process of its own, killed a little after the time it was given
_PEER: Final = """
import sys, numpy as np, highspy
from bench.programme import GOALS
from planner.solve.linear import make_linear, plan_of
from planner.solve import highs
from planner.solve.keep import keeps, plan_value
name, batches, seed, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
model = GOALS[name].make(batches, seed)
linear = make_linear(model)
solver = highs._quiet(seed)
solver.setOptionValue("time_limit", seconds)
solver.setOptionValue("mip_rel_gap", GOALS[name].gap_share)
highs._pass(solver, linear, highs.objective_scale(linear), is_whole=True, lower=None)
solver.run()
if solver.getInfo().primal_solution_status == 2:
    plan = plan_of(linear, np.asarray(solver.getSolution().col_value), model.shape[0])
    print("plan", plan_value(model, plan) if keeps(model, plan) else "nan")
"""


def measure(goal: Goal, batches: int, seed: int) -> tuple[Solution, float]:
    """Solve one model; return the solution and the seconds of the processor, the engine's process included."""
    model = goal.make(batches, seed)
    # the engine's process is counted once it has ended; else it waits for more work
    end_idle()
    before = _processor_seconds()
    solution = solve(model, gap_share=goal.gap_share)
    end_idle()
    spent = _processor_seconds() - before
    assert keeps(model, solution.year)
    assert solution.greedy_broken or solution.objective >= solution.greedy
    return solution, spent


def _processor_seconds() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def peer(name: str, batches: int, seed: int, seconds: float) -> float | None:
    """Return the value of the plan of HiGHS alone within a time; none where it has none."""
    arguments = [sys.executable, "-c", _PEER, name, str(batches), str(seed), str(seconds)]
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=seconds * 3 + 30)
    except subprocess.TimeoutExpired:
        return None
    said = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("plan ")]
    return float(said[0]) if said else None


def run(name: str, batches: int | None, seeds: int, peer_seconds: float | None) -> None:
    """Measure one kind of model on several seeds, and print what was reached."""
    goal = GOALS[name]
    size = goal.batches if batches is None else batches
    print(f"{name}: {size} batches, goal {goal.gap_share:.2%} in {goal.seconds:g} s")
    reached = []
    for seed in range(1, seeds + 1):
        began = time.monotonic()
        solution, spent = measure(goal, size, seed)
        clock = time.monotonic() - began
        reached.append((solution.gap_share, spent, clock))
        usual = "breaks " + ", ".join(solution.greedy_broken) if solution.greedy_broken else ""
        print(
            f"  seed {seed}: gap {solution.gap_share:.4%} · {spent:.1f} s of processor · {clock:.1f} s of clock · "
            f"greedy {solution.greedy / solution.bound - 1:+.1%} of the bound {usual} · {solution.method}",
            flush=True,
        )
        if seed == 1 and peer_seconds != 0:
            alone = peer(name, size, seed, goal.seconds if peer_seconds is None else peer_seconds)
            told = "no plan" if alone is None else f"{alone / solution.bound - 1:+.3%} of the bound"
            print(f"  seed {seed}: HiGHS alone in {goal.seconds if peer_seconds is None else peer_seconds:g} s: {told}")
    gaps, spent_s, clock_s = (np.array(part) for part in zip(*reached, strict=True))
    told = "reached" if (gaps <= goal.gap_share).all() and (spent_s <= goal.seconds).all() else "NOT reached"
    late = "" if (clock_s <= goal.seconds).all() else f"; by the clock up to {clock_s.max():.1f} s"
    print(f"  worst gap {gaps.max():.4%}, most processor {spent_s.max():.1f} s: goal {told}{late}")


def main() -> None:
    """Measure all kinds, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=sorted(GOALS), action="append")
    parser.add_argument("--batches", type=int, help="another size than that of the goal")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--peer-seconds", type=float, help="time of HiGHS alone; 0: not at all; else that of the goal")
    asked = parser.parse_args()
    for name in asked.kind or GOALS:
        run(name, asked.batches, asked.seeds, asked.peer_seconds)


if __name__ == "__main__":
    main()
