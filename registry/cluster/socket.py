"""The address of the server's socket, for paths of any length.

The server makes its socket in the data folder under a relative name, so it never meets the 107 bytes that the
path of a socket may have. A client needs a full path: the data folder's own where it is short enough, and
otherwise `/proc/self/fd/N`, where N is the folder held open by this process. The first works in every
process; the second only in this one and in children that are given the descriptor (`pass_fds`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from registry.cluster.configure import ROLE
from registry.cluster.leftovers import PORT, SOCKET_NAME

LONGEST_PATH: Final = 107
# (folder, device, inode) -> descriptor, held open until the process ends: connection strings name it.
_held: dict[tuple[str, int, int], int] = {}


def is_plain(folder: Path) -> bool:
    """Tell whether libpq can take the folder itself as host: short enough and without a comma.

    A comma separates hosts.
    """
    return len(os.fsencode(folder / SOCKET_NAME)) <= LONGEST_PATH and "," not in str(folder)


def socket_descriptor(folder: Path) -> int:
    """Return the descriptor of the folder, opened once and kept."""
    found = folder.stat()
    key = (str(folder), found.st_dev, found.st_ino)
    if key not in _held:
        _held[key] = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return _held[key]


def socket_host(folder: Path) -> str:
    """Return what libpq needs as `host`."""
    return str(folder) if is_plain(folder) else f"/proc/self/fd/{socket_descriptor(folder)}"


def connection_string(host: str, database: str, server_user: str, login: str = ROLE) -> str:
    """Return a libpq connection string; it holds no secret.

    `requirepeer` makes the client refuse a socket that another user might have laid there; the port is named
    since PGPORT would otherwise bend it.
    """
    parts = {
        "host": host,
        "port": str(PORT),
        "user": login,
        "dbname": database,
        "requirepeer": server_user,
    }
    return " ".join(f"{name}={_quoted(value)}" for name, value in parts.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
