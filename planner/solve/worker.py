"""The process in which the engine runs: it takes a model from a pipe and sends back what it finds.

It ends as soon as the other end of the pipe is closed, so that nothing is left of it however its parent ended.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any, Final

# how long to wait for more work
_IDLE_S: Final = 300.0


def _take_jobs(pipe: Connection, jobs: SimpleQueue[Any]) -> None:
    while True:
        try:
            jobs.put(pipe.recv())
        except (EOFError, OSError):
            os._exit(1)


def _do(job: str, arguments: tuple[Any, ...], pipe: Connection) -> None:
    from planner.solve.elastic import find_missed
    from planner.solve.engine import search
    from planner.solve.highs import solver_name
    from planner.solve.search import Found

    sent: list[object] = [None]

    def tell(found: Found) -> None:
        # the prices are large: they go through the pipe once
        is_new = found.prices is not sent[0]
        sent[0] = found.prices
        pipe.send(("found", found if is_new else replace(found, prices=None)))

    try:
        if job == "search":
            model, limits, starts = arguments
            tell(search(model, limits, starts, tell))
        else:
            pipe.send(("found", find_missed(*arguments)))
        pipe.send(("done", solver_name()))
    except Exception:
        pipe.send(("failed", traceback.format_exc()))


def main(number: str) -> None:
    """Do the jobs that come through the pipe, and tell each step forward; end where none comes any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = Connection(int(number))
    jobs: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_take_jobs, args=(pipe, jobs), daemon=True).start()
    while True:
        try:
            job, arguments = jobs.get(timeout=_IDLE_S)
        except Empty:
            os._exit(0)
        _do(job, arguments, pipe)


if __name__ == "__main__":
    main(sys.argv[1])
