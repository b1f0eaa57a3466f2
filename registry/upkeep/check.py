"""Check a registry as a whole: schema, value lists, laws of the data, pages on the disk."""

from __future__ import annotations

import psycopg

from registry.db import connect
from registry.errors import DatabaseError
from registry.migrate import RegistryInfo, applied, check_history, pending, sql_files
from registry.rights.roles import roles_in_use
from registry.upkeep.content import check_laws, check_listed_columns, check_value_lists
from registry.upkeep.findings import Checked, Finding
from registry.upkeep.pages import check_pages
from registry.upkeep.programs import Database, Report
from registry.upkeep.schema import Snapshot, differences, fresh_snapshot, snapshot


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
        parts = [look(connection, database, report) for look in (_look_at_schema, _look_at_content, _look_at_pages)]
    return Checked(
        findings=[finding for part in parts for finding in part.findings],
        notes=[note for part in parts for note in part.notes],
        looked_at={name: count for part in parts for name, count in part.looked_at.items()},
    )


def _look_at_schema(connection: psycopg.Connection, database: Database, report: Report) -> Checked:
    report("schema", 0, 1)
    findings: list[Finding] = []
    notes: list[Finding] = []
    expected: Snapshot = {}
    try:
        check_history(applied(connection), sql_files("data"))
    except DatabaseError as fault:
        findings.append(Finding(fault.code, fault.parameters))
    row = connection.execute("SELECT city, srid, timezone FROM registry.info").fetchone()
    if row is None:
        raise DatabaseError("registry_not_initialised")
    try:
        expected = fresh_snapshot(database, RegistryInfo(*row), roles_in_use(connection))
    except psycopg.errors.InsufficientPrivilege as fault:
        notes.append(Finding("check_schema_unseen", {"detail": fault.diag.message_primary}))
    else:
        findings += differences(snapshot(connection), expected)
    report("schema", 1, 1)
    return Checked(findings, notes, {"objects": len(expected)})


def _look_at_content(connection: psycopg.Connection, _database: Database, report: Report) -> Checked:
    findings = list(check_value_lists(connection))
    try:
        with connection.transaction():
            # one state for all laws, whoever writes meanwhile
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            broken = [*check_listed_columns(connection), *check_laws(connection, report)]
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as fault:
        # the differences of the schema say which
        broken = [Finding("check_laws_unseen", {"detail": fault.diag.message_primary})]
    return Checked([*findings, *broken], [], {"laws": len(sql_files("check"))})


def _look_at_pages(connection: psycopg.Connection, _database: Database, report: Report) -> Checked:
    try:
        findings, count = check_pages(connection, report)
    except (
        psycopg.errors.InsufficientPrivilege,
        psycopg.errors.UndefinedFile,
        psycopg.errors.FeatureNotSupported,
    ) as fault:
        return Checked([], [Finding("check_pages_unseen", {"detail": fault.diag.message_primary})], {"pages": 0})
    return Checked(findings, [], {"pages": count})
