"""Frames of the programme as tables on the terminal: money in the unit of the reader, kilometres to the metre."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from registry.catalogue import CNY_PER_UNIT
from registry.fields import Field, fields, value_list

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from registry.console import Session


# a heading without spaces may be folded, but not to less than this
_LEAST_HEADING: Final = 8
# what stands between columns and at both ends
_RULE: Final = 3
# so many rows of a wide table stand side by side when it is turned
_SIDE_BY_SIDE: Final = 5


def show_frame(session: Session, frame: pd.DataFrame, contract: str, title: str, across: str = "") -> None:
    """Print the rows of a frame in words; columns that say nothing in any row are left out, ids are never folded.

    Where the table is too wide for the terminal, and `across` names the column that tells the rows apart, its values
    become the headings and every figure gets a row, in several tables where there are many.
    """
    import pandas as pd

    declared = fields()[contract]
    unit = CNY_PER_UNIT[session.language]
    columns: dict[str, list[str]] = {}
    headings: dict[str, str] = {}
    for name in frame.columns:
        if frame[name].isna().all() and len(frame):
            continue
        field = declared[str(name)]
        columns[name] = [_said(value, _form(session, str(name), field.list_name, unit)) for value in frame[name]]
        headings[name] = _heading(session, field)
    words, whole = pd.DataFrame(columns, dtype="str"), [name for name in columns if name.endswith("_id")]
    if not across or fits(session, words, headings):
        session.table(words, headings, title, whole=whole)
        return
    for first in range(0, len(words), _SIDE_BY_SIDE):
        turned, heads = _turned(words.iloc[first : first + _SIDE_BY_SIDE], headings, across)
        session.table(turned, heads, title, whole=list(heads)[1:])


def fits(session: Session, words: pd.DataFrame, headings: dict[str, str]) -> bool:
    """Tell whether a table can be printed with no word of it cut in two."""
    from rich.cells import cell_len

    width = 1
    for name, heading in headings.items():
        least = max(len(word) if word.isascii() else min(cell_len(word), _LEAST_HEADING) for word in heading.split())
        width += _RULE + max([least, *(cell_len(str(cell)) for cell in words[name])])
    return width <= session.table_width


def _turned(words: pd.DataFrame, headings: dict[str, str], across: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return a table with a column for each row, headed by its value in `across`, and a row for every other column."""
    import pandas as pd

    rows = [name for name in headings if name != across]
    turned = pd.DataFrame({"figure": [headings[name] for name in rows]}, dtype="str")
    heads = {"figure": headings[across]}
    for number, head in enumerate(words[across]):
        turned[str(number)] = words[rows].iloc[number].to_numpy()
        heads[str(number)] = head
    return turned, heads


def _heading(session: Session, field: Field) -> str:
    if field.unit in {"", "year"}:
        return field.label(session.language)
    unit = value_list("unit")[field.unit].label(session.language)
    return f"{field.label(session.language)} ({session.say('money_unit') if field.unit == 'CNY' else unit})"


def _form(session: Session, name: str, list_name: str, unit: float) -> Callable[[object], str]:
    if list_name:
        labels = {code: value.label(session.language) for code, value in value_list(list_name).items()}
        return lambda value: labels.get(str(value), str(value))
    if name.endswith("_cny"):
        return lambda value: f"{float(str(value)) / unit:,.2f}"
    if name.endswith("_share"):
        return lambda value: f"{float(str(value)):.1%}"
    if "km" in name.split("_"):
        return lambda value: f"{float(str(value)):,.3f}"
    return _plain


def _plain(value: object) -> str:
    import datetime

    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m}" if value.day == 1 else f"{value:%Y-%m-%d}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return str(value)


def _said(value: object, form: Callable[[object], str]) -> str:
    import pandas as pd

    return "" if pd.isna(value) else form(value)  # type: ignore[call-overload]
