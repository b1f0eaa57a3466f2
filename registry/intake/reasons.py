"""Why a row was held back, in the words of the reader: columns as their own file calls them, with our label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from registry.catalogue import catalogue, say
from registry.fields import fields
from registry.intake.headings import normalised

# parameters of a reason that name another column of the row
_COLUMN_PARAMETERS: Final = ("other",)


def column_label(kind: str | None, column: str, language: str, heading: str | None = None) -> str:
    """Return what a reader calls a column: the heading in the file, with our label where that is another word."""
    field = fields()[kind].get(column) if kind else None
    label = field.label(language) if field else column
    if heading is None:
        return label
    if normalised(heading) == normalised(label):
        return heading
    return say("heading_and_label", language, heading=heading, label=label)


def fault_label(fault: Mapping[Any, Any], kind: str | None, language: str) -> str:
    """Return what a reader calls the column of a fault."""
    heading = (fault["parameters"] or {}).get("heading")
    return column_label(kind, str(fault["column_name"]), language, heading)


def reason(fault: Mapping[Any, Any], kind: str | None, language: str) -> str:
    """Say one fault: `fault` has code, column_name, value, offered and parameters.

    Where there is nothing to offer, the words of `<code>_alone` offer nothing.
    """
    given = dict(fault["parameters"] or {})
    for name in _COLUMN_PARAMETERS:
        if name in given:
            given[name] = column_label(kind, str(given[name]), language, given.get(f"{name}_heading"))
    code = str(fault["code"])
    offered = None if is_absent(fault["offered"]) else fault["offered"]
    if offered is None and f"{code}_alone" in catalogue():
        code = f"{code}_alone"
    named = {
        "value": "" if is_absent(fault["value"]) else fault["value"],
        "offered": offered,
        "column": fault_label(fault, kind, language),
    }
    return say(code, language, **(named | given))


def offer(fault: Mapping[Any, Any], language: str) -> str | None:
    """Return the mend that is offered, in words; of a repeated id where the first stands."""
    if is_absent(fault["offered"]):
        return None
    if fault["code"] == "id_repeated":
        return say("offered_row", language, row=fault["offered"])
    return str(fault["offered"])


def is_absent(value: object) -> bool:
    """Tell whether a fault has no such value; frames write a missing one as NaN."""
    return value is None or (isinstance(value, float) and value != value)
