"""Write slices of valid time: what an object is on some days, and what of the days around them stays as it was.

Every change of the truth, by a census, a correction, a split or an undo, comes down to this: on the affected days
what was known is superseded, never deleted; what was known of other days is known on; the new slices are put in.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from registry.db import query
from registry.errors import DatabaseError
from registry.fields import fields
from registry.kinds import Kind
from registry.rights.ownership import refuse_rows_of_others


def stored_columns(kind: Kind) -> list[str]:
    """Return the columns of a version that say something of the object: no id, no times, no provenance."""
    names = [field.column for field in fields()[kind.name].values() if field.role in {"attribute", "derived"}]
    return [*names, "geom"] if kind.geometry_dtype else names


def statement(name: str, kind: Kind, **parts: sql.Composable) -> sql.Composed:
    """Return a statement of `sql/query` with the tables and columns of a kind filled in."""
    text: Any = query(name).decode()
    names = stored_columns(kind)
    return sql.SQL(text).format(
        versions=sql.Identifier("registry", kind.version_table),
        identity=sql.Identifier("registry", kind.table),
        key=sql.Identifier(kind.id_column),
        columns=listed(names),
        **parts,
    )


def listed(names: list[str], table: str | None = None) -> sql.Composed:
    """Return column names as a comma list, each with its table where one is given."""
    return sql.SQL(", ").join(sql.Identifier(table, name) if table else sql.Identifier(name) for name in names)


def make_tables(connection: psycopg.Connection, kind: Kind) -> None:
    """Make the empty tables `incoming` (slices to put in) and `affected` (days they speak of), gone at commit."""
    drop_tables(connection)
    for name in ("slices_make_incoming", "slices_make_affected"):
        connection.execute(statement(name, kind))


def drop_tables(connection: psycopg.Connection) -> None:
    """Remove the working tables, so that one transaction may write twice."""
    connection.execute("DROP TABLE IF EXISTS pg_temp.incoming, pg_temp.affected, pg_temp.overlapped")


def write_slices(connection: psycopg.Connection, kind: Kind) -> None:
    """Supersede what is known of the days in `affected` and put in the slices of `incoming`.

    Slices of one object in `incoming` may not overlap, and their days should lie within its days in `affected`.

    Raises
    ------
    DatabaseError
        Where two slices of one object would be known for the same day; nothing is written then.
    RightsError
        Where the one who acts does so for an organisation whose objects these are not.
    """
    refuse_rows_of_others(connection, kind)
    connection.execute("ANALYZE affected")
    connection.execute(
        sql.SQL("CREATE TEMP TABLE overlapped ON COMMIT DROP AS SELECT * FROM {} LIMIT 0").format(
            sql.Identifier("registry", kind.version_table)
        )
    )
    overlapped = listed(stored_columns(kind), "o")
    connection.execute(statement("slices_forget_same_instant", kind))
    connection.execute(statement("slices_close", kind))
    connection.execute(statement("slices_keep_remainders", kind, overlapped_columns=overlapped))
    connection.execute(statement("slices_name", kind))
    connection.execute(statement("slices_insert", kind))
    row = connection.execute(statement("slices_overlap", kind)).fetchone()
    if row is not None:
        raise DatabaseError("versions_would_overlap", object=row[0])
    drop_tables(connection)
