"""Write a whole registry into one file that says what it holds, and tell whether such a file is sound."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from registry.db import connect, query
from registry.errors import DatabaseError, FileFaultError, RightsError
from registry.migrate import applied
from registry.store import code_version
from registry.upkeep.manifest import Manifest, append_manifest, hash_dump, read_manifest
from registry.upkeep.programs import Database, Report, run

# The roles of the server that was backed up are not those of the one it is restored to; migrate gives the rights anew.
WITHOUT_ROLES: Final = ("--no-owner", "--no-privileges")
_DUMPED: Final = re.compile(r'dumping contents of table "registry\.')
_LISTED: Final = re.compile(r"^\d+; \d+ \d+ TABLE DATA registry (\S+)", re.MULTILINE)


def make_backup(database: Database, path: Path, *, is_forced: bool, report: Report) -> Manifest:
    """Write the registry in a database to a file, read the file back, and return what it says of itself.

    Counts and hash are of the very state that is dumped, whoever writes meanwhile. The file appears under its name
    when it is whole and read back; until then, and after any fault, what had that name is as it was.

    Raises
    ------
    FileFaultError
        Where the file exists (unless forced), cannot be written, or the disk is full.
    DatabaseError
        Where there is no registry, or pg_dump fails.
    RightsError
        Where the login does not see all of it.
    """
    target = path.absolute()
    if target.exists() and not is_forced:
        raise FileFaultError("backup_exists", file=path)
    with _growing(target) as growing:
        with connect(database.info) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            manifest = _describe(connection, database.name, report)
            if connection.execute("SELECT row_security_active('registry.segment_version')").fetchall() == [(True,)]:
                raise RightsError("backup_needs_admin", login=connection.info.user)
            snapshot = connection.execute("SELECT pg_export_snapshot()").fetchall()[0][0]
            _dump(database, growing, snapshot, len(manifest.rows), report)
        length = growing.stat().st_size
        digest = hash_dump(growing, length, lambda _done, _total: None)
        append_manifest(growing, dataclasses.replace(manifest, dump_bytes=length, dump_sha256=digest))
        sealed = check_backup(database, growing, report)
        growing.replace(target)
        _settle(target.parent)
    return sealed


def check_backup(database: Database, path: Path, report: Report) -> Manifest:
    """Read a backup from end to end and return what it says of itself.

    Raises
    ------
    FileFaultError
        Where any byte of it is not as it was written, or pg_restore does not find what it should hold.
    """
    manifest = read_manifest(path)
    digest = hash_dump(path, manifest.dump_bytes, lambda done, total: report("verify", done, total))
    if digest != manifest.dump_sha256:
        raise FileFaultError("backup_damaged", file=path)
    listed = run(database, "pg_restore", ["--list", "--", str(path.absolute())])
    missing = set(manifest.rows) - set(_LISTED.findall(listed))
    if missing:
        raise FileFaultError("backup_incomplete", file=path, tables=", ".join(sorted(missing)))
    return manifest


def row_counts(connection: psycopg.Connection) -> dict[str, int]:
    """Return the rows of every table, by the function of the schema that the database has."""
    return dict(connection.execute("SELECT table_name, row_count FROM registry_app.row_counts()").fetchall())


def _describe(connection: psycopg.Connection, name: str, report: Report) -> Manifest:
    """Return what will be backed up; an older registry than this version of digonce is described as well."""
    migrations = applied(connection)
    if not migrations:
        raise DatabaseError("registry_not_initialised")
    report("count", 0, 1)
    try:
        counts = row_counts(connection)
        row = connection.execute(query("backup_facts")).fetchall()[0]
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName) as fault:
        raise DatabaseError("registry_functions_absent", detail=str(fault).strip().splitlines()[0]) from fault
    report("count", 1, 1)
    city, srid, timezone, made_at, postgres, postgis, state_hash = row
    return Manifest(
        registry=name,
        city=city,
        srid=srid,
        timezone=timezone,
        made_at=made_at.isoformat(),
        schema_version=max(migrations),
        migrations=migrations,
        digonce_version=code_version(),
        postgres_version=postgres,
        postgis_version=postgis,
        rows=counts,
        state_hash=state_hash,
    )


def _dump(database: Database, path: Path, snapshot: str, table_count: int, report: Report) -> None:
    options = ["--format=custom", "--verbose", "--encoding=UTF8", *WITHOUT_ROLES, f"--snapshot={snapshot}"]
    arguments = [*options, f"--file={path}", f"--dbname={database.argument}"]
    try:
        run(database, "pg_dump", arguments, counter(_DUMPED, "dump", table_count, report))
    except DatabaseError as fault:
        if fault.code == "program_no_space":
            raise FileFaultError("backup_no_space", folder=path.parent) from fault
        raise


def counter(pattern: re.Pattern[str], step: str, total: int, report: Report) -> Callable[[str], None]:
    """Return what counts the lines of a program that match, and reports each."""
    done = 0

    def count(line: str) -> None:
        nonlocal done
        if pattern.search(line):
            done += 1
            report(step, min(done, total), total)

    return count


@contextmanager
def _growing(target: Path) -> Generator[Path]:
    """Give a new file beside the target, open to nobody else; it is removed unless it was moved away."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
    except OSError as fault:
        raise FileFaultError("backup_unwritable", folder=target.parent, detail=fault.strerror or fault) from fault
    os.close(descriptor)
    growing = Path(name)
    try:
        yield growing
    except OSError as fault:
        raise FileFaultError("backup_unwritable", folder=target.parent, detail=fault.strerror or fault) from fault
    finally:
        growing.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """See that the new name is on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
