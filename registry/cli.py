"""Verbs of the registry: a new registry, a synthetic city, deliveries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from registry import cli_decide, cli_edit, cli_history, cli_stale
from registry.cli_db import db
from registry.cli_member import member
from registry.console import Output, Session, command, parse_day
from registry.kinds import KINDS, Kind, kind_named

app = typer.Typer()
_SHOWN_OF_A_DELIVERY = ("action", "state", "kind", "file_name", "actor", "received_at", "rows_read", "rows_held")
# without those that the id tells (the day) or that can be looked up with --json
_SHOWN_WHERE_NARROW = ("state", "kind", "file_name", "rows_read", "rows_held")
_NEVER_FOLDED = frozenset({"delivery_id", "received_at", "state"})
_WIDE = 120
app.add_typer(db, name="db")
app.add_typer(member, name="member")
app.registered_commands.extend(cli_history.app.registered_commands)
app.registered_commands.extend(cli_edit.app.registered_commands)
app.registered_commands.extend(cli_stale.app.registered_commands)
app.registered_commands.extend(cli_decide.app.registered_commands)


@command(app, "init")
def init(
    session: Session,
    crs: Annotated[str, typer.Option("--crs", help="Working CRS, projected, in metres: EPSG:4549.")],
    name: Annotated[str, typer.Option("--name", help="Name of the city, as it stands on maps.")],
    timezone: Annotated[str, typer.Option("--timezone", help="Time zone of days and years.")] = "Asia/Shanghai",
) -> None:
    """Make a new, empty registry.

    Example: digonce init --registry zhaoyuan --crs EPSG:4549 --name 招远
    """
    from dataclasses import asdict

    from registry.lifecycle import initialise, missing_roles

    made = initialise(session.settings, crs=crs, city=name, timezone=timezone)
    session.tell("registry_made", name=made.name, city=made.city, srid=made.srid)
    if missing := missing_roles(session.settings):
        session.warn("roles_absent", statements=" ".join(missing))
    session.result(asdict(made))


@command(app, "use")
def use(
    session: Session, name: Annotated[str, typer.Argument(help="Registry that commands work on from now on.")]
) -> None:
    """Choose the registry that commands work on when none is named.

    Example: digonce use zhaoyuan
    """
    from registry.cluster import Cluster
    from registry.errors import NotFoundError
    from registry.settings import check_registry_name, select_registry

    check_registry_name(name)
    if not session.settings.dsn:
        cluster = Cluster(session.settings.home)
        cluster.up()
        if name not in cluster.databases():
            raise NotFoundError("registry_unknown", name=name, names=", ".join(cluster.databases()) or "—")
    select_registry(session.settings.home, name)
    session.tell("registry_selected", name=name)
    session.result({"registry": name})


@command(app, "doctor")
def doctor(session: Session) -> None:
    """Say what is installed, reachable, missing or clashing, and how to mend it.

    Example: digonce doctor
    """
    from registry.doctor import examine

    findings = examine(session.settings)
    for finding in findings:
        mark = {"good": "✓", "bad": "✗", "note": "·"}[finding.state]
        if not session.is_json:
            typer.echo(f"{mark} {session.say(finding.code, **finding.parameters)}")
    is_well = all(finding.state != "bad" for finding in findings)
    session.result(
        {
            "is_well": is_well,
            "findings": [
                {"state": f.state, "code": f.code, "message": session.say(f.code, **f.parameters)} for f in findings
            ],
        }
    )
    if not is_well:
        raise typer.Exit(1)


@command(app, "make-city")
def make_city(
    session: Session,
    segments: Annotated[
        int, typer.Option("--segments", min=200, max=2_000_000, help="About how many segments.")
    ] = 5000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same city.")] = 1,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the delivery files.")] = Path("city"),
) -> None:
    """Make a synthetic city as the delivery files that a city would hand over.

    The truth behind it (true materials, hazards, which leak belongs where) is written to truth/ beside them.

    Example: digonce make-city --segments 5000 --seed 1 -o city
    """
    from registry.city import make_city as make
    from registry.city import write_city

    city = make(segments, seed)
    paths = write_city(city, output)
    session.tell("city_made", count=len(city.segments), folder=output, files=len(paths))
    session.result({"segments": len(city.segments), "seed": seed, "files": [str(path) for path in paths]})


@command(app, "import")
def import_(
    session: Session,
    kind: Annotated[
        str,
        typer.Argument(help=", ".join(KINDS)),
    ],
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, GPKG, SHP, GeoJSON or Parquet.")],
    map_path: Annotated[Path | None, typer.Option("--map", help="Mapping file (TOML).")] = None,
    crs: Annotated[str | None, typer.Option("--crs", help="CRS of the file, where it does not say.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Where the data come from, in words.")] = None,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only; write nothing.")] = False,
    is_strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where any row is held back.")] = False,
    draft_map: Annotated[
        Path | None,
        typer.Option("--draft-map", help="Propose a mapping file and stop; --map gives its [source]."),
    ] = None,
    received_on: Annotated[
        str | None, typer.Option("--received-on", help="Day of the delivery; later dates in it are faults.")
    ] = None,
    is_accepted: Annotated[
        bool, typer.Option("--accept", help="Let changes of what is known count at once, without a review.")
    ] = False,
    valid_from: Annotated[
        str | None, typer.Option("--valid-from", help="Day from which its changes are true; else they correct.")
    ] = None,
    moved_m: Annotated[
        float | None, typer.Option("--moved-m", min=0.0, help="Distance from which a course counts as moved; 1 m.")
    ] = None,
) -> None:
    """Take one delivered file in: sound rows go in, faulty ones are held back with their reasons.

    A file that would change what is known waits with a change report: see `digonce changes` and `digonce accept`.
    The same file, kind, mapping, CRS and --valid-from twice changes nothing.

    Example: digonce import segments census.gpkg --source "2025 census, district 3"
    """
    chosen, today, since = kind_named(kind), parse_day(received_on), parse_day(valid_from)
    if draft_map is not None:
        _draft(session, chosen, file, draft_map, map_path)
        return
    from registry.intake.receipt import print_receipt

    with session.open() as registry, session.steps() as report:
        receipt = registry.import_file(
            kind,
            file,
            map_path=map_path,
            crs=crs,
            source=source,
            today=today,
            is_dry_run=is_dry_run,
            is_accepted=is_accepted,
            valid_from=since,
            moved_m=moved_m,
            report=report,
        )
    print_receipt(session, receipt)
    if is_strict and receipt.held:
        raise typer.Exit(1)


def _draft(session: Session, kind: Kind, file: Path, target: Path, map_path: Path | None) -> None:
    from registry.intake.draft import draft_mapping
    from registry.intake.mapping import read_mapping

    lines = draft_mapping(kind.name, file, target, read_mapping(map_path, kind).source)
    session.tell("mapping_drafted", file=target, count=lines)
    session.result({"mapping": str(target), "columns": lines})


@command(app, "deliveries")
def deliveries(session: Session) -> None:
    """List what came in, newest first.

    Example: digonce deliveries
    """
    import pandas as pd

    from registry.exports import in_words

    with session.open() as registry:
        rows = registry.deliveries()
        timezone = registry.timezone
    shown = ("delivery_id", *(_SHOWN_OF_A_DELIVERY if session.columns >= _WIDE else _SHOWN_WHERE_NARROW))
    local = pd.to_datetime(rows["received_at"], utc=True).dt.tz_convert(timezone).dt.strftime("%Y-%m-%d %H:%M")
    told = in_words(rows.assign(received_at=local)[list(shown)], "deliveries", session.language)
    whole = [heading for heading, name in zip(told.columns, shown, strict=True) if name in _NEVER_FOLDED]
    session.table(told, {name: name for name in told.columns}, whole=whole)
    session.result({"deliveries": rows.to_dict("records")})


@command(app, "held")
def held(
    session: Session,
    delivery: Annotated[str, typer.Argument(help="Id of the delivery, as `digonce deliveries` shows it.")],
    output: Output = None,
) -> None:
    """List the held-back rows of a delivery with reason, value and offered mend.

    Example: digonce held D20261101-1a2b3c4d -o held.xlsx
    """
    from registry.intake.receipt import held_table, write_held

    with session.open() as registry:
        faults = registry.held(delivery)
    if output is not None:
        write_held(faults, output, session.language)
        session.tell("written", file=output)
    else:
        table, headings = held_table(faults, session)
        session.table(table, headings)
    session.result({"delivery_id": delivery, "held": faults.drop(columns="parameters").to_dict("records")})
