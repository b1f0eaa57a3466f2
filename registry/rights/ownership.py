"""Rows of one organisation in the hands of another: held back where delivered, refused where changed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
from psycopg import sql

from registry.arrow import compute as pc
from registry.errors import RightsError
from registry.kinds import Kind
from registry.rights.acting import organisation_in_force

if TYPE_CHECKING:
    from registry.intake.findings import Findings

_SHOWN: Final = 5


def hold_rows_of_others(rows: dict[str, Any], row_count: int, organisation: str, findings: Findings) -> None:
    """Note rows that state another owner; those that state none become the organisation's own.

    A member who acts for one organisation delivers for it: a row of nobody would be everybody's to see.
    """
    stated = rows.get("owner", pa.nulls(row_count, pa.string()))
    is_foreign = pc.fill_null(pc.not_equal(stated, organisation), fill_value=False)
    foreign = np.asarray(is_foreign.to_numpy(zero_copy_only=False), dtype=bool)
    if foreign.any():
        values = np.array(stated.to_pylist(), dtype=object)
        findings.add(foreign, "owner", "owner_of_another", values=values, organisation=organisation)
    rows["owner"] = pc.coalesce(stated, pa.scalar(organisation))


def hold_objects_of_others(
    connection: psycopg.Connection, ids: pd.Series, kind: Kind, organisation: str, findings: Findings
) -> None:
    """Note rows whose id is or was that of an object which the organisation does not own."""
    known = ids.dropna().tolist()
    taken = set(_ids_of_others(connection, kind, known, organisation))
    if taken:
        values = ids.to_numpy(dtype=object)
        findings.add(
            ids.isin(taken).to_numpy(dtype=bool),
            kind.id_column,
            "object_of_another",
            values=values,
            organisation=organisation,
        )


def refuse_rows_of_others(connection: psycopg.Connection, kind: Kind) -> None:
    """Refuse to write slices of objects that the organisation of this session does not own, or to give its own away.

    Looks at the working tables `affected` and `incoming`. Without this the policies would pass over the rows in
    silence where they are superseded, and end in a fault of SQL where they are put in.

    Raises
    ------
    RightsError
        With the first few objects.
    """
    organisation = organisation_in_force(connection)
    if organisation is None:
        return
    if "owner" not in kind.attributes:
        raise RightsError("kind_is_shared", kind=kind.name)
    key = sql.Identifier(kind.id_column)
    touched = connection.execute(sql.SQL("SELECT array_agg(DISTINCT {}) FROM affected").format(key)).fetchall()[0][0]
    others = _ids_of_others(connection, kind, touched or [], organisation)
    if others:
        objects = ", ".join(others[:_SHOWN])
        raise RightsError("rows_of_others", kind=kind.name, objects=objects, organisation=organisation)
    given = connection.execute(
        sql.SQL("SELECT {}, coalesce(owner, '—') FROM incoming WHERE owner IS DISTINCT FROM {} LIMIT 1").format(
            key, sql.Literal(organisation)
        )
    ).fetchone()
    if given is not None:
        raise RightsError(
            "owner_not_yours", kind=kind.name, objects=given[0], owner=given[1], organisation=organisation
        )


def _ids_of_others(connection: psycopg.Connection, kind: Kind, ids: list[str], organisation: str) -> list[str]:
    found: list[str] = connection.execute(
        "SELECT registry_app.ids_of_others(%s::regclass, %s::text[], %s)",
        [f"registry.{kind.version_table}", ids, organisation],
    ).fetchall()[0][0]
    return found
