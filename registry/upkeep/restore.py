"""Bring a registry back from a backup: whole and proved equal, or not at all."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from registry.db import connect, query
from registry.errors import DatabaseError, FileFaultError
from registry.migrate import migrate, sql_files
from registry.rights.roles import drop_roles, make_roles
from registry.upkeep.backup import WITHOUT_ROLES, check_backup, counter, row_counts
from registry.upkeep.manifest import Manifest
from registry.upkeep.programs import Database, Report, run, server_of
from registry.upkeep.scratch import put_in_place, scratch_database

_FILLED: Final = re.compile(r'processing data for table "registry\.')
_WHOLE: Final = ("--single-transaction", "--exit-on-error", "--verbose", *WITHOUT_ROLES)
# Belongs to whoever administers the server: a comment on an extension needs its owner, and policies name roles of the
# server that was backed up; migrate makes them anew.
_LEFT_OUT: Final = re.compile(r"^\d+; \d+ \d+ (COMMENT - EXTENSION|POLICY) ")


@dataclass(frozen=True)
class Restored:
    """What was restored, and which migrations it still needed."""

    registry: str
    manifest: Manifest
    migrations: list[str]


def restore_backup(database: Database, path: Path, *, is_forced: bool, report: Report) -> Restored:
    """Restore a backup into the database of a registry that does not exist yet.

    On the embedded server it goes into a scratch database first; only when its rows and its state hash are those of
    the backup and it has been migrated does it take the name of the registry. With `is_forced` an existing registry
    of that name stands until then, and is dropped after.
    On a city's own server the database must exist and hold no registry; one transaction fills it.

    Raises
    ------
    FileFaultError
        Where the file is damaged, foreign, or not what it says.
    DatabaseError
        Where the registry exists (unless forced), somebody is connected to it, the backup is of a newer digonce, or
        pg_restore fails. Nothing is left behind.
    """
    _refuse_existing(database, is_forced=is_forced)
    manifest = check_backup(database, path, report)
    unknown = sorted(set(manifest.migrations) - set(sql_files("data")))
    if unknown:
        raise DatabaseError("migration_unknown", name=unknown[0])
    with _empty_database(database) as empty:
        _fill(empty, path, manifest, report)
        migrations = _prove(empty, database.name, path, manifest, report)
        if empty is not database:
            try:
                put_in_place(database, empty)
            except psycopg.errors.ObjectInUse as fault:
                raise DatabaseError("registry_in_use", name=database.name) from fault
            except psycopg.errors.DuplicateDatabase as fault:
                raise DatabaseError("registry_exists", name=database.name) from fault
    return Restored(database.name, manifest, migrations)


def _refuse_existing(database: Database, *, is_forced: bool) -> None:
    if not database.is_embedded:
        with connect(database.info) as connection:
            if connection.execute(query("our_schemas")).fetchall():
                raise DatabaseError("restore_database_not_empty", name=database.name)
    elif not is_forced:
        with connect(server_of(database).info) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [database.name]).fetchone() is not None:
                raise DatabaseError("restore_registry_exists", name=database.name)


@contextmanager
def _empty_database(database: Database) -> Generator[Database]:
    """Give the database to fill; whatever is in it is gone again where the block fails."""
    if database.is_embedded:
        try:
            with scratch_database(database) as scratch:
                yield scratch
        except BaseException:
            _leave_no_roles(database)
            raise
        return
    try:
        yield database
    except BaseException:
        with connect(database.info) as connection:
            connection.execute(query("drop_our_schemas"))
        raise


def _leave_no_roles(database: Database) -> None:
    """Drop the roles that were made for a registry that did not come about."""
    with connect(server_of(database).info, is_autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [database.name]).fetchone() is None:
            drop_roles(connection, database.name)


def _fill(database: Database, path: Path, manifest: Manifest, report: Report) -> None:
    listed = run(database, "pg_restore", ["--list", "--", str(path.absolute())]).splitlines()
    wanted = [line for line in listed if not _LEFT_OUT.match(line)]
    with tempfile.NamedTemporaryFile("w", prefix="digonce-", suffix=".list", encoding="utf-8") as contents:
        contents.write("\n".join(wanted))
        contents.flush()
        options = [*_WHOLE, f"--use-list={contents.name}", f"--dbname={database.argument}"]
        count = counter(_FILLED, "restore", len(manifest.rows), report)
        run(database, "pg_restore", [*options, "--", str(path.absolute())], count)


def _prove(database: Database, name: str, path: Path, manifest: Manifest, report: Report) -> list[str]:
    """Compare what was restored with what was backed up, then migrate it."""
    report("compare", 0, 1)
    with connect(database.info, is_autocommit=True) as connection:
        counts = row_counts(connection)
        different = sorted(name for name in counts | manifest.rows if counts.get(name, 0) != manifest.rows.get(name, 0))
        state_hash = connection.execute("SELECT registry_app.state_hash()").fetchall()[0][0]
        if different or state_hash != manifest.state_hash:
            raise FileFaultError("backup_not_equal", file=path, tables=", ".join(different) or "state_hash")
        # the rights are those of the registry that it becomes, not of the database that it grows in
        migrations = migrate(connection, roles=make_roles(connection, name))
        connection.execute("ANALYZE")
    report("compare", 1, 1)
    return migrations
