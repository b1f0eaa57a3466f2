"""Make the data folder and write the server's three configuration files."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.cluster.account import Account, run_as, user_name
from registry.cluster.leftovers import PORT
from registry.cluster.locate import Binaries
from registry.errors import ClusterError

ROLE: Final = "digonce"
SETTINGS_FILE: Final = "digonce.conf"
NO_SPACE: Final = "No space left"
_MIB: Final = 1024**2
_INCLUDE: Final = f"\n# Written anew at every start; what follows this line wins.\ninclude = '{SETTINGS_FILE}'\n"
# Order by code point, which no update of the system changes under an index, with letters of every script: where
# LC_CTYPE is plain C the trigram search finds no Chinese, with ICU's collations too (tried on 15). glibc has
# C.UTF-8 built in since 2.35; the others are for a system that lacks it.
LOCALES: Final = (
    ("--locale=C.UTF-8",),
    ("--locale=C", "--lc-ctype=en_US.UTF-8"),
    ("--locale=C", "--lc-ctype=zh_CN.UTF-8"),
)
_FIRST_ORDINARY_UID: Final = 1000
_ROOMY_SHARED_MEMORY: Final = 512 * _MIB


@dataclass(frozen=True)
class Machine:
    """What of this machine decides the settings; sizes in bytes."""

    memory: int
    disk_free: int
    shared_memory_free: int
    processors: int


def read_machine(data_folder: Path) -> Machine:
    """Measure memory (of the container, where it has a limit), disk and processors."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            memory = min(memory, int(Path(limit).read_text(encoding="ascii")))
    return Machine(
        memory=memory,
        disk_free=free_bytes(data_folder),
        shared_memory_free=free_bytes(Path("/dev/shm")),  # noqa: S108 - only measured
        processors=len(os.sched_getaffinity(0)),
    )


def free_bytes(folder: Path) -> int:
    """Return the bytes that an ordinary user may still write where the folder lies; 0 if it is absent."""
    try:
        disk = os.statvfs(folder)
    except FileNotFoundError:
        return 0
    return disk.f_bavail * disk.f_frsize


