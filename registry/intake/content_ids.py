"""Ids for rows of a file that has none: made from what each row says, so that the same row has the same id again."""

from __future__ import annotations

from hashlib import sha256

import pandas as pd

from registry.intake.convert import is_blank, text_of
from registry.intake.headings import Headings
from registry.intake.readers import RawTable

# hexadecimal digits: among a million rows two that differ share an id with a chance of one in forty million
_DIGITS = 16


def content_ids(raw: RawTable, headings: Headings, only: frozenset[str] | None = None) -> pd.Series:
    """Return an id for each row from the columns that are read and its geometry; equal rows are numbered.

    The order of the columns and what is not read do not matter. A row that changes in one of these columns, of `only`
    where given, gets another id.
    """
    names = sorted(headings.by_column)
    if only is not None:
        names = [name for name in names if name in only]
    columns = [headings.column(raw.rows, name) for name in names]
    parts = [[f"{name}=" + _said(value) for value in column] for name, column in zip(names, columns, strict=True)]
    if raw.geometry is not None:
        shapes = raw.geometry.to_pylist()
        parts.append(["" if shape is None else sha256(shape).hexdigest() for shape in shapes])
    digests = [sha256("\n".join(row).encode()).hexdigest()[:_DIGITS] for row in zip(*parts, strict=True)]
    ids = pd.Series(digests, index=raw.rows.index, dtype="str")
    again = ids.groupby(ids).cumcount()
    return ids.where(again == 0, ids + "-" + (again + 1).astype("str"))


def _said(value: object) -> str:
    return "" if is_blank(value) else text_of(value)
