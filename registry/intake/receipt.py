"""Tell a person what became of a delivery, and list what was held back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from registry.cli_history import show_changes
from registry.errors import FileFaultError
from registry.exports import SHEET_ROWS, TABLE_SUFFIXES, check_folder
from registry.intake.merge import CLASSES
from registry.intake.reasons import fault_label, offer, reason
from registry.writing import written_whole

if TYPE_CHECKING:
    import pandas as pd

    from registry.console import Session
    from registry.intake.importer import Receipt

_SHOWN: Final = 10


def print_receipt(session: Session, receipt: Receipt, shown: int = _SHOWN) -> None:
    """Print counts, notes about the file, and the first faults with their mends."""
    if receipt.is_repeat:
        session.tell("import_repeated", delivery=receipt.delivery_id)
        if receipt.held:
            session.tell("import_repeated_held", count=receipt.held, delivery=receipt.delivery_id)
    elif receipt.is_dry_run:
        session.tell("import_checked", read=receipt.rows_read, accepted=receipt.accepted, held=receipt.held)
    else:
        session.tell(
            "import_done",
            delivery=receipt.delivery_id,
            read=receipt.rows_read,
            accepted=receipt.accepted,
            held=receipt.held,
            added=receipt.added,
            changed=receipt.changed,
            unchanged=receipt.unchanged,
        )
    _tell_changes(session, receipt)
    for note in receipt.notes:
        session.tell(str(note["code"]), **{key: value for key, value in note.items() if key != "code"})
    for row in receipt.faults.head(shown).to_dict("records"):
        session.tell("import_fault", row=row["row_number"], reason=reason(row, receipt.kind, session.language))
    more = len(receipt.faults) - shown
    if more > 0 and receipt.is_dry_run:
        session.tell("import_more_faults_of_dry_run", count=more)
    elif more > 0:
        session.tell("import_more_faults", count=more, delivery=receipt.delivery_id)
    session.result(
        {
            "delivery_id": receipt.delivery_id,
            "kind": receipt.kind,
            "rows_read": receipt.rows_read,
            "accepted": receipt.accepted,
            "held": receipt.held,
            **{name: getattr(receipt, name) for name in (*CLASSES, "unchanged")},
            "state": receipt.state,
            "is_repeat": receipt.is_repeat,
            "is_dry_run": receipt.is_dry_run,
            "notes": receipt.notes,
            "faults": [
                {
                    "row": int(row["row_number"]),
                    "column": row["column_name"],
                    "code": row["code"],
                    "value": row["value"],
                    "offered": row["offered"],
                    "reason": reason(row, receipt.kind, session.language),
                }
                for row in receipt.faults.to_dict("records")
            ],
        }
    )


def _tell_changes(session: Session, receipt: Receipt) -> None:
    """Say what a delivery would change, where it waits or was only tried."""
    counts = {name: getattr(receipt, name) for name in (*CLASSES, "unchanged")}
    is_renamed = any(counts[name] for name in ("renumbered", "split", "merged", "doubtful"))
    if receipt.is_repeat:
        return
    if receipt.is_dry_run and len(receipt.changes):
        session.tell("import_would_change", **counts)
        if is_renamed:
            session.tell("import_under_other_ids", **counts)
        show_changes(session, receipt.changes, receipt.delivery_id, None)
    elif receipt.state == "pending" and not receipt.is_dry_run:
        session.tell("import_waits", delivery=receipt.delivery_id, **counts)
        if is_renamed:
            session.tell("import_under_other_ids", **counts)
    elif receipt.doubtful and not receipt.is_dry_run:
        session.tell("doubts_left", count=receipt.doubtful, delivery=receipt.delivery_id)


def held_table(faults: pd.DataFrame, session: Session) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the held-back rows as a table for the terminal, with its headings."""
    table = faults.assign(
        reason=faults[f"reason_{session.language}"],
        column_name=_labels(faults, session.language),
        offered=_offers(faults, session.language),
    )
    columns = ["row_number", "column_name", "value", "offered", "reason"]
    return table, {name: session.say(f"heading_{name}") for name in columns}


def _labels(faults: pd.DataFrame, language: str) -> list[str]:
    return [fault_label(row, row["kind"], language) for row in faults.to_dict("records")]


def _offers(faults: pd.DataFrame, language: str) -> pd.Series:
    import pandas as pd

    return pd.Series([offer(row, language) for row in faults.to_dict("records")], index=faults.index, dtype=object)


def write_held(faults: pd.DataFrame, path: Path, language: str) -> None:
    """Write held-back rows as CSV or XLSX for whoever mends them, one line each; `read_held` reads it back.

    The row number comes first, then the row as it was delivered, then all reasons why it was held back.
    """
    import pandas as pd

    from registry.catalogue import say

    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise FileFaultError("output_format_unknown", file=path.name, suffixes=" ".join(TABLE_SUFFIXES))
    check_folder(path)
    rows = faults.drop_duplicates("row_number").set_index("row_number")
    delivered = pd.DataFrame([{**row, **fixes} for row, fixes in zip(rows["row"], rows["fixes"], strict=True)])
    table = delivered.set_index(rows.index)
    table.insert(0, say("heading_row_number", language), rows.index)
    reasons = faults.groupby("row_number", sort=False)[f"reason_{language}"].agg("; ".join)
    table[say("heading_reason", language)] = reasons
    is_csv = path.suffix.lower() == ".csv"
    if not is_csv and len(table) > SHEET_ROWS:
        # it is read back from one sheet
        raise FileFaultError("held_longer_than_sheet", count=len(table), most=SHEET_ROWS)
    with written_whole(path) as part:
        if is_csv:
            table.to_csv(part, index=False, encoding="utf-8-sig", lineterminator="\r\n")
            return
        options = {"strings_to_formulas": False, "strings_to_urls": False}
        with pd.ExcelWriter(part, engine="xlsxwriter", engine_kwargs={"options": options}) as book:
            table.to_excel(book, index=False)


def read_held(path: Path) -> pd.DataFrame:
    """Read a mended list of held-back rows: row number first, then the row; the reasons at the end are left out.

    Raises
    ------
    FileFaultError
        Where the file is absent, of another format, or does not begin with row numbers.
    """
    import pandas as pd

    if not path.exists():
        raise FileFaultError("file_absent", file=str(path))
    if path.suffix.lower() == ".csv":
        table = pd.read_csv(path, dtype="str", encoding="utf-8-sig")
    elif path.suffix.lower() == ".xlsx":
        table = pd.read_excel(path, dtype="str", engine="calamine")
    else:
        raise FileFaultError("output_format_unknown", file=path.name, suffixes=".csv .xlsx")
    numbers = pd.to_numeric(table.iloc[:, 0], errors="coerce")
    if table.empty or numbers.isna().any():
        raise FileFaultError("held_list_without_numbers", file=path.name)
    return table.iloc[:, :-1]
