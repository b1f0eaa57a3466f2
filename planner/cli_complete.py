"""The verb `complete`: a batch of a plan is built, and the registry says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.console import Session, command, parse_day

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from registry.history.edit import Edited
    from registry.history.lineage import Renewal
    from registry.store import Registry

app = typer.Typer()


@command(app, "complete")
def complete(
    session: Session,
    plan: Annotated[str, typer.Argument(help="Name of the saved plan.")],
    batch: Annotated[str, typer.Argument(help="Id of the batch that is built.")],
    day: Annotated[str | None, typer.Option("--on", help="Day on which it was completed; today by default.")] = None,
    material: Annotated[str | None, typer.Option("--material", help="Material of the new pipes.")] = None,
    diameter_mm: Annotated[
        str | None, typer.Option("--diameter-mm", help="Diameter of the new pipes; by default that of the old.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", help="CSV or XLSX with segment_id, new_segment_id where you have one, and values by our names."
        ),
    ] = None,
    is_partial: Annotated[
        bool, typer.Option("--only-file", help="Only the segments of --file are built so far.")
    ] = False,
    source: Annotated[str | None, typer.Option("--source", help="On whose word: as-built drawings, a crew.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, in words.")] = None,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
) -> None:
    """Write the renewals of a built batch into the registry: new pipes in the place of the old, and progress reported.

    What became of segments since the plan was made is followed; those that were renewed already are left as they are.

    Example: digonce complete plan-2027 B-0a1b2c3d4e --on 2027-06-30 --material pe100 --source "as-built 17"
    """
    from registry.errors import UsageError
    from registry.history.completion import complete as run
    from registry.history.edit import Warrant

    if is_partial and file is None:
        raise UsageError("complete_without_file")
    given = {name: text for name, text in (("material", material), ("diameter_mm", diameter_mm)) if text is not None}
    with session.open() as registry:
        on = parse_day(day) or registry.today()
        saved = registry.load_run("plan", plan, ["batch_segments"])
        _warn_of_state(session, registry, saved, on)
        renewals, completion, gone = _prepare(registry, saved, batch, on, given, file, is_partial=is_partial)
        warrant = Warrant(session.settings.actor, source, reason, is_dry_run=is_dry_run)
        edited = run(registry.connection, completion, renewals, on, warrant)
    _tell(session, edited, batch, renewals, completion.km_done, gone)


def _warn_of_state(session: Session, registry: Registry, saved: Any, day: date) -> None:  # noqa: ANN401 - the saved plan
    """Say so where the plan was not adopted by that day: what is built is true, but no task asked for it."""
    from registry.fields import value_list
    from registry.history.programme import DRAFT, PROPOSED

    states = registry.frame("plan_states", ["state"], as_of=day)
    state = str(states["state"].get(saved.run_id, DRAFT))
    if state in {DRAFT, PROPOSED}:
        label = value_list("plan_state")[state].label(session.language)
        session.warn("complete_not_adopted", plan=saved.name, state=label, day=day)


def _prepare(
    registry: Registry,
    saved: Any,  # noqa: ANN401 - the saved plan
    batch: str,
    day: Any,  # noqa: ANN401 - a day
    given: dict[str, str],
    file: Path | None,
    *,
    is_partial: bool,
) -> tuple[list[Renewal], Any, int]:
    """Return what is renewed as what, what is reported of it, and how many segments were renewed before."""
    from registry.errors import EditError, NotFoundError
    from registry.history.completion import Completion, renewed_ids
    from registry.history.lineage import Renewal

    members = saved.frames["batch_segments"]
    planned = members.index[members["batch_id"] == batch]
    if not len(planned):
        raise NotFoundError("plan_has_no_batch", plan=saved.name, batch=batch)
    today, gone = _segments_now(registry, planned, day)
    stated = _stated(file, today)
    if is_partial:
        today = today.loc[[name for name in today.index if name in stated]]
    if today.empty:
        raise EditError("complete_nothing_left", batch=batch)
    ids = renewed_ids(registry.connection, list(today.index), day)
    renewals = []
    for name in today.index:
        values = given | stated.get(name, {})
        new_id = values.pop("new_segment_id", "") or ids[name]
        renewals.append(Renewal(name, new_id, values))
    completion = Completion(
        saved.name,
        batch,
        tuple(today["planned_id"]),
        float(today["length_m"].sum() / 1000.0),
        is_whole=not is_partial,
        owner=registry.acting.organisation,
    )
    return renewals, completion, gone


def _segments_now(registry: Registry, planned: Any, day: Any) -> tuple[pd.DataFrame, int]:  # noqa: ANN401 - ids, a day
    """Return the segments that lie there now for those that were planned, and how many of these are gone."""
    import pandas as pd

    from planner.successors import last_segments
    from registry.history.retired import read_successions

    known = registry.frame("segments", ["length_m"], as_of=day)
    here = planned.intersection(known.index)
    lost = planned.difference(known.index)
    followed = last_segments(lost, read_successions(registry.connection, day), known.index)
    rows = pd.concat(
        [
            pd.DataFrame({"planned_id": here, "segment_id": here}, dtype="str"),
            followed.rename(columns={"first_id": "planned_id"}),
        ]
    ).drop_duplicates("segment_id")
    gone = len(lost) - followed["first_id"].nunique()
    rows = rows.set_index("segment_id").sort_index()
    return rows.assign(length_m=known["length_m"].reindex(rows.index)), gone


def _stated(file: Path | None, today: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Read the values of single segments.

    Raises
    ------
    EditError
        Where the file has no `segment_id`, or names one that is not of the batch.
    """
    from registry.errors import EditError, FileFaultError

    if file is None:
        return {}
    import pandas as pd

    if file.suffix.lower() == ".xlsx":
        table = pd.read_excel(file, dtype="str")
    elif file.suffix.lower() == ".csv":
        table = pd.read_csv(file, dtype="str", encoding="utf-8-sig")
    else:
        raise FileFaultError("output_format_unknown", file=file.name, suffixes=".csv .xlsx")
    if "segment_id" not in table.columns or table["segment_id"].isna().any() or table["segment_id"].duplicated().any():
        raise EditError("complete_file_without_ids", file=file.name)
    strangers = table.loc[~table["segment_id"].isin(today.index), "segment_id"]
    if len(strangers):
        raise EditError("complete_file_foreign", file=file.name, segments=", ".join(strangers.head(5)))
    rows = table.set_index("segment_id").to_dict("index")
    return {
        str(name): {str(column): str(value) for column, value in row.items() if isinstance(value, str)}
        for name, row in rows.items()
    }


def _tell(session: Session, edited: Edited, batch: str, renewals: list[Renewal], km: float, gone: int) -> None:
    facts = {"batch": batch, "count": len(renewals), "km": km}
    if edited.delivery_id is None:
        session.tell("complete_shown", **facts)
    else:
        session.tell("complete_written", delivery=edited.delivery_id, **facts)
    if gone:
        session.tell("complete_gone", count=gone)
    renewed = {renewal.segment_id: renewal.new_id for renewal in renewals}
    session.result({"delivery_id": edited.delivery_id, "batch_id": batch, "km": km, "renewed": renewed, "gone": gone})
