"""Read the pages of tables and indexes with PostgreSQL's own amcheck, where the server has it and lets us."""

from __future__ import annotations

import psycopg

from registry.db import query
from registry.upkeep.findings import Finding
from registry.upkeep.programs import Report


def check_pages(connection: psycopg.Connection, report: Report) -> tuple[list[Finding], int]:
    """Find tables and indexes whose pages contradict themselves or each other; return how many were read, too.

    The extension is made in a transaction that is rolled back, so the registry does not change. Reads everything;
    writers may go on. GiST indexes are not covered: amcheck of PostgreSQL 15 to 17 cannot read them.

    Raises
    ------
    psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedFile, psycopg.errors.FeatureNotSupported
        Where the server does not have the extension or does not let us make it.
    """
    findings: list[Finding] = []
    with connection.transaction(force_rollback=True):
        connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
        relations = connection.execute(query("amcheck_relations")).fetchall()
        for done, (name, is_table) in enumerate(relations):
            report("pages", done, len(relations))
            try:
                with connection.transaction():
                    rows = connection.execute(query("amcheck_table" if is_table else "amcheck_index"), [name])
                    said = [str(row[0]) for row in rows.fetchall() if row[0]]
            except (psycopg.errors.IndexCorrupted, psycopg.errors.DataCorrupted) as fault:
                said = [str(fault).strip().splitlines()[0]]
            if said:
                code = "check_pages_of_table" if is_table else "check_pages_of_index"
                findings.append(Finding(code, {"name": name, "detail": said[0]}))
        report("pages", len(relations), len(relations))
    return findings, len(relations)
