"""Check what is in a registry: the value lists, and laws that the data must keep whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from registry.db import query
from registry.fields import fields, value_list, value_list_names
from registry.kinds import KEPT_KINDS
from registry.migrate import sql_files
from registry.upkeep.findings import Finding
from registry.upkeep.programs import Report

_EXAMPLES: Final = 5
_OFFENDING: Final = sql.SQL(
    "SELECT count(*), (array_agg(DISTINCT row_id::text))[1:{}] FROM ({}) AS offending HAVING count(*) > 0"
).format


def check_value_lists(connection: psycopg.Connection) -> Iterator[Finding]:
    """Compare the value lists of the database with those of the package."""
    rows = connection.execute(query("listed_values")).fetchall()
    stored = {(name, code): (position, label_en, label_zh) for name, code, position, label_en, label_zh in rows}
    expected = {
        (name, value.code): (position, value.label_en, value.label_zh)
        for name in value_list_names()
        for position, value in enumerate(value_list(name).values())
    }
    for name, code in sorted(expected.keys() - stored.keys()):
        yield Finding("check_value_absent", {"list": name, "value": code})
    for name, code in sorted(stored.keys() - expected.keys()):
        yield Finding("check_value_foreign", {"list": name, "value": code})
    for name, code in sorted(expected.keys() & stored.keys()):
        if stored[name, code] != expected[name, code]:
            yield Finding("check_value_changed", {"list": name, "value": code})


def check_listed_columns(connection: psycopg.Connection) -> Iterator[Finding]:
    """Find values that no list knows in columns that a list governs; retired codes are known."""
    for kind in KEPT_KINDS.values():
        for field in fields()[kind.name].values():
            if not field.list_name or field.role not in {"attribute", "index"}:
                continue
            offending = sql.SQL(
                "SELECT DISTINCT {column} AS row_id FROM {table} WHERE {column} IS NOT NULL AND {column} <> ALL"
                " (ARRAY(SELECT code FROM registry.value_list WHERE list_name = {list}))"
            ).format(
                column=sql.Identifier(field.column),
                table=sql.Identifier("registry", kind.version_table),
                list=sql.Literal(field.list_name),
            )
            where = {"table": kind.version_table, "column": field.column, "list": field.list_name}
            yield from _offenders(connection, "check_value_unlisted", offending, where)


def check_laws(connection: psycopg.Connection, report: Report) -> Iterator[Finding]:
    """Run every query of `sql/check` on every table that it fits; each returns the rows that break its law.

    A query with `{version}` runs on each table of versions, one with `{geometry}` on each geometry column, any other
    once. The tables are those that the database has, so a later migration needs no change here.
    """
    laws = [(name, statement, fit) for name, statement, fit in _laws(connection)]
    for done, (name, statement, where) in enumerate(laws):
        report("laws", done, len(laws))
        yield from _offenders(connection, f"check_{name}", statement, where)
    report("laws", len(laws), len(laws))


def _laws(connection: psycopg.Connection) -> Iterator[tuple[str, sql.Composable, dict[str, str]]]:
    tables = {
        "{version}": _rows(connection, "version_tables"),
        "{identity}": _rows(connection, "version_tables"),
        "{geometry}": _rows(connection, "geometry_tables"),
    }
    for file_name, content in sql_files("check").items():
        name = file_name.removesuffix(".sql")
        text = content.decode()
        fitting = next((rows for mark, rows in tables.items() if mark in text), None)
        if fitting is None:
            yield name, _trusted(text), {}
            continue
        for row in fitting:
            parts = {
                part: sql.Identifier(value) if part in {"id", "geometry"} else sql.Identifier("registry", value)
                for part, value in row.items()
            }
            subject = row["identity"] if name.startswith("identity") else row.get("version") or row["table"]
            yield name, _trusted(text).format(**parts), {"table": subject}


def _trusted(text: str) -> sql.SQL:
    # A file of the package: as much our own text as a literal in the code.
    return sql.SQL(cast("Any", text))


def _rows(connection: psycopg.Connection, name: str) -> list[dict[str, str]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(name)).fetchall()


def _offenders(
    connection: psycopg.Connection, code: str, offending: sql.Composable, where: dict[str, str]
) -> Iterator[Finding]:
    for count, examples in connection.execute(_OFFENDING(sql.Literal(_EXAMPLES), offending)).fetchall():
        yield Finding(code, {**where, "count": count, "examples": ", ".join(examples)})
