"""Verbs that review, accept and take back what came in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.console import Output, Session, command

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer()
Delivery = Annotated[str, typer.Argument(help="Id of the delivery, as `digonce deliveries` shows it.")]
_SHOWN = 40


@command(app, "changes")
def changes(session: Session, delivery: Delivery, output: Output = None) -> None:
    """Show the change report of a delivery: what it would change, old and new, and what is gone.

    Example: digonce changes D20261101-1a2b3c4d -o changes.xlsx
    """
    from registry.intake.review import change_report

    with session.open() as registry:
        report = change_report(registry.connection, delivery)
    show_changes(session, report, delivery, output)
    session.result({"delivery_id": delivery, "changes": report.to_dict("records")})


def show_changes(session: Session, report: pd.DataFrame, delivery: str, output: Path | None) -> None:
    """Print the first lines of a change report, or write all of them to a file."""
    from registry.exports import in_words, write_table

    if report.empty:
        session.tell("changes_none", delivery=delivery)
    elif output is not None:
        write_table(report, output, "changes", session.language)
        session.tell("written", file=output)
    else:
        told = in_words(report.head(_SHOWN), "changes", session.language)
        session.table(told, {name: name for name in told.columns})
        if len(report) > _SHOWN:
            session.tell("change_more", count=len(report) - _SHOWN)


@command(app, "accept")
def accept(
    session: Session,
    delivery: Delivery,
    only: Annotated[
        str | None, typer.Option("--only", help="Classes to accept, with commas: added,changed,moved,reopened,gone.")
    ] = None,
    is_gone: Annotated[bool, typer.Option("--gone", help="Also retire what is known and not in the delivery.")] = False,
) -> None:
    """Let a delivery that waits for review count; what is gone is retired only with --gone.

    Example: digonce accept D20261101-1a2b3c4d --only changed,moved
    """
    from registry.errors import ReviewError
    from registry.fields import value_list
    from registry.intake.merge import CLASSES
    from registry.intake.review import accept_delivery

    chosen = only.replace(" ", "").split(",") if only else [name for name in CLASSES if name != "gone"]
    for name in chosen:
        if name not in CLASSES:
            raise ReviewError("class_unknown", name=name, classes=", ".join(CLASSES))
    if is_gone and "gone" not in chosen:
        chosen.append("gone")
    with session.open() as registry, session.steps() as report:
        done = accept_delivery(registry.connection, delivery, registry.srid, chosen, report)
    session.result(
        {
            "delivery_id": delivery,
            "is_accepted": not done.is_stale,
            "classes": list(done.accepted_classes),
            "counts": done.counts,
        }
    )
    if done.is_stale:
        session.warn("accept_stale", delivery=delivery)
        raise typer.Exit(1)
    counted = {name: done.counts[name] if name in done.accepted_classes else 0 for name in CLASSES}
    session.tell("accepted", delivery=delivery, **counted)
    labels = value_list("change_class")
    left = [
        labels[name].label(session.language)
        for name in CLASSES
        if done.counts[name] and name not in done.accepted_classes
    ]
    if left:
        session.tell("accepted_partly", classes=", ".join(left))


@command(app, "decline")
def decline(session: Session, delivery: Delivery) -> None:
    """Refuse a delivery that waits for review; nothing of it will count.

    Example: digonce decline D20261101-1a2b3c4d
    """
    from registry.intake.review import decline_delivery

    with session.open() as registry:
        decline_delivery(registry.connection, delivery)
    session.tell("declined", delivery=delivery)
    session.result({"delivery_id": delivery, "state": "declined"})


@command(app, "undo")
def undo(
    session: Session,
    delivery: Delivery,
    is_cascade: Annotated[
        bool, typer.Option("--cascade", help="Also take back the later deliveries that build on it.")
    ] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, in words.")] = None,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what else would be taken back.")] = False,
) -> None:
    """Take a delivery back: what was known before it is known again; the record of it stays.

    An undo is a delivery and can be undone.

    Example: digonce undo D20261101-1a2b3c4d --reason "wrong district"
    """
    from registry.history.undo import dependents, undo_delivery

    with session.open() as registry:
        if is_dry_run:
            later = dependents(registry.connection, delivery)["delivery_id"].tolist()
            session.tell("undo_would", delivery=delivery, deliveries=", ".join(later) or "—")
            session.result({"delivery_id": delivery, "dependents": later})
            return
        done = undo_delivery(
            registry.connection, delivery, session.settings.actor, is_cascade=is_cascade, reason=reason
        )
    names = ", ".join(done.undone)
    session.tell(
        "undone", deliveries=names, withdrawn=done.withdrawn, restored=done.restored, delivery=done.delivery_id
    )
    runs = [f"{run['kind']} {run['name'] or run['run_id'][:8]}" for run in done.used_by.to_dict("records")]
    if runs:
        session.tell("undo_used_by", runs=", ".join(runs))
    session.result(
        {
            "delivery_id": done.delivery_id,
            "undone": list(done.undone),
            "withdrawn": done.withdrawn,
            "restored": done.restored,
            "used_by": done.used_by.to_dict("records"),
        }
    )


@command(app, "fix")
def fix(
    session: Session,
    delivery: Delivery,
    row: Annotated[int, typer.Argument(help="Number of the row, as `digonce held` shows it.")],
    assignments: Annotated[list[str], typer.Argument(help="column=value, by the heading of the file or our name.")],
) -> None:
    """Mend a held-back row in place; `digonce retry` takes it in.

    Example: digonce fix D20261101-1a2b3c4d 616 埋深=1.1
    """
    from registry.cli_edit import parse_assignments
    from registry.intake.retry import fix_row

    with session.open() as registry:
        fix_row(registry.connection, delivery, row, parse_assignments(assignments))
    session.tell("held_fixed", row=row, delivery=delivery)
    session.result({"delivery_id": delivery, "row": row})


@command(app, "retry")
def retry(
    session: Session,
    delivery: Delivery,
    file: Annotated[
        Path | None, typer.Argument(help="The list that `digonce held -o` wrote, mended; else rows mended in place.")
    ] = None,
) -> None:
    """Try held-back rows again: those that were mended, and those whose fault lay elsewhere.

    Example: digonce retry D20261101-1a2b3c4d held.xlsx
    """
    from registry.intake.receipt import print_receipt, read_held
    from registry.intake.retry import retry_held

    corrected = read_held(file) if file is not None else None
    with session.open() as registry:
        done = retry_held(
            registry.connection, delivery, registry.srid, registry.info, session.settings.actor, corrected
        )
    if done.receipt is None:
        session.tell("retry_nothing", delivery=delivery, left=done.left)
        session.result({"delivery_id": None, "tried": 0, "left": done.left})
        return
    accepted = done.receipt.accepted
    session.tell("retried", tried=done.tried, accepted=accepted, delivery=done.receipt.delivery_id, left=done.left)
    print_receipt(session, done.receipt)
