"""Verbs that review, accept and take back what came in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.console import Output, Session, command

if TYPE_CHECKING:
    import pandas as pd

    from registry.intake.recognition import Decisions
    from registry.intake.review import Acceptance

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
    session.result(
        {"delivery_id": delivery, "changes": report.astype(object).where(report.notna(), None).to_dict("records")}
    )


def show_changes(session: Session, report: pd.DataFrame, delivery: str, output: Path | None) -> None:
    """Print the first lines of a change report, or write all of them to a file."""
    from registry.catalogue import say
    from registry.exports import in_words, write_table

    told_reasons = report["reason"].map(lambda code: say(str(code), session.language), na_action="ignore")
    report = report.assign(reason=told_reasons)
    if report.empty:
        session.tell("changes_none", delivery=delivery)
    elif output is not None:
        write_table(report, output, "changes", session.language)
        session.tell_written(output, len(report))
    else:
        first = report.head(_SHOWN)
        # columns that have nothing to say take no room on a terminal
        told = in_words(first.loc[:, first.notna().any() & (first != "").any()], "changes", session.language)
        session.table(told, {name: name for name in told.columns})
        if len(report) > _SHOWN:
            session.tell("change_more", count=len(report) - _SHOWN)


@command(app, "accept")
def accept(
    session: Session,
    delivery: Delivery,
    only: Annotated[
        str | None,
        typer.Option(
            "--only",
            help="Classes to accept, with commas: added,changed,moved,reopened,renumbered,split,merged,gone.",
        ),
    ] = None,
    is_gone: Annotated[bool, typer.Option("--gone", help="Also retire what is known and not in the delivery.")] = False,
    same: Annotated[
        list[str] | None,
        typer.Option(
            "--same", help="OLD=NEW: the doubtful segment NEW is the known one OLD, or a piece of it. Repeatable."
        ),
    ] = None,
    different: Annotated[
        list[str] | None, typer.Option("--different", help="NEW: the doubtful segment is a new one. Repeatable.")
    ] = None,
) -> None:
    """Let a delivery that waits for review count; what is gone is retired only with --gone.

    Segments that are doubtful count only once you say which known ones they are, now or later.

    Example: digonce accept D20261101-1a2b3c4d --only changed,moved
    """
    from registry.intake.review import accept_delivery, decide_doubts, waiting

    chosen = _chosen_classes(only, is_gone=is_gone)
    decisions = _decisions(same or [], different or [])
    with session.open() as registry, session.steps() as report:
        # of a delivery that counts already only doubts can still be decided
        is_later = bool(decisions) and waiting(registry.connection, delivery)["state"] == "accepted"
        done = (
            decide_doubts(registry.connection, delivery, registry.srid, decisions, session.settings.actor, report)
            if is_later
            else accept_delivery(registry.connection, delivery, registry.srid, chosen, report, decisions)
        )
    session.result(
        {
            "delivery_id": done.delivery_id,
            "is_accepted": not done.is_stale,
            "classes": list(done.accepted_classes),
            "counts": done.counts,
            "decided": decisions.delivered_ids if not done.is_stale else [],
            "undecided": list(done.undecided),
        }
    )
    if done.is_stale:
        session.warn("accept_stale", delivery=delivery)
        raise typer.Exit(1)
    if not is_later:
        _tell_accepted(session, done)
    if decisions:
        session.tell("doubts_decided", count=len(decisions.delivered_ids), delivery=done.delivery_id)
    if done.undecided:
        session.tell("doubts_left", count=len(done.undecided), delivery=delivery)


def _chosen_classes(only: str | None, *, is_gone: bool) -> list[str]:
    from registry.errors import ReviewError
    from registry.intake.merge import CLASSES, PLAIN_CLASSES

    choices = [name for name in CLASSES if name != "doubtful"]
    chosen = only.replace(" ", "").split(",") if only else list(PLAIN_CLASSES)
    for name in chosen:
        if name == "doubtful":
            raise ReviewError("class_needs_decisions")
        if name not in choices:
            raise ReviewError("class_unknown", name=name, classes=", ".join(choices))
    return [*chosen, "gone"] if is_gone and "gone" not in chosen else chosen


def _decisions(same: list[str], different: list[str]) -> Decisions:
    from registry.errors import UsageError
    from registry.intake.recognition import Decisions

    for text in same:
        if text.count("=") != 1 or text.startswith("=") or text.endswith("="):
            raise UsageError("decision_unreadable", text=text)
    pairs = (text.partition("=") for text in same)
    return Decisions(tuple((known, delivered) for known, _, delivered in pairs), tuple(different))


def _tell_accepted(session: Session, done: Acceptance) -> None:
    """Say how many rows of each class count now, and which classes were left out."""
    from registry.fields import value_list
    from registry.intake.merge import CLASSES

    counted = {name: done.counts[name] if name in done.accepted_classes else 0 for name in CLASSES}
    session.tell("accepted", delivery=done.delivery_id, **counted)
    if counted["renumbered"] or counted["split"] or counted["merged"]:
        session.tell("accepted_under_other_ids", **counted)
    labels = value_list("change_class")
    left = [
        labels[name].label(session.language)
        for name in CLASSES
        if name != "doubtful" and done.counts[name] and name not in done.accepted_classes
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
    if done.read_again is not None:
        session.tell("retry_read_again", delivery=done.read_again.delivery_id)
        print_receipt(session if done.receipt is None else replace(session, is_silent=True), done.read_again)
        if done.receipt is None:
            return
    if done.receipt is None:
        session.tell("retry_nothing", delivery=delivery, left=done.left)
        session.result({"delivery_id": None, "tried": 0, "left": done.left})
        return
    accepted = done.receipt.accepted
    session.tell("retried", tried=done.tried, accepted=accepted, delivery=done.receipt.delivery_id, left=done.left)
    print_receipt(session, done.receipt)
