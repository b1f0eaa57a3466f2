"""The embedded server as a whole: up, down, status, and its databases."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.cluster import configure, leftovers, socket
from registry.cluster.account import Account, check_searchable, run_as, settle_account, user_name
from registry.cluster.door import door_folder, hang_door, host_of_guest, open_door
from registry.cluster.locate import Binaries, find_binaries
from registry.cluster.lock import RunsElsewhereError, exclusive, serving
from registry.cluster.moving import finish_move
from registry.cluster.processes import SINGLE_USER, find_postmaster, is_starting, wait_until
from registry.errors import ClusterError

LEAST_FREE: Final = 200 * 1024**2
# Recovery after a crash reads the log written since the last checkpoint: minutes at most.
START_PATIENCE_S: Final = 600
STOP_PATIENCE_S: Final = 120
# The last processes of a killed server may be a moment from their end; an initdb whose caller was killed goes on.
STARTING_PATIENCE_S: Final = 2
MAKING_PATIENCE_S: Final = 60
LOG_LINES: Final = 12
_LONGEST_LOG: Final = 16 * 1024**2
# pg_ctl hands the path to a shell between double quotes.
_UNUSABLE_IN_PATH: Final = re.compile(r'["$`\\\x00-\x1f]')


@dataclass(frozen=True)
class ClusterStatus:
    """What is known of the embedded server without changing anything."""

    is_initialised: bool
    is_running: bool
    server_pid: int | None
    version: str | None
    major_on_disk: int | None
    data_folder: Path
    log_file: Path
    socket: Path


class Cluster:
    """One private PostgreSQL cluster under a home folder.

    Only the user that runs it, root and the person who started it can connect: the folders are closed, the
    server listens on a unix socket alone and asks the kernel who is calling. `is_throwaway` gives up safety
    against power loss for speed: for tests only.
    """

    def __init__(self, home: Path, *, is_throwaway: bool = False) -> None:
        self.home = home.absolute()
        self.is_throwaway = is_throwaway
        self.data_folder = self.home / "cluster"
        self.log_file = self.data_folder / "server.log"
        self._serving_lock = self.home / "cluster.running"

    def __repr__(self) -> str:
        return f"Cluster({str(self.home)!r})"

    def up(self) -> None:
        """Make the cluster if it is absent, mend what a crash left, and start it; repeatable at any time.

        A member who comes to the server of somebody else starts nothing.

        Raises
        ------
        ClusterError
            If a program, a right or disk space is missing, the data is of another major, or the start fails.
        """
        if self._host is not None:
            if not (door_folder(self.home) / leftovers.SOCKET_NAME).exists():
                raise ClusterError("cluster_host_down", owner=user_name(self._host), home=self.home)
            return
        account = settle_account(self.data_folder)
        if (server := find_postmaster(self.data_folder, account)) and server.is_ready:
            return
        self._make_home(account)
        with exclusive(self.home / "cluster.lock", account):
            finish_move(self.data_folder)
            binaries = find_binaries(self._major_on_disk())
            if not self._is_initialised():
                with serving(self._serving_lock, account, MAKING_PATIENCE_S) as held:
                    self._initialise(account, binaries, held)
            self._check_major(binaries)
            if self._wait_for_running(account):
                return
            try:
                self._start(account, binaries)
            except RunsElsewhereError:
                # Here after all: a start whose caller was killed, or a server that lost its pid file.
                if not self._wait_for_running(account):
                    leftovers.end_orphans(self.data_folder, account, binaries, with_main=True)
                    self._start(account, binaries)

    def down(self) -> None:
        """Stop the server, ending whoever is connected; nothing happens where it does not run.

        Raises
        ------
        ClusterError
            If it does not stop in time.
        """
        if not self._is_initialised():
            return
        account = settle_account(self.data_folder)
        with exclusive(self.home / "cluster.lock", account):
            binaries = find_binaries(self._major_on_disk())
            if not self._wait_for_running(account):
                leftovers.end_orphans(self.data_folder, account, binaries, with_main=True)
                return
            answer = self._pg_ctl(account, binaries, "stop", "-m", "fast", "-t", str(STOP_PATIENCE_S))
            if answer.returncode != 0 and find_postmaster(self.data_folder, account):
                detail = answer.stderr.strip()
                raise ClusterError("cluster_stop_failed", detail=detail, log=self.log_tail())

    def status(self) -> ClusterStatus:
        """Look, without starting or mending anything."""
        if self._host is not None:
            is_there = (door_folder(self.home) / leftovers.SOCKET_NAME).exists()
            way_in = door_folder(self.home) / leftovers.SOCKET_NAME
            return ClusterStatus(True, is_there, None, None, None, self.data_folder, self.log_file, way_in)
        account = settle_account(self.data_folder)
        server = find_postmaster(self.data_folder, account)
        major = self._major_on_disk()
        try:
            version = find_binaries(major).version
        except ClusterError:
            version = None
        return ClusterStatus(
            is_initialised=self._is_initialised(),
            is_running=server is not None,
            server_pid=None if server is None else server.pid,
            version=version,
            major_on_disk=major,
            data_folder=self.data_folder,
            log_file=self.log_file,
            socket=self.data_folder / leftovers.SOCKET_NAME,
        )

    def conninfo(self, database: str) -> str:
        """Return the connection string of a database, for psycopg, ADBC or any libpq of this process.

        With a very long home path it works in this process only: see `client_descriptors`.
        """
        if self._host is not None:
            # the login of a member is that of the user of the system
            host, server_user = socket.socket_host(door_folder(self.home)), user_name(self._host)
            return socket.connection_string(host, database, server_user, user_name(os.geteuid()))
        account = settle_account(self.data_folder)
        if not self.data_folder.is_dir():
            raise ClusterError("cluster_absent", folder=self.data_folder)
        host = socket.socket_host(self.data_folder)
        return socket.connection_string(host, database, account.name)

    def open_door(self) -> None:
        """Let members, other users of this machine, reach the server."""
        if self._host is None:
            open_door(self.home, self.data_folder)

    @property
    def _host(self) -> int | None:
        """The owner of the server, where it is somebody else's and we come as a member."""
        return host_of_guest(self.home, self.data_folder)

    def client_descriptors(self) -> tuple[int, ...]:
        """Return what a child (pg_dump, psql) must be given as `pass_fds` to use `conninfo`."""
        if socket.is_plain(self.data_folder):
            return ()
        return (socket.socket_descriptor(self.data_folder),)

    def program(self, name: str) -> Path:
        """Return the path of a program (pg_dump, psql) of the same major as the data."""
        return find_binaries(self._major_on_disk()).program(name)

    def databases(self) -> list[str]:
        """Return the names of the databases that are not the server's own."""
        from registry.cluster.databases import MAINTENANCE, list_databases

        return list_databases(self.conninfo(MAINTENANCE))

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, empty or as a copy of `template`, to which nobody may be connected."""
        from registry.cluster.databases import MAINTENANCE, create_database

        create_database(self.conninfo(MAINTENANCE), name, template, is_throwaway=self.is_throwaway)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, ending whoever is connected to it."""
        from registry.cluster.databases import MAINTENANCE, drop_database

        drop_database(self.conninfo(MAINTENANCE), name)

    def log_tail(self, since: int = 0) -> str:
        """Return the last lines of the server's log, from byte `since` on."""
        try:
            with self.log_file.open("rb") as log:
                log.seek(since)
                lines = log.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(lines[-LOG_LINES:])

    def _is_initialised(self) -> bool:
        return self._major_on_disk() is not None

    def _major_on_disk(self) -> int | None:
        try:
            return int((self.data_folder / "PG_VERSION").read_text(encoding="ascii"))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _make_home(self, account: Account) -> None:
        if unusable := _UNUSABLE_IN_PATH.search(str(self.home)):
            raise ClusterError("cluster_home_name_unusable", home=self.home, character=unusable.group())
        missing = [folder for folder in (self.home, *self.home.parents) if not folder.exists()]
        try:
            for folder in reversed(missing):
                folder.mkdir(exist_ok=True)
                # Root's umask may be strict, and the server's user has to pass; nobody else has to.
                folder.chmod(0o755 if account.is_foreign else 0o700)
            next(self.home.iterdir(), None)
        except OSError as fault:
            raise ClusterError("cluster_home_unusable", home=self.home, detail=fault) from fault
        if account.is_foreign:
            check_searchable(account, self.home)

    def _initialise(self, account: Account, binaries: Binaries, held: int) -> None:
        if self.data_folder.exists():
            if any(self.data_folder.iterdir()):
                raise ClusterError("cluster_folder_foreign", folder=self.data_folder)
            self.data_folder.rmdir()
        self._check_space(self.home)
        making = configure.Making(account, binaries, held, is_throwaway=self.is_throwaway)
        configure.make_data_folder(self.data_folder, making)

    def _check_major(self, binaries: Binaries) -> None:
        on_disk = self._major_on_disk()
        if on_disk != binaries.major:
            raise ClusterError(
                "cluster_other_major", folder=self.data_folder, on_disk=on_disk, installed=binaries.version
            )

    def _check_space(self, folder: Path) -> None:
        free = configure.free_bytes(folder)
        if free < LEAST_FREE:
            raise ClusterError(
                "cluster_space_short", folder=folder, free_mb=free // 1024**2, needed_mb=LEAST_FREE // 1024**2
            )

    def _wait_for_running(self, account: Account) -> bool:
        """Return whether a server runs, once it is ready; one that is stopping is waited out."""

        def settled() -> bool:
            server = find_postmaster(self.data_folder, account)
            return server is None or server.is_ready or server.state == SINGLE_USER

        # A start whose caller was killed goes on by itself and has a pid file in a moment.
        wait_until(lambda: not is_starting(self.data_folder, account), STARTING_PATIENCE_S)
        wait_until(settled, START_PATIENCE_S)
        server = find_postmaster(self.data_folder, account)
        if server and not server.is_ready:
            raise ClusterError("cluster_not_ready", pid=server.pid, state=server.state, log=self.log_tail())
        return server is not None

    def _start(self, account: Account, binaries: Binaries) -> None:
        leftovers.end_orphans(self.data_folder, account, binaries, with_main=False)
        with serving(self._serving_lock, account, STARTING_PATIENCE_S) as held:
            leftovers.remove_lock_files(self.data_folder)
            self._check_space(self.data_folder)
            configure.write_configuration(self.data_folder, account, is_throwaway=self.is_throwaway)
            logged = self._settle_log()
            # Without -l the server would keep our pipe open and this call would never return.
            options = ["-l", str(self.log_file), "-t", str(START_PATIENCE_S)]
            answer = self._pg_ctl(account, binaries, "start", *options, pass_fds=[held])
        if answer.returncode == 0 or self._wait_for_running(account):
            hang_door(self.home, self.data_folder)
            return
        log = self.log_tail(logged) or answer.stderr.strip()
        code = "cluster_disk_full" if configure.NO_SPACE in log else "cluster_start_failed"
        raise ClusterError(code, folder=self.data_folder, detail=log)

    def _pg_ctl(
        self, account: Account, binaries: Binaries, action: str, *options: str, pass_fds: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        program = binaries.program("pg_ctl")
        return run_as(account, [program, action, "-D", self.data_folder, "-w", "-s", *options], pass_fds)

    def _settle_log(self) -> int:
        """Set a long log aside, keeping one old one, and return the length of what remains."""
        try:
            length = self.log_file.stat().st_size
        except FileNotFoundError:
            return 0
        if length < _LONGEST_LOG:
            return length
        self.log_file.replace(self.log_file.with_suffix(".log.1"))
        return 0
