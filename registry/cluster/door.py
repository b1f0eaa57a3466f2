"""A way in for members: other users of this machine who may connect, each as the login of the same name.

The folder of the data stays closed, and with it the socket in it. Once there is a member, the socket has a second name
in a folder of its own, `door`, that everybody may pass through; who comes is asked of the kernel (peer), and a user
without a login of the same name is refused. The second name is a hard link: the server knows nothing of it, so that
what it leaves behind after a crash is as before.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from registry.cluster.leftovers import SOCKET_NAME
from registry.errors import ClusterError

_DOOR: Final = "door"
_PASSABLE: Final = 0o711
_SOCKET_MODE: Final = 0o777


def door_folder(home: Path) -> Path:
    """Return the folder that members come through; it exists where there ever was one."""
    return home / _DOOR


def open_door(home: Path, data_folder: Path) -> None:
    """Let members reach the socket of a server that runs; repeatable.

    Raises
    ------
    ClusterError
        Where a folder on the way is closed to other users: which ones to open is for its owner to say.
    """
    closed = next((folder for folder in home.parents if not folder.stat().st_mode & stat.S_IXOTH), None)
    if closed is not None:
        raise ClusterError("cluster_door_closed", folder=closed, home=home)
    home.chmod(home.stat().st_mode | 0o011)
    door = door_folder(home)
    door.mkdir(mode=_PASSABLE, exist_ok=True)
    door.chmod(_PASSABLE)
    hang_door(home, data_folder)


def hang_door(home: Path, data_folder: Path) -> None:
    """Give the socket of a server that has just started its second name; nothing where there never was a member."""
    door = door_folder(home)
    if not door.is_dir():
        return
    own = data_folder / SOCKET_NAME
    own.chmod(_SOCKET_MODE)
    fresh = door / f"{SOCKET_NAME}.new"
    fresh.unlink(missing_ok=True)
    os.link(own, fresh)
    fresh.replace(door / SOCKET_NAME)
    fresh.unlink(missing_ok=True)


def host_of_guest(home: Path, data_folder: Path) -> int | None:
    """Return the owner of a server whom somebody else calls through its door; None for the owner and for root."""
    own = os.geteuid()
    try:
        owner = data_folder.stat().st_uid
        is_open = door_folder(home).is_dir()
    except OSError:
        return None
    return owner if own not in {0, owner} and is_open else None
