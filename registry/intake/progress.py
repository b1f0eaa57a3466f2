"""Checks of monthly reports: that each names what was worked on, and that this is known."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import psycopg

from registry.db import query
from registry.intake.checks import Columns
from registry.intake.findings import Findings

# between ids of segments; the same as `planner.done_shares` splits by
ID_SIGNS: Final = r"[,，、;；\s]+"
_SUBJECTS: Final = ("batch_id", "segment_ids", "street_name")
_CONTENT: Final = ("km_done", "households_done", "work_state")


def check_progress(connection: psycopg.Connection, rows: Columns, findings: Findings) -> None:
    """Note rows that name nothing, say nothing, or name a batch, plan or segment that nobody knows."""
    count = len(findings.held)
    findings.add(~_any(rows, _SUBJECTS, count), "batch_id", "progress_without_subject")
    findings.add(~_any(rows, _CONTENT, count), "km_done", "progress_without_content")
    for column, code in (("batch_id", "batch_unknown"), ("plan_name", "plan_unknown")):
        named = _texts(rows, column, count)
        known = _known(connection, column, named.dropna().unique().tolist())
        _note(named.notna() & ~named.isin(known), named, column, code, findings)
    named = _texts(rows, "segment_ids", count)
    ids = named.str.split(ID_SIGNS, regex=True).explode()
    ids = ids[ids.notna() & (ids != "")]
    known = _known(connection, "segment_ids", ids.unique().tolist())
    lost = ids[~ids.isin(known)].groupby(level=0).agg(", ".join)
    is_lost = np.isin(np.arange(count), lost.index)
    _note(is_lost, lost.reindex(range(count)), "segment_ids", "segments_unknown", findings)


def _any(rows: Columns, columns: tuple[str, ...], count: int) -> npt.NDArray[np.bool_]:
    told = [np.asarray(rows[name].is_valid()) for name in columns if name in rows]
    return np.logical_or.reduce(told) if told else np.zeros(count, dtype=bool)


def _texts(rows: Columns, column: str, count: int) -> pd.Series:
    values: list[Any] = rows[column].to_pylist() if column in rows else [None] * count
    return pd.Series(values, dtype="str")


def _known(connection: psycopg.Connection, column: str, names: list[str]) -> set[str]:
    if not names:
        return set()
    return {row[0] for row in connection.execute(query(f"progress_{column}_known"), [names]).fetchall()}


def _note(is_faulty: Any, values: pd.Series, column: str, code: str, findings: Findings) -> None:  # noqa: ANN401
    faulty = np.asarray(is_faulty, dtype=bool)
    if faulty.any():
        findings.add(faulty, column, code, values=values.to_numpy(dtype=object))
