"""Processes that are killed in the middle of a writing transaction, at a phase that a second connection has seen.

A server of its own with the settings of a real one; clients that are the command line itself, each a process group of
its own. A phase is held open by a lock or by rows of another transaction, as another user's work may do, so that the
kill falls into it for sure; the server's own views prove it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from registry.cluster import Cluster
from registry.cluster.account import settle_account
from registry.cluster.processes import servers_in, wait_until
from registry.upkeep.content import check_laws

REPOSITORY: Final = Path(__file__).parents[3]
PATIENCE_S: Final = 60
# loads the command line once; each line of input is a command that a fork of it runs
_NURSERY: Final = """
import json, os, sys
import adbc_driver_postgresql.dbapi, geopandas, pgpq, pyogrio
import digonce, registry.history.undo, registry.intake.importer, registry.intake.review

def run(arguments, output):
    os.setsid()
    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    os.dup2(1, 2)
    try:
        digonce.app(arguments, prog_name="digonce")
    except SystemExit as end:
        return end.code or 0
    except BaseException:
        return 70

for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if pid == 0:
        code = run(order["arguments"], order["output"])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
_WRITER: Final = """
    SELECT a.pid, a.state, a.query, a.wait_event_type, a.wait_event, a.backend_xid::text
    FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND a.datname = %s AND a.backend_xid IS NOT NULL
      AND l.objid::bigint = hashtext('digonce.write')::bigint & 4294967295
"""


class Nursery:
    """Runs verbs of the command line, one at a time, each in a process group of its own."""

    def __init__(self, home: Path, folder: Path) -> None:
        self._output = folder / "output.txt"
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            text=True,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY), "DIGONCE_HOME": str(home), "DIGONCE_LANG": "en"},
        )

    def start(self, *arguments: str | Path) -> int:
        """Start a verb and return the number of its process."""
        assert self._process.stdin is not None
        order = {"arguments": [str(argument) for argument in arguments], "output": str(self._output)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def finish(self) -> tuple[int, str]:
        """Wait for the verb that was started; return its exit code, negative for a signal, and what it said."""
        return self._answer(), self._output.read_text(encoding="utf-8")

    def run(self, *arguments: str | Path) -> tuple[int, str]:
        self.start(*arguments)
        return self.finish()

    def close(self) -> None:
        self._process.communicate()

    def _answer(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@dataclass(frozen=True)
class Phase:
    """A moment of a verb: how it is held open, or by which view it is seen, and what the server works on then."""

    verb: str
    name: str
    # run in a transaction of another connection that stays open until the kill
    hold: LiteralString | None = None
    seen: LiteralString = "SELECT %s::text, EXISTS (SELECT FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid)))"
    parameters: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.verb}: {self.name}"


@dataclass(frozen=True)
class Seen:
    """What the server said of the writing session just before the kill."""

    pid: int
    state: str
    query: str
    wait: str
    xid: str

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Seen:
        return cls(row[0], row[1], " ".join(row[2].split())[:70], f"{row[3]}/{row[4]}", row[5])


Facts = dict[str, Any]


class Server:
    """The server that is killed, and the databases of the cases on it."""

    def __init__(self, home: Path) -> None:
        self.cluster = Cluster(home)
        self.cluster.up()

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(self.cluster.conninfo(database), autocommit=True)

    def clone(self, template: str, name: str) -> None:
        self.cluster.create_database(name, template)

    def drop(self, name: str) -> None:
        self.cluster.drop_database(name)

    def facts(self, database: str) -> Facts:
        """What a registry holds, without the delivered files, and whether it keeps its own laws."""
        with self.connect(database) as connection:
            assert not list(check_laws(connection, lambda *_: None))
            rows: dict[str, int] = dict(connection.execute("SELECT * FROM registry_app.row_counts()").fetchall())
            files = rows.pop("delivered_file")
            (state,) = connection.execute("SELECT registry_app.state_hash()").fetchone() or ("",)
            (version,) = connection.execute("SELECT version FROM registry.info").fetchone() or (0,)
            indexes = connection.execute(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = 'registry' ORDER BY 1"
            ).fetchall()
        return {"state": state, "rows": rows, "version": version, "indexes": indexes, "files": files}

    def writer(self, watch: psycopg.Connection, database: str) -> Seen | None:
        """Return the session that writes: it has its turn and a transaction with a number."""
        row = watch.execute(_WRITER, [database]).fetchone()
        return Seen.of(row) if row else None

    def wait_alone(self, database: str) -> None:
        """Wait until nobody is connected to a database any more."""
        with self.connect("postgres") as connection:
            statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
            assert wait_until(lambda: connection.execute(statement, [database]).fetchall() == [(0,)], PATIENCE_S)

    def kill_postmaster(self) -> None:
        """Kill the main process; the others notice and end."""
        folder = self.cluster.data_folder
        pid = self.cluster.status().server_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not servers_in(folder, settle_account(folder)), PATIENCE_S)

    def kill_session(self, pid: int) -> None:
        """Kill one session; the main process ends all others, this one's connection too, and mends what they left."""
        with self.connect("postgres") as witness:
            os.kill(pid, signal.SIGKILL)
            with suppress(psycopg.OperationalError):
                witness.execute("SELECT pg_sleep(%s)", [PATIENCE_S])
            assert witness.closed, "the server lives on"

    def up(self) -> None:
        """Start the server if it does not run, and wait until it takes connections."""
        self.cluster.up()

        def answers() -> bool:
            with suppress(psycopg.OperationalError), self.connect("postgres"):
                return True
            return False

        assert wait_until(answers, PATIENCE_S)

    def settle(self, **settings: str | None) -> None:
        """Change settings of the server for good, or back to what they were."""
        with self.connect("postgres") as connection:
            for name, value in settings.items():
                setting = sql.Identifier(name)
                change = sql.SQL("RESET {}").format(setting)
                if value is not None:
                    change = sql.SQL("SET {} = {}").format(setting, sql.Literal(value))
                connection.execute(sql.SQL("ALTER SYSTEM {}").format(change))
            connection.execute("SELECT pg_reload_conf()")

    def restart(self) -> None:
        self.cluster.down()
        self.cluster.up()


