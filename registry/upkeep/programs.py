"""Run pg_dump and pg_restore on one database: the programs that fit its server, and no password in their arguments."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from registry.cluster import Cluster
from registry.cluster.configure import NO_SPACE
from registry.cluster.databases import MAINTENANCE
from registry.cluster.locate import find_client
from registry.db import connect
from registry.errors import DatabaseError, SettingsError
from registry.settings import Settings

Report = Callable[[str, int, int], None]
# what is said where a program fails, besides lines that tell of progress
_LAST_LINES: Final = 3


@dataclass(frozen=True)
class Database:
    """A database, how to reach it, and the folder of the client programs of its server's major.

    `info` may hold a password: it goes to psycopg, while programs are given `arguments` and `environment`.
    """

    name: str
    info: str
    folder: Path
    descriptors: tuple[int, ...]
    is_embedded: bool

    def named(self, name: str) -> Database:
        """Return another database of the same server."""
        return Database(name, make_conninfo(self.info, dbname=name), self.folder, self.descriptors, self.is_embedded)

    @property
    def argument(self) -> str:
        """The connection string for the arguments of a program, which everybody on the machine can read."""
        parts = conninfo_to_dict(self.info)
        parts.pop("password", None)
        if "sslpassword" in parts:
            # there is no variable for it in the environment
            raise SettingsError("dsn_with_key_password")
        return make_conninfo("", **parts)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program: libpq's variables count for a city's own server only."""
        if self.is_embedded:
            return {"PATH": os.defpath, "LC_ALL": "C"}
        password = conninfo_to_dict(self.info).get("password")
        return os.environ | {"LC_ALL": "C"} | ({"PGPASSWORD": str(password)} if password else {})


def embedded_database(cluster: Cluster, name: str) -> Database:
    """Return a database of an embedded server that runs."""
    folder = cluster.program("pg_dump").parent
    return Database(name, cluster.conninfo(name), folder, cluster.client_descriptors(), is_embedded=True)


def database_of(settings: Settings) -> Database:
    """Return the database of the registry of the settings, which need not exist; starts the embedded server."""
    if settings.dsn is None:
        cluster = Cluster(settings.home)
        cluster.up()
        return embedded_database(cluster, settings.registry)
    with connect(settings.dsn) as connection:
        folder = find_client(connection.info.server_version // 10_000)
        name = connection.info.dbname
    return Database(name, settings.dsn, folder, (), is_embedded=False)


def server_of(database: Database) -> Database:
    """Return the database to connect to in order to make and drop others."""
    return database.named(MAINTENANCE) if database.is_embedded else database


def run(
    database: Database,
    program: str,
    arguments: Sequence[str],
    on_line: Callable[[str], None] = lambda _line: None,
) -> str:
    """Run a client program as the caller, tell each line of its error stream, and return what it wrote.

    The caller's own rights decide which files it may read and write; the server asks the kernel who is calling.

    Raises
    ------
    DatabaseError
        Where it fails, with its last words; `program_no_space` where a disk is full.
    """
    command = [str(database.folder / program), *arguments]
    last: list[str] = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=database.environment,
        pass_fds=database.descriptors,
        text=True,
        errors="replace",
        umask=0o077,
    ) as process:
        try:
            for line in process.stdout or ():
                on_line(line)
                last.append(line.rstrip())
        except BaseException:
            process.kill()
            raise
    if process.returncode == 0:
        return "\n".join(last)
    complaints = [line for line in last if "error: " in line or line.startswith(("DETAIL", "HINT"))]
    detail = "; ".join((complaints or last)[-_LAST_LINES:]) or f"exit code {process.returncode}"
    code = "program_no_space" if NO_SPACE in detail else "program_failed"
    raise DatabaseError(code, program=program, detail=detail)
