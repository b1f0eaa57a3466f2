"""Run the engine in a process of its own, which can be stopped at any moment without losing what it has found.

A process that has done its work waits for the next model, as starting one takes longer than solving a small one; it
ends with ours, or after some minutes without work.

The only module of the planner that looks at the clock: it says how long the search took and stops it when told to. A
search that was stopped by the clock is marked, since it need not come out the same again.
"""

from __future__ import annotations

import atexit
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


def run_elastic(model: Model, weight: Floats, limits: Limits, *, is_common: bool = False) -> Missed:
    """Find the due work that has to be missed, in a process of its own; a small model is looked through here."""
    if int(model.reachable().sum()) <= _SMALL_CHOICES:
        return find_missed(model, weight, limits, is_common)
    (_, missed), _done = _messages("elastic", (model, weight, limits, is_common), None)
    if not isinstance(missed, Missed):
        raise EngineFailedError(str(missed))
    return missed


def _messages(job: str, arguments: tuple[object, ...], time_limit_s: float | None) -> Iterator[tuple[str, Any]]:
    """Yield what the worker says, to its last word or until the time is up.

    A process that had waited may have been killed since: its work goes to a new one.
    """
    until = None if time_limit_s is None else time.monotonic() + time_limit_s
    waited = _waiting(job, arguments)
    if waited is not None:
        try:
            yield from _said(waited, until)
        except _GoneError:
            pass
        else:
            return
    worker = _start()
    try:
        worker.pipe.send((job, arguments))
        yield from _said(worker, until)
    except _GoneError as error:
        message = "the process ended without a word"
        raise EngineFailedError(message) from error
    except BaseException:
        worker.end()
        raise


class _GoneError(Exception):
    """The process is gone and said nothing."""


def _said(worker: _Worker, until: float | None) -> Iterator[tuple[str, Any]]:
    """Yield what a process says; one that has said its last word waits for more work, any other is killed."""
    is_done = has_spoken = False
    try:
        while worker.pipe.poll(None if until is None else max(until - time.monotonic(), 0.0)):
            try:
                kind, said = worker.pipe.recv()
            except (EOFError, OSError) as error:
                message = "the process ended in the middle of its work"
                raise (EngineFailedError(message) if has_spoken else _GoneError) from error
            if kind == "failed":
                raise EngineFailedError(said)
            has_spoken, is_done = True, kind == "done"
            yield kind, said
            if is_done:
                return
    finally:
        if is_done:
            _idle.append(worker)
        else:
            worker.end()


@dataclass(frozen=True)
class _Worker:
    """A process that takes models; `parent` is the process that may give it any."""

    process: subprocess.Popen[bytes]
    pipe: Connection
    parent: int

    def end(self) -> None:
        self.pipe.close()
        if self.parent == os.getpid():
            self.process.kill()
            self.process.wait()


_idle: Final[list[_Worker]] = []


@atexit.register
def end_idle() -> None:
    """End the processes that wait for work."""
    while _idle:
        _idle.pop().end()


def _waiting(job: str, arguments: tuple[object, ...]) -> _Worker | None:
    """Give the work to a process that waits for some; None where there is none."""
    while _idle:
        worker = _idle.pop()
        if worker.parent == os.getpid() and worker.process.poll() is None:
            try:
                worker.pipe.send((job, arguments))
            except OSError:
                pass
            else:
                return worker
        worker.end()
    return None


def _here(model: Model, limits: Limits, starts: tuple[Rows, ...], began: float) -> Run:
    from planner.solve.engine import search
    from planner.solve.highs import solver_name

    found = search(model, limits, starts, lambda _: None)
    return Run(found, solver_name(), time.monotonic() - began, was_stopped=False)


def _start() -> _Worker:
    """Start a worker at its end of a pipe; nothing that it prints reaches our output."""
    home = str(Path(__file__).parents[2])
    paths = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "planner.solve.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=os.environ | {"PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return _Worker(process, Connection(ours.detach()), os.getpid())