def server_settings(machine: Machine, account: Account, *, is_throwaway: bool) -> dict[str, str]:
    """Return the server's settings for this machine.

    Sized for a box shared with the planner itself (2 cores, 8 GiB): an eighth of the memory for the server's
    own cache, the rest is left to the system's and to Python.
    """
    settings = {
        "listen_addresses": "",
        "port": str(PORT),
        # Relative to the data folder, hence never longer than the 107 bytes of a socket's path.
        "unix_socket_directories": ".",
        "unix_socket_permissions": "0700",
        "cluster_name": ROLE,
        "timezone": "UTC",
        # The log is searched for English words.
        "lc_messages": "C",
        "jit": "off",
        "shared_buffers": _mib(machine.memory // 8, 128, 1024),
        "effective_cache_size": _mib(machine.memory // 2, 256, 64 * 1024),
        "maintenance_work_mem": _mib(machine.memory // 16, 64, 512),
        "work_mem": _mib(machine.memory // 256, 8, 32),
        "max_wal_size": _mib(machine.disk_free // 8, 256, 4096),
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "max_parallel_workers_per_gather": str(min(2, max(0, machine.processors - 1))),
        "max_parallel_maintenance_workers": str(min(2, max(0, machine.processors - 1))),
        "dynamic_shared_memory_type": _dynamic_memory(machine, account),
        "log_checkpoints": "off",
        # Nobody replicates from a private server and backups are dumps: rows loaded into a fresh table need no log.
        "wal_level": "minimal",
        "max_wal_senders": "0",
    }
    if is_throwaway:
        settings |= {
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "shared_buffers": "128MB",
            # it may lie in memory
            "max_wal_size": "512MB",
        }
    return settings


def _mib(size: int, least: int, most: int) -> str:
    return f"{max(least, min(most, size // _MIB))}MB"


def _dynamic_memory(machine: Machine, account: Account) -> str:
    # Two traps of /dev/shm: containers give it 64 MB, too little for parallel queries, and logind removes
    # what an ordinary user left there when that user logs out, under the running server.
    is_safe = machine.shared_memory_free >= _ROOMY_SHARED_MEMORY and account.uid < _FIRST_ORDINARY_UID
    return "posix" if is_safe else "mmap"


def settings_text(settings: Mapping[str, str]) -> str:
    """Write settings as lines of a PostgreSQL configuration file."""
    return "".join(f"{name} = '{value}'\n" for name, value in settings.items())


def ident_text(account: Account) -> str:
    """Map the server's user, root and the person who calls to the role digonce, others to a login of the same name.

    Only members have a login (`digonce member add`), and only a server with members has a way in for others. A user of
    the system who happens to be called as our role is nobody special.
    """
    names = dict.fromkeys([account.name, "root", user_name(os.geteuid())])
    owners = "".join(f'{ROLE} "{name}" {ROLE}\n' for name in names)
    return owners + f"{ROLE} /^(?!{ROLE}$)(.+)$ \\1\n"


def write_configuration(data_folder: Path, account: Account, *, is_throwaway: bool) -> None:
    """Write who may connect, and the settings for this machine; done before every start."""
    settings = server_settings(read_machine(data_folder), account, is_throwaway=is_throwaway)
    write_file(data_folder / "pg_hba.conf", f"local all all peer map={ROLE}\n", account)
    write_file(data_folder / "pg_ident.conf", ident_text(account), account)
    write_file(data_folder / SETTINGS_FILE, settings_text(settings), account)


def write_file(path: Path, text: str, account: Account) -> None:
    """Replace a file of the data folder in one step, owned by the server's user and closed to others."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    # The folder belongs to a lesser user: never follow a link that it might have laid.
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        if account.is_foreign:
            os.fchown(file.fileno(), account.uid, account.gid)
    fresh.replace(path)


@dataclass(frozen=True)
class Making:
    """With what a data folder is made: `held` is the serving lock, which initdb keeps until its end."""

    account: Account
    binaries: Binaries
    held: int
    is_throwaway: bool


def make_data_folder(data_folder: Path, making: Making) -> None:
    """Run initdb in a folder beside it and move it into place, so that a data folder is whole or absent.

    Raises
    ------
    ClusterError
        If initdb fails, with its own words.
    """
    growing = data_folder.with_name(f"{data_folder.name}.new")
    faults: list[str] = []
    for locale in LOCALES:
        _remove_abandoned(growing)
        _make_owned_folder(growing, making.account)
        answer = run_as(making.account, initdb_command(making, growing, locale), [making.held])
        if answer.returncode == 0:
            break
        faults.append((answer.stderr or answer.stdout).strip())
    else:
        _remove_abandoned(growing)
        code = "cluster_disk_full" if NO_SPACE in faults[0] else "cluster_initdb_failed"
        raise ClusterError(code, folder=data_folder, detail=faults[0])
    main_file = growing / "postgresql.conf"
    write_file(main_file, main_file.read_text(encoding="utf-8") + _INCLUDE, making.account)
    growing.rename(data_folder)


def initdb_command(making: Making, folder: Path, locale: Sequence[str]) -> list[str | Path]:
    """Return the command that makes a cluster whose superuser is digonce and that opens to nobody else."""
    care = ["--no-sync"] if making.is_throwaway else ["--data-checksums"]
    names = [f"--pgdata={folder}", f"--username={ROLE}", "--encoding=UTF8", "--auth=peer"]
    return [making.binaries.program("initdb"), *names, *locale, *care, "--no-instructions"]


def _make_owned_folder(folder: Path, account: Account) -> None:
    folder.mkdir(mode=0o700)
    if account.is_foreign:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchown(descriptor, account.uid, account.gid)
        finally:
            os.close(descriptor)


def _remove_abandoned(growing: Path) -> None:
    # Left by an initdb that was killed. We hold the lock that it and its children held: nobody writes there now.
    if growing.exists():
        shutil.rmtree(growing)
