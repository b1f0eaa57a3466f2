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


def _end_with_parent(pipe: Connection) -> None:
    try:
        pipe.recv()
    except (EOFError, OSError):
        os._exit(1)


def main(number: str) -> None:
    """Do the job that comes through the pipe, and tell each step forward."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = Connection(int(number))
    from planner.solve.elastic import find_missed
    from planner.solve.engine import search
    from planner.solve.highs import solver_name
    from planner.solve.search import Found

    job, arguments = pipe.recv()
    threading.Thread(target=_end_with_parent, args=(pipe,), daemon=True).start()

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


if __name__ == "__main__":
    main(sys.argv[1])
