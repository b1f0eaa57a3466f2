"""Compare the schema that a registry has with the one that this version of digonce makes, object by object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

import psycopg

from registry.db import connect, query
from registry.migrate import RegistryInfo, migrate, sql_files
from registry.rights.roles import RoleNames
from registry.upkeep.findings import Finding
from registry.upkeep.programs import Database
from registry.upkeep.scratch import scratch_database

_LONGEST: Final = 160


@dataclass(frozen=True)
class Made:
    """One object of a schema: how it is defined and which statement would mend it."""

    kind: str
    name: str
    parent: str | None
    definition: str
    mend_absent: str | None
    mend_changed: str | None


# kind and name of an object -> the object, in the order in which they depend on each other
Snapshot = dict[tuple[str, str], Made]


def snapshot(connection: psycopg.Connection) -> Snapshot:
    """Return every object of the two schemas of a registry."""
    found: Snapshot = {}
    with connection.transaction():
        connection.execute(query("catalogue_path"))
        for file_name, statement in sql_files("schema").items():
            kind = file_name.removesuffix(".sql").partition("_")[2]
            for row in connection.execute(statement).fetchall():
                made = Made(kind, *row)
                found[kind, made.name] = made
    return found


def fresh_snapshot(database: Database, about: RegistryInfo, roles: RoleNames) -> Snapshot:
    """Return every object of a registry of this version that has just been made, in a database that is dropped again.

    The same roles of the server get their rights in it, so that the rights can be compared and none is made.

    Raises
    ------
    psycopg.errors.InsufficientPrivilege
        Where a city's own server does not let us make a database or its extensions.
    """
    with scratch_database(database) as scratch, connect(scratch.info, is_autocommit=True) as connection:
        migrate(connection, about, roles)
        return snapshot(connection)


def differences(found: Snapshot, expected: Snapshot) -> Iterator[Finding]:
    """Say each difference once: what belongs to an absent table or column is not told again."""
    gone: set[str] = set()
    for key, made in expected.items():
        # policies go with the functions that they ask
        if made.parent in gone or (made.kind == "policy" and "registry_app" in gone):
            gone.add(made.name)
        elif key not in found:
            gone.add(made.name)
            yield _finding("check_absent", made, mend=made.mend_absent)
        elif found[key].definition != made.definition:
            is_now, should_be = first_difference(found[key].definition, made.definition)
            yield _finding("check_changed", made, mend=made.mend_changed, found=is_now, expected=should_be)
    foreign: set[str | None] = set()
    for key, made in found.items():
        if key not in expected:
            foreign.add(made.name)
            if made.parent not in foreign:
                yield Finding("check_foreign", {"name": made.name}, {"what": f"check_kind_{made.kind}"})


def first_difference(found: str, expected: str) -> tuple[str, str]:
    """Return the first lines that differ, shortened; a dash stands for a text that ends before."""
    for is_now, should_be in zip_longest(found.splitlines() or [""], expected.splitlines() or [""], fillvalue=""):
        if is_now != should_be:
            return _short(is_now), _short(should_be)
    return _short(found), _short(expected)


def _short(text: str) -> str:
    tidy = " ".join(text.split()) or "—"
    return tidy if len(tidy) <= _LONGEST else f"{tidy[: _LONGEST - 1]}…"


def _finding(code: str, made: Made, mend: str | None, **parameters: object) -> Finding:
    words = {"what": f"check_kind_{made.kind}"}
    facts: dict[str, object] = {"name": made.name, **parameters}
    if mend is not None:
        return Finding(code, facts | {"mend": mend}, words)
    is_rebuilt = "registry_app." in made.name
    return Finding(code, facts, words | {"mend": "check_mend_migrate" if is_rebuilt else "check_mend_restore"})
