"""The table of saved plans on the terminal, as wide as the terminal is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from registry.catalogue import CNY_PER_UNIT, joined
from registry.fields import value_list

if TYPE_CHECKING:
    import pandas as pd

    from registry.console import Session

_WHOLE: Final = ("name", "state", "years", "objective", "cost")
# said of few plans: columns where there is room, else lines below the table
_NOTES: Final = ("stamp", "scenario", "parent")
# what stands between columns
_RULE: Final = 3
# what --json tells too and what differs least among plans of one year
_LEAST_NEEDED: Final = ("policy", "as_of", "gap")


def show_plans(session: Session, rows: list[dict[str, Any]]) -> None:
    """Print saved plans (as `plans --json` tells them) as a table in which no word is cut.

    Columns that say nothing of any plan are left out. A narrow terminal gets fewer columns, with notes of single plans
    below the table; one that is too narrow for the names gets the plans one below the other.
    """
    table = _table(session, rows)
    headings = {name: session.say(f"plans_heading_{name}") for name in table.columns}
    shapes = [
        headings,
        _folded(headings, _LEAST_NEEDED),
        _folded(headings, (*_LEAST_NEEDED, *_NOTES)),
    ]
    told = table.map(lambda cell: f"{cell:,.2f}" if isinstance(cell, float) else cell)
    chosen = next((shape for shape in shapes if _width(told, shape) <= session.table_width), None)
    if chosen is None:
        _one_below_the_other(session, rows, told)
        return
    session.table(table, chosen, whole=_WHOLE)
    if "stamp" not in chosen:
        for row in rows:
            notes = _notes(session, row)
            if notes:
                session.tell("plans_note", plan=row["name"] or "—", notes=joined(notes, session.language, "semicolon"))


def _table(session: Session, rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    labels = value_list("plan_state")
    unit = CNY_PER_UNIT[session.language]
    table = pd.DataFrame(
        {
            "name": [row["name"] or "—" for row in rows],
            "state": [labels[row["state"]].label(session.language) for row in rows],
            "years": [f"{row['first_year']}-{row['last_year']}" for row in rows],
            "objective": [float(row["objective"]) for row in rows],
            # the bound is of plans that keep every limit
            "gap": ["—" if row["breach_count"] else f"{row['gap_share']:.2%}" for row in rows],
            "cost": [row["cost_cny"] / unit for row in rows],
            "policy": [f"{row['policy'].get('id', '—')} {row['policy'].get('version', '')}".strip() for row in rows],
            "as_of": [str(row["as_of"]) for row in rows],
            "stamp": [session.say("plans_stale" if row["is_stale"] else "plans_fresh") for row in rows],
            "scenario": [row["scenario"] or "" for row in rows],
            "parent": [_edited_words(session, row) for row in rows],
        }
    )
    return table.drop(columns=[name for name in ("scenario", "parent") if not any(table[name])])


def _folded(headings: dict[str, str], without: tuple[str, ...]) -> dict[str, str]:
    return {
        name: heading.replace(" ", "\n").replace("（", "\n（") if name in _WHOLE else heading
        for name, heading in headings.items()
        if name not in without
    }


def _width(told: pd.DataFrame, headings: dict[str, str]) -> int:
    """Return how wide a table is whose cells are not folded; headings of whole columns are not folded either."""
    from rich.cells import cell_len

    parts = {name: heading.split("\n") if name in _WHOLE else heading.split() for name, heading in headings.items()}
    return 1 + sum(_RULE + max(map(cell_len, [*parts[name], *told[name]])) for name in headings)


def _notes(session: Session, row: dict[str, Any]) -> list[str]:
    notes = [session.say("plans_stale")] if row["is_stale"] else []
    if row["scenario"]:
        notes.append(session.say("plans_note_scenario", scenario=row["scenario"]))
    edited = _edited_words(session, row)
    return [*notes, edited] if edited else notes


def _one_below_the_other(session: Session, rows: list[dict[str, Any]], told: pd.DataFrame) -> None:
    for row, plan in zip(rows, told.to_dict("records"), strict=True):
        session.tell("plans_one", plan=plan["name"])
        for name in _WHOLE[1:]:
            session.tell("plans_fact", heading=session.say(f"plans_heading_{name}"), fact=plan[name])
        for note in _notes(session, row):
            session.tell("plans_remark", note=note)


def _edited_words(session: Session, row: dict[str, Any]) -> str:
    if not row["is_edited"]:
        return session.say("plans_replanned", parent=row["parent"] or "—") if row["is_replanned"] else ""
    code = "plans_edited_anyway" if row["breach_count"] else "plans_edited"
    return session.say(code, parent=row["parent"] or "—", count=row["breach_count"])
