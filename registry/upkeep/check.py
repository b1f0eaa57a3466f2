"""Check a registry as a whole: schema, value lists, laws of the data, pages on the disk."""

from __future__ import annotations

import psycopg

from registry.db import connect
from registry.errors import DatabaseError
from registry.migrate import RegistryInfo, applied, check_history, pending, sql_files
from registry.upkeep.content import check_laws, check_listed_columns, check_value_lists
from registry.upkeep.findings import Checked, Finding
from registry.upkeep.pages import check_pages
from registry.upkeep.programs import Database, Report
from registry.upkeep.schema import differences, fresh_snapshot, snapshot


def check_registry(database: Database, report: Report) -> Checked:
    """Look at everything that can go wrong behind our back, change nothing, and say each fault with its mend.

    What a city's own server does not let us look at is noted, and is no fault.

    Raises
    ------
    DatabaseError
        Where there is no registry, or it is of an older version and must be migrated first.
    """
    with connect(database.info, is_autocommit=True) as connection:
        if not applied(connection):
            raise DatabaseError("registry_not_initialised")
        if left := pending(connection):
            raise DatabaseError("migrations_pending", names=", ".join(left))
        findings: list[Finding] = []
        notes: list[Finding] = []
        looked_at: dict[str, int] = {}
        for look in (_look_at_schema, _look_at_content, _look_at_pages):
            looked_at |= look(connection, database, report, (findings, notes))
    return Checked(findings, notes, looked_at)


_Lists = tuple[list[Finding], list[Finding]]


def _look_at_schema(
    connection: psycopg.Connection, database: Database, report: Report, lists: _Lists
) -> dict[str, int]:
    findings, notes = lists
    report("schema", 0, 1)
    try:
        check_history(applied(connection), sql_files("data"))
    except DatabaseError as fault:
        findings.append(Finding(fault.code, fault.parameters))
    row = connection.execute("SELECT city, srid, timezone FROM registry.info").fetchone()
    if row is None:
        raise DatabaseError("registry_not_initialised")
    try:
        expected = fresh_snapshot(database, RegistryInfo(*row))
    except psycopg.errors.InsufficientPrivilege as fault:
        notes.append(Finding("check_schema_unseen", {"detail": fault.diag.message_primary}))
        expected = {}
    else:
        findings += differences(snapshot(connection), expected)
    report("schema", 1, 1)
    return {"objects": len(expected)}


def _look_at_content(
    connection: psycopg.Connection, _database: Database, report: Report, lists: _Lists
) -> dict[str, int]:
    findings, _ = lists
    findings += check_value_lists(connection)
    before = len(findings)
    with connection.transaction():
        # one state for all laws, whoever writes meanwhile
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        try:
            with connection.transaction():
                findings += [*check_listed_columns(connection), *check_laws(connection, report)]
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as fault:
            # the differences of the schema say which
            findings[before:] = [Finding("check_laws_unseen", {"detail": fault.diag.message_primary})]
    return {"laws": len(sql_files("check"))}


def _look_at_pages(
    connection: psycopg.Connection, _database: Database, report: Report, lists: _Lists
) -> dict[str, int]:
    findings, notes = lists
    try:
        findings += check_pages(connection, report)
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.UndefinedFile,
        psycopg.errors.FeatureNotSupported,
    ) as fault:
        notes.append(Finding("check_pages_unseen", {"detail": fault.diag.message_primary}))
        return {"pages": 0}
    return {"pages": 1}
