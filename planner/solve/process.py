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
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from planner.solve.model import Model, Rows
from planner.solve.search import Found, Limits


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
    """Search in a process of its own; at the time limit, kill it and return what it had found by then."""
    began = time.monotonic()
    ours, theirs = socket.socketpair()
    pipe = Connection(ours.detach())
    with pipe:
        process = _start(theirs)
        try:
            pipe.send((model, limits, starts))
            found, solver = _listen(pipe, None if time_limit_s is None else began + time_limit_s)
        finally:
            process.kill()
            process.wait()
    return Run(found, solver or "", time.monotonic() - began, solver is None)


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


def _listen(pipe: Connection, until: float | None) -> tuple[Found, str | None]:
    """Return what the worker found last, and its solver; no solver where the clock ran out first."""
    found = Found()
    while True:
        left = None if until is None else max(until - time.monotonic(), 0.0)
        if not pipe.poll(left):
            return found, None
        try:
            kind, *said = pipe.recv()
        except EOFError as error:
            message = "the process ended without a word"
            raise EngineFailedError(message) from error
        if kind == "failed":
            raise EngineFailedError(said[0])
        if kind == "done":
            return found, said[0]
        found = replace(said[0], prices=said[0].prices or found.prices)
