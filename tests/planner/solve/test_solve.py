from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bench.programme_instances import budgets, pairs
from planner.solve import process
from planner.solve.keep import keeps
from planner.solve.model import NONE, Model
from planner.solve.process import EngineFailedError
from planner.solve.solve import Solution, solve
from tests.conftest import REPOSITORY
from tests.planner.solve.cases import random_case


def workers(parent: int | None = None) -> list[int]:
    """Processes of the engine that this process (or another) has started."""
    mine = os.getpid() if parent is None else parent
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            started_by = int((folder / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        if b"planner.solve.worker" in words and started_by in (mine, 1):
            found.append(int(folder.name))
    return found


@pytest.fixture(scope="module")
def large() -> Model:
    return budgets(1500, 1)


@pytest.fixture(scope="module")
def solved(large: Model) -> Solution:
    return solve(large)


def test_a_solution_says_how_good_it_is_and_how_it_was_got(large: Model, solved: Solution) -> None:
    assert keeps(large, solved.year)
    assert solved.greedy <= solved.objective <= solved.bound
    assert solved.gap_share == pytest.approx((solved.bound - solved.objective) / solved.bound)
    assert solved.gap_share <= 5e-3
    assert solved.solver.startswith("HiGHS 1.")
    assert solved.method == "prices"
    assert solved.is_reproducible
    assert solved.seconds > 0
    assert solved.prices is not None


def test_a_process_waits_for_the_next_model_and_can_be_ended(large: Model, solved: Solution) -> None:
    solve(large)
    waiting = workers()
    assert len(waiting) == 1
    assert solve(large).objective == solved.objective
    assert workers() == waiting
    os.kill(waiting[0], signal.SIGKILL)
    assert solve(large).objective == solved.objective
    assert len(workers()) == 1
    process.end_idle()
    assert workers() == []


def test_a_solution_comes_out_the_same_again(large: Model, solved: Solution) -> None:
    again = solve(large)
    assert again.year.tolist() == solved.year.tolist()
    assert (again.bound, again.nodes, again.status) == (solved.bound, solved.nodes, solved.status)


def test_time_that_runs_out_leaves_the_usual_plan_and_no_process(large: Model) -> None:
    process.end_idle()
    stopped = solve(large, time_limit_s=0.05)
    assert not stopped.is_reproducible
    assert stopped.status == "time_limit"
    assert keeps(large, stopped.year)
    assert stopped.objective >= stopped.greedy
    assert np.isfinite(stopped.bound)
    assert workers() == []


def test_a_start_is_never_lost() -> None:
    model, best = next((model, best) for model, best in map(random_case, range(50)) if best > 0)
    solution = solve(model)
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(best)
    kept = solve(model, starts=(solution.year,), time_limit_s=5.0, node_limit=1)
    assert kept.objective == pytest.approx(best)


def test_a_model_without_a_plan_is_called_infeasible() -> None:
    model = next(model for model, best in map(random_case, range(50)) if best == -np.inf)
    solution = solve(model)
    assert solution.status == "infeasible"
    assert solution.objective == -np.inf
    assert set(solution.year.tolist()) == {NONE}


def test_a_broken_engine_is_an_error_with_its_trace(large: Model) -> None:
    process.end_idle()
    with pytest.raises(EngineFailedError, match="search"):
        solve(large, starts=(np.array(["no year"]),))
    assert workers() == []


def test_a_solve_that_is_interrupted_or_killed_leaves_no_process_and_prints_nothing() -> None:
    code = (
        "from bench.programme_instances import pairs; from planner.solve.solve import solve;"
        "solve(pairs(20000, 1), gap_share=0.0)"
    )
    for stop in (signal.SIGINT, signal.SIGKILL):
        ours = subprocess.Popen(
            [sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while not workers(ours.pid) and ours.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        started = workers(ours.pid)
        assert started
        ours.send_signal(stop)
        printed, _ = ours.communicate(timeout=60)
        assert printed == b""
        while set(started) & set(workers(ours.pid)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not set(started) & set(workers(ours.pid))


def test_bonuses_are_solved_close_to_the_bound() -> None:
    solution = solve(pairs(2000, 1), gap_share=1e-3)
    assert solution.method == "prices"
    assert solution.gap_share <= 2e-3
