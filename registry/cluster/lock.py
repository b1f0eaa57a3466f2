"""Our own lock around starting and stopping, held by one process at a time and freed by its death."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.cluster.account import Account


@contextmanager
def exclusive(path: Path, account: Account) -> Iterator[None]:
    """Hold the lock file for the length of the block; wait for whoever holds it.

    The kernel frees it when the process ends, however it ends, and children do not inherit it, so it can never
    be left behind; the file itself is never removed, since a waiting process would then lock a dead name.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if account.is_foreign and os.fstat(descriptor).st_uid != account.uid:
            # Made by root first: the user of the data folder must be able to take it later.
            os.fchown(descriptor, account.uid, account.gid)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
