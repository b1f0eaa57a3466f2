"""Which user the server runs as, and how its programs are started as that user.

PostgreSQL refuses to run as root, so for root only its own programs (never Python, whose environment that
user may be unable to read) run as an ordinary user that exists. The child drops all rights of root before it
becomes the program, as setpriv would do; no such tool has to be installed.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.errors import ClusterError

CANDIDATES: Final = ("postgres", "nobody")
_SEARCH: Final = 'for folder; do [ -x "$folder" ] || { printf %s "$folder"; exit 1; }; done'


@dataclass(frozen=True)
class Account:
    """The user that owns the data folder and runs the server."""

    name: str
    uid: int
    gid: int

    @property
    def is_foreign(self) -> bool:
        """Tell whether programs must first drop to this user."""
        return self.uid != os.geteuid()


def settle_account(data_folder: Path) -> Account:
    """Return the user of the server: the owner of the data folder, else ourselves, or for root a candidate.

    Raises
    ------
    ClusterError
        If the folder belongs to someone else, to a user without a name, or root finds no user to drop to.
    """
    own = os.geteuid()
    try:
        owner = data_folder.stat().st_uid
    except (FileNotFoundError, NotADirectoryError):
        owner = None
    except OSError as fault:
        raise ClusterError("cluster_home_unusable", home=data_folder.parent, detail=fault) from fault
    if own != 0:
        if owner is not None and owner != own:
            raise ClusterError("cluster_of_another_user", folder=data_folder, owner=user_name(owner))
        return _named_account(own, data_folder)
    if owner:
        return _named_account(owner, data_folder)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise ClusterError("cluster_no_ordinary_user", candidates=", ".join(CANDIDATES))


def user_name(uid: int) -> str:
    """Return the name of a user, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _named_account(uid: int, data_folder: Path) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as fault:
        # PostgreSQL itself ends with "could not look up effective user ID".
        raise ClusterError("cluster_user_without_name", uid=uid, folder=data_folder) from fault
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def run_as(
    account: Account, command: Sequence[str | Path], pass_fds: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program as the server's user and return what it said; a bad exit code is not raised.

    The environment is a small one of our own: variables such as PGPORT or PGDATA would bend the server,
    PROJ's would break PostGIS, and those of root are no business of another user. The working folder is `/`,
    which every user may enter.
    """
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"}
    if zone := os.environ.get("TZ"):
        environment["TZ"] = zone
    drop_to = account if account.is_foreign else None
    return subprocess.run(
        [str(part) for part in command],
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        pass_fds=pass_fds,
        umask=0o077,
        user=drop_to.uid if drop_to else None,
        group=drop_to.gid if drop_to else None,
        extra_groups=[] if drop_to else None,
    )


def check_searchable(account: Account, home: Path) -> None:
    """Make sure that the server's user can reach the home folder.

    Raises
    ------
    ClusterError
        If a folder on the way is closed to it, naming that folder.
    """
    on_the_way = [*reversed(home.resolve().parents), home.resolve()]
    answer = run_as(account, ["/bin/sh", "-c", _SEARCH, "sh", *on_the_way])
    if answer.returncode != 0:
        raise ClusterError("cluster_folder_closed", folder=answer.stdout, user=account.name, home=home)
