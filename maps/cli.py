"""Verbs of the maps: `map` and `report`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from maps import cli_card, cli_changes, cli_dossier, cli_frontier
from registry.console import AsOf, KnownAt, Session, command, parse_day, parse_instant

if TYPE_CHECKING:
    from maps.inputs import Inputs

app = typer.Typer()
app.registered_commands.extend(cli_dossier.app.registered_commands)
app.registered_commands.extend(cli_card.app.registered_commands)
app.registered_commands.extend(cli_changes.app.registered_commands)
app.registered_commands.extend(cli_frontier.app.registered_commands)

PlanName = Annotated[
    str | None, typer.Argument(metavar="[PLAN]", help="A saved plan; the latest one by default.", show_default=False)
]
_BYTES_PER_MB = 1_000_000


@command(app, "map")
def map_plan(
    session: Session,
    plan: PlanName = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="The page to write, ending in .html.")] = Path(
        "renewal-map.html"
    ),
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> None:
    """Draw the renewal map as one page that works with no network; without a plan, the census with its scores.

    Example: digonce map plan-2027 -o renewal-map.html
    """
    from maps.plan_map import draw_map
    from registry.errors import DrawingError
    from registry.exports import check_folder

    if output.suffix.lower() not in {".html", ".htm"}:
        raise DrawingError("maps_map_suffix_unknown", path=output)
    check_folder(output)
    inputs = _load(session, plan, parse_day(as_of), parse_instant(known_at))
    drawn = draw_map(inputs, language=session.language)
    drawn.save(output)
    size = output.stat().st_size
    session.tell(
        "maps_map_written", path=output, megabytes=size / _BYTES_PER_MB, segments=drawn.counts.get("segments", 0)
    )
    session.result(
        {"path": output, "bytes": size, "plan": inputs.plan_name, "as_of": inputs.as_of, "counts": drawn.counts}
    )


@command(app, "report")
def report_overlaps(
    session: Session,
    plan: PlanName = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A file ending in .xlsx or .html, or a folder for both.")
    ] = Path("overlap-report"),
    as_of: AsOf = None,
    known_at: KnownAt = None,
) -> None:
    """Write the overlap report for the coordination meeting, as a workbook, a page, or both into a folder.

    Example: digonce report plan-2027 -o overlap-report.xlsx
    """
    from maps.report import write_report
    from registry.exports import check_folder

    check_folder(output)
    inputs = _load(session, plan, parse_day(as_of), parse_instant(known_at))
    written = write_report(inputs, output, session.language)
    for path in written:
        session.tell("maps_report_written", path=path)
    session.result({"paths": written, "plan": inputs.plan_name, "as_of": inputs.as_of})


def _load(session: Session, plan: str | None, as_of: date | None, known_at: datetime | None) -> Inputs:
    from maps.inputs import load_inputs

    with session.open() as registry:
        return load_inputs(registry, plan, as_of=as_of, known_at=known_at)


@command(app, "demo")
def demo(
    session: Session,
    out: Annotated[Path, typer.Option("--out", help="Folder for the pages and the delivery files.")] = Path("out/demo"),
    city: Annotated[
        Literal["small", "large"], typer.Option("--city", help="About 5,000 or 100,000 segments.")
    ] = "small",
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same city.")] = 1,
) -> None:
    """Do the main job on a synthetic city: take it in, score, overlap, plan, draw the map and write the report.

    Touches only the registry demo, which is made anew.

    Example: digonce demo --out out/demo --lang zh
    """
    from dataclasses import replace

    from maps.demo import REGISTRY, SIZES, run_demo
    from registry.errors import SettingsError
    from registry.settings import select_registry, selected_registry

    if session.settings.dsn:
        raise SettingsError("maps_demo_not_on_your_server")
    own = replace(session, settings=replace(session.settings, registry=REGISTRY))
    made = run_demo(own, out, SIZES[city], seed)
    if selected_registry(own.settings.home) is None:
        select_registry(own.settings.home, REGISTRY)
    session.tell("maps_demo_done", read=made["rows_read"], accepted=made["accepted"], held=made["held"])
    for path in made["files"]:
        session.tell("maps_demo_made", path=path)
    session.result(made)
