"""Run the engine in a process of its own, which can be stopped at any moment without losing what it has found.

The only module of the planner that looks at the clock: it says how long the search took and stops it when told to. A
search that was stopped by the clock is marked, since it need not come out the same again.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from planner.solve.elastic import Missed, find_missed
from planner.solve.model import Floats, Model, Rows
from planner.solve.search import Found, Limits

# (batch, year) choices of a model that is solved at once
_SMALL_CHOICES: Final = 400


@dataclass(frozen=True)
class Run:
    """How a search ended: what it found last, by which solver, in how long, and whether the clock stopped it."""

    found: Found
    solver: str
    seconds: float
    was_stopped: bool


class EngineFailedError(RuntimeError):
    """The process of the engine broke down; the text is its trace."""


def run_engine(model: Model, limits: Limits, starts: tuple[Rows, ...], time_limit_s: float | None) -> Run:
    """Search in a process of its own; at the time limit, kill it and return what it had found by then.

    A small model without a time limit is searched here: it takes less time than starting a process.
    """
    began = time.monotonic()
    if time_limit_s is None and int(model.reachable().sum()) <= _SMALL_CHOICES:
        return _here(model, limits, starts, began)
    found, prices, solver = Found(), None, None
    for kind, said in _messages("search", (model, limits, starts), time_limit_s):
        if kind == "done":
            solver = said
        else:
            found, prices = said, said.prices or prices
    return Run(replace(found, prices=prices), solver or "", time.monotonic() - began, solver is None)


def run_elastic(model: Model, weight: Floats, limits: Limits) -> Missed:
    """Find the due work that has to be missed, in a process of its own; a small model is looked through here."""
    if int(model.reachable().sum()) <= _SMALL_CHOICES:
        return find_missed(model, weight, limits)
    (_, missed), _done = _messages("elastic", (model, weight, limits), None)
    if not isinstance(missed, Missed):
        raise EngineFailedError(str(missed))
    return missed


def _messages(job: str, arguments: tuple[object, ...], time_limit_s: float | None) -> Iterator[tuple[str, Any]]:
    """Yield what the worker says, to its last word or until the time is up; then nothing is left of it."""
    until = None if time_limit_s is None else time.monotonic() + time_limit_s
    ours, theirs = socket.socketpair()
    with Connection(ours.detach()) as pipe:
        process = _start(theirs)
        try:
            pipe.send((job, arguments))
            while pipe.poll(None if until is None else max(until - time.monotonic(), 0.0)):
                kind, said = _receive(pipe)
                yield kind, said
                if kind == "done":
                    break
        finally:
            process.kill()
            process.wait()


def _receive(pipe: Connection) -> tuple[str, Any]:
    try:
        kind, said = pipe.recv()
    except EOFError as error:
        message = "the process ended without a word"
        raise EngineFailedError(message) from error
    if kind == "failed":
        raise EngineFailedError(said)
    return kind, said


def _here(model: Model, limits: Limits, starts: tuple[Rows, ...], began: float) -> Run:
    from planner.solve.engine import search
    from planner.solve.highs import solver_name

    found = search(model, limits, starts, lambda _: None)
    return Run(found, solver_name(), time.monotonic() - began, was_stopped=False)


def _start(end: socket.socket) -> subprocess.Popen[bytes]:
    """Start the worker at its end of the pipe; nothing that it prints reaches our output."""
    home = str(Path(__file__).parents[2])
    paths = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    with end:
        return subprocess.Popen(
            [sys.executable, "-m", "planner.solve.worker", str(end.fileno())],
            pass_fds=[end.fileno()],
            env=os.environ | {"PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
