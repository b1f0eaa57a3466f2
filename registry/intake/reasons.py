"""Why a row was held back, in the words of the reader: columns by their labels, not by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from registry.catalogue import say
from registry.fields import fields

# parameters of a reason that name another column of the row
_COLUMN_PARAMETERS: Final = ("other",)


def column_label(kind: str | None, column: str, language: str) -> str:
    """Return what a reader calls a column; an unknown one keeps its name."""
    field = fields()[kind].get(column) if kind else None
    return field.label(language) if field else column


def reason(fault: Mapping[Any, Any], kind: str | None, language: str) -> str:
    """Say one fault: `fault` has code, column_name, value, offered and parameters."""
    given = dict(fault["parameters"] or {})
    for name in _COLUMN_PARAMETERS:
        if name in given:
            given[name] = column_label(kind, str(given[name]), language)
    named = {
        "value": "" if fault["value"] is None else fault["value"],
        "offered": "—" if fault["offered"] is None else fault["offered"],
        "column": column_label(kind, str(fault["column_name"]), language),
    }
    return say(str(fault["code"]), language, **(named | given))
