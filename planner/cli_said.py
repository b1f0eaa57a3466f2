"""Frames of the programme as tables on the terminal: money in the unit of the reader, kilometres to the metre."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.catalogue import CNY_PER_UNIT
from registry.fields import Field, fields, value_list

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from registry.console import Session


def show_frame(session: Session, frame: pd.DataFrame, contract: str, title: str) -> None:
    """Print the rows of a frame in words; columns that say nothing in any row are left out."""
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
    session.table(pd.DataFrame(columns, dtype="str"), headings, title)


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
