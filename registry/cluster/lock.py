"""Our two locks: one around starting and stopping, one held by the server itself as long as it lives.

The kernel frees both when their last process ends, however it ends, so neither can ever be left behind. The
files are never removed, since a waiting process would then lock a dead name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from registry.cluster.account import Account
from registry.cluster.processes import wait_until
from registry.errors import ClusterError


class RunsElsewhereError(ClusterError):
    """A server that can not be seen from here serves the same folder."""


@contextmanager
def exclusive(path: Path, account: Account) -> Generator[None]:
    """Hold the lock file for the length of the block, after whoever holds it; children do not inherit it."""
    descriptor = _open(path, account)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def serving(path: Path, account: Account, patience_s: float) -> Generator[int]:
    """Take the lock that says "a server serves this folder" and yield its descriptor for the server.

    Process numbers say nothing about another container (or machine) that shares the folder, and two servers
    on one folder destroy it. A lock reaches across: it is free only if no server anywhere holds it.

    Raises
    ------
    RunsElsewhereError
        If a server that can not be seen from here still holds it after `patience_s` seconds.
    """
    descriptor = _open(path, account)
    try:
        if not wait_until(lambda: _take(descriptor), patience_s):
            raise RunsElsewhereError("cluster_runs_elsewhere", folder=path.parent)
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path, account: Account) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as fault:
        raise ClusterError("cluster_home_unusable", home=path.parent, detail=fault) from fault
    if account.is_foreign and os.fstat(descriptor).st_uid != account.uid:
        # Made by root first: the user of the data folder must be able to take it later.
        os.fchown(descriptor, account.uid, account.gid)
    return descriptor