@contextmanager
def held(server: Server, database: str, phase: Phase) -> Generator[int]:
    """Hold a phase open from another session and give its number; without a lock to hold, give 0."""
    if phase.hold is None:
        yield 0
        return
    connection = psycopg.connect(server.cluster.conninfo(database))
    try:
        connection.execute(phase.hold, phase.parameters)
        yield connection.info.backend_pid
    finally:
        with suppress(psycopg.OperationalError):
            connection.rollback()
        connection.close()


def watched(server: Server, database: str, phase: Phase, holder: int, client: int, delay_s: float) -> Seen:
    """Wait until the phase is seen and a moment longer, stop the client there, and return what it was doing.

    A client that is stopped sends no COMMIT: as none runs, the transaction that is seen then is not committed.
    """
    with server.connect("postgres") as watch:

        def is_seen() -> bool:
            row = watch.execute(phase.seen, [database, holder]).fetchone()
            return bool(row and row[1]) and server.writer(watch, database) is not None

        deadline = time.monotonic() + PATIENCE_S
        while not is_seen():
            assert time.monotonic() < deadline, f"{phase} was never seen"
        # nothing is waited for here: the seed chooses where inside the phase the kill falls
        time.sleep(delay_s)
        os.killpg(client, signal.SIGSTOP)
        seen = server.writer(watch, database)
    assert seen is not None, f"{phase} was over too soon"
    return seen


Kill = Callable[[Server, int, Seen], None]


def kill_client(_server: Server, client: int, _seen: Seen) -> None:
    os.killpg(client, signal.SIGKILL)


def kill_session(server: Server, client: int, seen: Seen) -> None:
    server.kill_session(seen.pid)
    os.killpg(client, signal.SIGCONT)


def kill_postmaster(server: Server, client: int, _seen: Seen) -> None:
    server.kill_postmaster()
    os.killpg(client, signal.SIGCONT)


def end_session(server: Server, client: int, seen: Seen) -> None:
    """End one session as an administrator does: only its connection is lost."""
    with server.connect("postgres") as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", [seen.pid])
    os.killpg(client, signal.SIGCONT)


VICTIMS: Final[dict[str, Kill]] = {"client": kill_client, "session": kill_session, "server": kill_postmaster}
