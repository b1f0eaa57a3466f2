"""Verbs of the coordination meeting: `decide` records what was decided, `decisions` lists it."""

from __future__ import annotations

from typing import Annotated

import typer

from registry.console import AsOf, KnownAt, Output, Session, command, parse_day, parse_instant

app = typer.Typer()


@command(app, "decide")
def decide(
    session: Session,
    pair: Annotated[str, typer.Argument(help="SEGMENT@PROJECT, or PROJECT for all segments in it.")],
    verdict: Annotated[str, typer.Argument(help="together, ours-moves, theirs-moves or separate.")],
    decided_by: Annotated[str, typer.Option("--by", help="Who decided: the meeting, an office, a person.")],
    due: Annotated[str | None, typer.Option("--due", help="Day by which it must be carried out.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Why, which minutes, what comes next.")] = None,
    day: Annotated[str | None, typer.Option("--on", help="Day of the meeting; today by default.")] = None,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be recorded.")] = False,
) -> None:
    """Record what a meeting decided about a segment and a project; the latest decision stands, all stay on record.

    Example: digonce decide RQ0000740@DL2028-0002 together --by "联动会商 2026-11" --due 2027-03-01
    """
    from registry.history.decisions import Subject, Verdict
    from registry.history.decisions import decide as run
    from registry.history.edit import Warrant

    with session.open() as registry:
        said = Verdict(
            code=verdict.replace("-", "_"),
            decided_on=parse_day(day) or registry.today(),
            decided_by=decided_by,
            due_on=parse_day(due),
            note=note,
        )
        subject = Subject.parse(pair)
        made = run(registry.connection, subject, said, Warrant(session.settings.actor, is_dry_run=is_dry_run))
    if made.delivery_id is None:
        session.tell("edit_shown")
    else:
        session.tell("decision_kept", pair=str(subject), delivery=made.delivery_id)
    name = None if made.changes.empty else str(made.changes["object_id"].iloc[0])
    session.result({"delivery_id": made.delivery_id, "decision_id": name, "pair": str(subject), "verdict": said.code})


@command(app, "decisions")
def decisions(
    session: Session,
    project: Annotated[str | None, typer.Option("--project", help="Only those about this project.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """List what meetings decided, latest first.

    Example: digonce decisions --project DL2027-04 -o decisions.xlsx
    """
    from registry.exports import check_output, in_words, write_table

    if output is not None:
        check_output(output)
    with session.open() as registry:
        found = registry.frame(
            "decisions", as_of=parse_day(as_of) or registry.today(), known_at=parse_instant(known_at)
        )
    if project is not None:
        found = found[found["project_id"] == project]
    found = found.sort_values("decided_on", ascending=False, kind="stable")
    if output is not None:
        write_table(found, output, "decisions", session.language)
        session.tell_written(output, len(found))
    elif found.empty:
        session.tell("decisions_none")
    else:
        told = in_words(found.reset_index(), "decisions", session.language)
        session.table(told, {name: name for name in told.columns})
    session.result({"decisions": found.reset_index().to_dict("records")})
