"""Verbs that change single objects by hand: corrections and lineage, each with a preview, a reason and a source."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.console import Session, command, parse_day, parse_instant

if TYPE_CHECKING:
    from registry.history.edit import Edited, Warrant
    from registry.store import Registry

app = typer.Typer()

Segment = Annotated[str, typer.Argument(help="Id of the segment.")]
Source = Annotated[str | None, typer.Option("--source", help="On whose word: a survey, a drawing, a crew.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, in words.")]
Day = Annotated[str | None, typer.Option("--on", help="Day of the change in the ground; today by default.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]


@command(app, "correct")
def correct(
    session: Session,
    segment: Annotated[str, typer.Argument(help="Id of the segment, or of the object of --kind.")],
    assignments: Annotated[list[str], typer.Argument(help="column=value, in our words or those of a survey.")],
    kind: Annotated[str, typer.Option("--kind", help="Kind of the object.")] = "segments",
    source: Source = None,
    reason: Reason = None,
    valid_from: Annotated[
        str | None, typer.Option("--valid-from", help="Day from which it is true; by default it always was.")
    ] = None,
    valid_to: Annotated[str | None, typer.Option("--valid-to", help="Day from which it is true no more.")] = None,
    seen_at: Annotated[
        str | None, typer.Option("--seen-at", help="Refuse if the object was changed after this instant.")
    ] = None,
    is_dry_run: DryRun = False,
) -> None:
    """Set values of one object: what was known before stays on record.

    Example: digonce correct RQ0000732 cover_depth_m=1.1 --source "site visit" --valid-from 2024-05-01
    """
    from registry.history.edit import correct as run
    from registry.kinds import kind_named

    values = parse_assignments(assignments)
    days = (parse_day(valid_from), parse_day(valid_to))
    with session.open() as registry:
        warrant = _warrant(session, source, reason, is_dry_run=is_dry_run, seen_at=seen_at)
        _show(session, run(registry.connection, kind_named(kind), segment, values, warrant, days))


@command(app, "leak")
def leak(
    session: Session,
    leak: Annotated[str, typer.Argument(help="Id of the leak.")],
    segment: Annotated[str | None, typer.Option("--segment", help="Id of the segment that leaked.")] = None,
    is_unknown: Annotated[bool, typer.Option("--unknown", help="The segment is not known after all.")] = False,
    source: Source = None,
    reason: Reason = None,
    seen_at: Annotated[
        str | None, typer.Option("--seen-at", help="Refuse if the leak was changed after this instant.")
    ] = None,
    is_dry_run: DryRun = False,
) -> None:
    """Say which segment leaked, as the crew found it: that replaces the doubt of `digonce doubtful-leaks`.

    Example: digonce leak LD2021-00363 --segment RQ0000732 --source "repair sheet 31"
    """
    from registry.errors import UsageError
    from registry.history.leak_truth import name_segment

    if (segment is None) != is_unknown:
        raise UsageError("leak_segment_or_unknown")
    with session.open() as registry:
        warrant = _warrant(session, source, reason, is_dry_run=is_dry_run, seen_at=seen_at)
        _show(session, name_segment(registry.connection, leak, segment, warrant))


@command(app, "split")
def split(
    session: Session,
    segment: Segment,
    at: Annotated[list[float], typer.Option("--at", help="Distance of a cut from the start, in metres; repeatable.")],
    names: Annotated[str | None, typer.Option("--ids", help="Ids of the parts, with commas; else ID-1, ID-2.")] = None,
    day: Day = None,
    source: Source = None,
    reason: Reason = None,
    is_dry_run: DryRun = False,
) -> None:
    """Cut a segment into parts; its leaks follow to the part that they lie on.

    Example: digonce split RQ0000732 --at 42.5 --on 2026-10-01 --reason "new tee"
    """
    from registry.history.lineage import split as run

    with session.open() as registry:
        warrant = _warrant(session, source, reason, is_dry_run=is_dry_run)
        ids = _ids(names) or None
        _show(session, run(registry.connection, segment, at, _day(registry, day), warrant, ids))


@command(app, "merge")
def merge(
    session: Session,
    segments: Annotated[list[str], typer.Argument(help="Ids of segments that lie end to end.")],
    name: Annotated[str, typer.Option("--id", help="Id of the whole.")],
    day: Day = None,
    source: Source = None,
    reason: Reason = None,
    is_dry_run: DryRun = False,
) -> None:
    """Join segments that lie end to end into one.

    Example: digonce merge RQ0000105 RQ0000106 --id RQ0005005
    """
    from registry.history.lineage import merge as run

    with session.open() as registry:
        warrant = _warrant(session, source, reason, is_dry_run=is_dry_run)
        _show(session, run(registry.connection, segments, name, _day(registry, day), warrant))


@command(app, "redraw")
def redraw(
    session: Session,
    segment: Segment,
    course: Annotated[str, typer.Option("--wkt", help="New course as WKT in the working CRS: LINESTRING (x y, x y).")],
    day: Annotated[str | None, typer.Option("--on", help="Day from which it lies so; else it always did.")] = None,
    source: Source = None,
    reason: Reason = None,
    is_dry_run: DryRun = False,
) -> None:
    """Give a segment another course.

    Example: digonce redraw RQ0000732 --wkt "LINESTRING (540001 4136000, 540050 4136002)" --source "2026 survey"
    """
    import shapely
    from shapely.errors import GEOSException

    from registry.errors import EditError
    from registry.history.lineage import redraw as run

    try:
        line = shapely.from_wkt(course)
    except GEOSException:
        line = None
    if not isinstance(line, shapely.LineString):
        raise EditError("course_unsound", segment=segment)
    with session.open() as registry:
        warrant = _warrant(session, source, reason, is_dry_run=is_dry_run)
        _show(session, run(registry.connection, segment, line, parse_day(day), warrant))


@command(app, "retire")
def retire(
    session: Session,
    segments: Annotated[list[str], typer.Argument(help="Ids of segments.")],
    day: Day = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Day on which they are back as they were; else for good.")
    ] = None,
    source: Source = None,
    reason: Reason = None,
    is_dry_run: DryRun = False,
) -> None:
    """Take segments out of service, for good or for some time.

    Example: digonce retire RQ0000732 --on 2026-10-01 --reason abandoned
    """
    from registry.history.lineage import retire as run

    with session.open() as registry:
        warrant = _warrant(session, source, reason, is_dry_run=is_dry_run)
        _show(session, run(registry.connection, segments, _day(registry, day), warrant, parse_day(until)))


@command(app, "replace")
def replace(
    session: Session,
    segment: Segment,
    name: Annotated[str, typer.Option("--id", help="Id of the new pipe.")],
    assignments: Annotated[list[str] | None, typer.Argument(help="column=value of the new pipe.")] = None,
    day: Day = None,
    source: Source = None,
    reason: Reason = None,
    is_dry_run: DryRun = False,
) -> None:
    """Renew a pipe in its place: the old one is retired, the new one lies there from that day on.

    Example: digonce replace RQ0000732 material=pe100 diameter_mm=160 --id RQ0005006 --on 2026-10-01
    """
    from registry.history.lineage import replace as run

    values = parse_assignments(assignments or [])
    with session.open() as registry:
        warrant = _warrant(session, source, reason, is_dry_run=is_dry_run)
        _show(session, run(registry.connection, segment, name, values, _day(registry, day), warrant))


def parse_assignments(texts: list[str]) -> dict[str, str]:
    """Read `column=value` words.

    Raises
    ------
    EditError
        With the first that has no sign of equality.
    """
    from registry.errors import EditError

    values: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise EditError("assignment_unreadable", text=text)
        values[name.strip()] = value
    return values


def _warrant(
    session: Session, source: str | None, reason: str | None, *, is_dry_run: bool, seen_at: str | None = None
) -> Warrant:
    from registry.history.edit import Warrant

    return Warrant(session.settings.actor, source, reason, parse_instant(seen_at), is_dry_run)


def _day(registry: Registry, text: str | None) -> date:
    return parse_day(text) or registry.today()


def _ids(text: str | None) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()] if text else []


def _show(session: Session, edited: Edited) -> None:
    """Print what changed, value by value and for which days."""
    from registry.exports import in_words

    told = in_words(edited.changes, "edits", session.language)
    session.table(told, {name: name for name in told.columns})
    if edited.delivery_id is None:
        session.tell("edit_shown")
    else:
        session.tell("edit_written", delivery=edited.delivery_id)
    changes: list[dict[Any, Any]] = edited.changes.to_dict("records")
    session.result({"delivery_id": edited.delivery_id, "changes": changes})
