"""What is really running: the truth about a server is its process, not its pid file.

A pid file outlives a kill, its number may by now be another program's, and a killed server may stay a zombie
for ever in a container whose first process does not reap. So a server counts as running only if a living
process named `postgres` has the data folder as its working folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.cluster.account import Account, run_as

PROCESSES: Final = Path("/proc")
SERVER_NAME: Final = "postgres"
DEAD_STATES: Final = frozenset("ZXx")
SINGLE_USER: Final = "single-user"


@dataclass(frozen=True)
class PidFile:
    """What postmaster.pid says: the process number and the server's own word on its state."""

    pid: int
    state: str

    @property
    def is_ready(self) -> bool:
        """Tell whether the server says that it takes connections."""
        return self.state == "ready"


def read_pid_file(data_folder: Path) -> PidFile | None:
    """Read postmaster.pid; None where it is absent, empty or unreadable as a number."""
    try:
        lines = (data_folder / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None
    if pid < 0:
        # `postgres --single` writes its number with a minus sign and never becomes ready.
        return PidFile(-pid, SINGLE_USER)
    return PidFile(pid, lines[7].strip() if len(lines) > 7 else "")


def find_postmaster(data_folder: Path, account: Account) -> PidFile | None:
    """Return the pid file if the process it names is alive and is a server of this very folder."""
    pid_file = read_pid_file(data_folder)
    if pid_file is None or pid_file.pid not in servers_in(data_folder, account, [pid_file.pid]):
        return None
    return pid_file


def servers_in(data_folder: Path, account: Account, pids: Iterable[int] | None = None) -> list[int]:
    """List the living `postgres` processes (all, or among `pids`) that work in the data folder."""
    try:
        found = data_folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return []
    place = (found.st_dev, found.st_ino)
    servers = [pid for pid in (_all_pids() if pids is None else pids) if _is_living_server(pid)]
    return [pid for pid, folder in _working_folders(servers, account).items() if folder == place]


def is_starting(data_folder: Path, account: Account) -> bool:
    """Tell whether a main server process works in the folder that has not yet said so in its pid file."""
    pids = servers_in(data_folder, account)
    return find_postmaster(data_folder, account) is None and any(is_main(pid) for pid in pids)


def is_main(pid: int) -> bool:
    """Tell the main process of a server, which keeps its command line; its others are named `postgres: ...`."""
    try:
        return not (PROCESSES / str(pid) / "cmdline").read_bytes().startswith(b"postgres: ")
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(is_done: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until the answer is yes or the time is over; return the last answer."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while not is_done():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return True


def _all_pids() -> list[int]:
    return [int(entry.name) for entry in PROCESSES.iterdir() if entry.name.isdecimal()]


def _is_living_server(pid: int) -> bool:
    try:
        text = (PROCESSES / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    # pid (name) state ...: the name may itself hold blanks and parentheses.
    head, _, rest = text.rpartition(")")
    return head.partition("(")[2] == SERVER_NAME and rest.split()[0] not in DEAD_STATES


def _working_folders(pids: list[int], account: Account) -> dict[int, tuple[int, int]]:
    folders: dict[int, tuple[int, int]] = {}
    unseen: list[int] = []
    for pid in pids:
        try:
            found = (PROCESSES / str(pid) / "cwd").stat()
        except (FileNotFoundError, ProcessLookupError):
            continue
        except PermissionError:
            unseen.append(pid)
        else:
            folders[pid] = (found.st_dev, found.st_ino)
    if unseen and account.is_foreign:
        folders |= _working_folders_as(account, unseen)
    return folders


def _working_folders_as(account: Account, pids: list[int]) -> dict[int, tuple[int, int]]:
    # Root of a container lacks CAP_SYS_PTRACE and may not look; the server's own user may look at its own.
    links = [PROCESSES / str(pid) / "cwd" for pid in pids]
    answer = run_as(account, ["stat", "--dereference", "--format=%n %d %i", "--", *links])
    rows = [line.split() for line in answer.stdout.splitlines()]
    return {int(Path(name).parent.name): (int(device), int(node)) for name, device, node in rows}


def is_gone(data_folder: Path, account: Account) -> bool:
    """Tell whether no living server process works in the data folder any more."""
    return not servers_in(data_folder, account)
