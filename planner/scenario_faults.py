"""What is wrong with a scenario file, in words of ours: by key as TOML writes it, with value and mend."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from planner.factors import text_column
from registry.catalogue import catalogue
from registry.errors import Phrase

_SHOWN_VALUE_LENGTH: Final = 60
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
# a budget may be a number or a table: the checker names the branch that it tried, which nobody wrote
_BRANCHES: Final = ("constrained-float", "dict[", "[key]")
# keys that are written as tables of a list
_LISTS: Final = frozenset({"bans", "order"})
_KINDS: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown_key",
    "string_too_short": "empty",
    "float_parsing": "not_number",
    "float_type": "not_number",
    "finite_number": "not_number",
    "int_parsing": "not_year",
    "int_type": "not_year",
    "bool_parsing": "not_truth",
    "bool_type": "not_truth",
    "string_type": "not_text",
    "tuple_type": "not_list",
    "too_short": "empty",
    "model_type": "not_table",
    "dict_type": "not_table",
    "greater_than": "out_of_range_above",
    "greater_than_equal": "out_of_range_least",
    "less_than_equal": "out_of_range_most",
}


def scenario_faults(fault: ValidationError) -> tuple[Phrase, ...]:
    """Say every fault by its kind; of a value that may be of two kinds only that of the one it is meant as."""
    found: list[Phrase] = []
    for error in fault.errors(include_url=False):
        is_of_table = isinstance(error["input"], Mapping)
        if any(str(step).startswith(_BRANCHES) for step in error["loc"]) and (
            error["type"] == "dict_type" or (is_of_table and error["type"] == "float_type")
        ):
            continue
        told = _said(error)
        if told not in found:
            found.append(told)
    return tuple(found)


def _said(error: ErrorDetails) -> Phrase:
    kind = _kind(str(error["type"]))
    # a key that is missing has no value, and a part as a whole would show too much
    has_value = error["type"] != "missing" and not isinstance(error["input"], Mapping)
    told = {"key": toml_key(error["loc"]), "value": _shown(error["input"]) if has_value else None}
    mend = Phrase(kind, {str(name): value for name, value in error.get("ctx", {}).items()})
    return Phrase("scenario_fault", {**told, "mend": mend}).or_alone("value")


def _kind(name: str) -> str:
    if name.startswith("date"):
        return "scenario_fault_not_day"
    if name in catalogue():
        return name
    return f"scenario_fault_{_KINDS.get(name, 'other')}"


def toml_key(steps: tuple[int | str, ...]) -> str:
    """Write a place as TOML does: parts with dots, quotes where a key needs them, entries of a list by their number."""
    written = ""
    for step in steps:
        if isinstance(step, int):
            written = f"[[{written}]] #{step + 1}" if written in _LISTS else f"{written} #{step + 1}"
        elif not step.startswith(_BRANCHES):
            key = step if _BARE_KEY.fullmatch(step) else json.dumps(step, ensure_ascii=False)
            mark = "" if not written else ": " if "#" in written else "."
            written += mark + key
    return written


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_VALUE_LENGTH else text[:_SHOWN_VALUE_LENGTH] + "…"


def unknown_names(content: Mapping[str, Any], projects: pd.DataFrame, roads: pd.DataFrame) -> tuple[Phrase, ...]:
    """Say which projects, streets and roads of a written scenario nobody knows, as far as it can be read."""
    named, bans = content.get("projects"), content.get("bans")
    streets = set(text_column(roads, "name").dropna())
    unknown = [name for name in named if name not in projects.index] if isinstance(named, Mapping) else []
    for ban in bans if isinstance(bans, list) else []:
        for key, known in (("street", streets), ("road", set(roads.index))):
            name = ban.get(key) if isinstance(ban, Mapping) else None
            if isinstance(name, str) and name not in known:
                unknown.append(name)
    if not unknown:
        return ()
    return (Phrase("scenario_fault_unknown_names", {"names": ", ".join(dict.fromkeys(unknown))}),)
