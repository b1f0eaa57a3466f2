"""Mend what a killed server leaves behind, so that the next start works."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from registry.cluster.account import Account, run_as
from registry.cluster.locate import Binaries
from registry.cluster.processes import is_main, servers_in, wait_until
from registry.errors import ClusterError

# The port only names the socket file, since there is no TCP.
PORT: Final = 5432
SOCKET_NAME: Final = f".s.PGSQL.{PORT}"
LEFT_BEHIND: Final = ("postmaster.pid", SOCKET_NAME, f"{SOCKET_NAME}.lock")
PATIENCE_S: Final = 5.0


def end_orphans(data_folder: Path, account: Account, binaries: Binaries, *, with_main: bool) -> None:
    """End the server processes that outlived their postmaster, which block the next start.

    A backend that computes notices the loss only at its next pause, tens of seconds later. SIGQUIT ends it at
    once; its transaction is lost, as it was already. Call only under our lock, without a living postmaster.
    Unless `with_main`, nothing is ended where a main process is about: a start whose caller was killed.

    Raises
    ------
    ClusterError
        If one of them can not be ended.
    """
    for signal in ("QUIT", "KILL"):
        pids = servers_in(data_folder, account)
        if not with_main and any(is_main(pid) for pid in pids):
            return
        for pid in pids:
            # As the server's user, so that no foreign process can ever be hit.
            run_as(account, [binaries.program("pg_ctl"), "kill", signal, str(pid)])
        if wait_until(lambda: not servers_in(data_folder, account), PATIENCE_S):
            return
    names = ", ".join(str(pid) for pid in servers_in(data_folder, account))
    raise ClusterError("cluster_orphans_remain", pids=names, folder=data_folder)


def remove_lock_files(data_folder: Path) -> None:
    """Remove the pid file, the socket and its lock.

    Right only under our lock and when no process serves the folder: then they belong to a dead, zombie or
    foreign process, and PostgreSQL would refuse to start because of them.
    """
    for name in LEFT_BEHIND:
        (data_folder / name).unlink(missing_ok=True)
