"""The verb `history`: the dossier of a segment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from registry.console import AsOf, KnownAt, Session, command, parse_day, parse_instant

app = typer.Typer()


@command(app, "history")
def history(
    session: Session,
    segment: Annotated[str, typer.Argument(help="Id of a segment, also of one that is retired, split or merged.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write a page (.html) or the timeline (.csv, .xlsx).")
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> None:
    """Show all that is known of a segment: facts with their sources, and what happened, as of a day and as known then.

    Example: digonce history RQ0000732 --as-of 2025-12-01 -o RQ0000732.html
    """
    from dataclasses import asdict

    import pandas as pd

    from maps.dossier import dossier_page, events_in_words, facts_in_words, reason_lines
    from maps.pages import save_page
    from planner.cli_reasons import saved_reasons
    from registry.exports import FRAME_SUFFIXES, PAGE_SUFFIXES, check_output, write_table
    from registry.history.dossier import read_dossier

    if output is not None:
        check_output(output, (*FRAME_SUFFIXES, *PAGE_SUFFIXES))
    with session.open() as registry:
        day = parse_day(as_of) or registry.today()
        dossier = read_dossier(registry.connection, segment, day, parse_instant(known_at))
        reasons = saved_reasons(session, registry, segment, dossier.known_at)
        city = registry.city
    if output is not None and output.suffix.lower() in PAGE_SUFFIXES:
        save_page(dossier_page(dossier, city, session.language, reasons), output)
    elif output is not None:
        write_table(dossier.timeline, output, "dossier_events", session.language)
    if output is not None:
        session.tell("written", file=output)
    else:
        session.tell("dossier_title", segment=segment)
        if dossier.length_m is None:
            session.tell("dossier_not_there", segment=segment, day=day.isoformat())
        else:
            session.tell("dossier_length", length_m=dossier.length_m)
        became = dict.fromkeys(dossier.became.loc[dossier.became["is_last"], "segment_id"])
        if became:
            session.tell("dossier_became", segments=", ".join(became))
        came_from = dict.fromkeys(dossier.came_from["segment_id"])
        if came_from:
            session.tell("dossier_came_from", segments=", ".join(came_from))
        if reasons is not None:
            for line in reason_lines(reasons, session.language):
                session.tell("dossier_line", text=line)
        _tables(session, facts_in_words(dossier.facts, session.language), "dossier_facts")
        _tables(session, events_in_words(dossier.timeline, session.language), "dossier_timeline")
    told = {
        name: value.to_dict("records") if isinstance(value, pd.DataFrame) else value
        for name, value in asdict(dossier).items()
    }
    session.result(told | {"reasons": None if reasons is None else asdict(reasons)})


def _tables(session: Session, rows: list[dict[str, str]], title: str) -> None:
    import pandas as pd

    if rows:
        table = pd.DataFrame(rows)
        headings = {name: session.say(f"dossier_heading_{name}") for name in table.columns}
        session.table(table, headings, session.say(title))
