"""The verb `compare`: two saved plans side by side, as tables and as a map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from registry.console import Output, Session, command

if TYPE_CHECKING:
    import pandas as pd

    from maps.changes import Comparison

app = typer.Typer()
_SHOWN: Final = 15
_BY_YEAR: Final = frozenset({"year", "budget", "cost", "value"})


@command(app, "compare")
def compare(
    session: Session,
    before: Annotated[str, typer.Argument(metavar="PLAN", help="Name of a saved plan.")],
    after: Annotated[str, typer.Argument(metavar="PLAN", help="Name of the plan that it is compared with.")],
    output: Output = None,
) -> None:
    """Compare two saved plans: what is added, dropped and moved and why, the figures of both, and what they differ in.

    XLSX has sheets for figures, segments and batches, CSV and GPKG the segments; HTML is a map with the tables that
    works with no network.

    Example: digonce compare plan-2027 plan-2027-b -o changes.html
    """
    from maps.changes import load_comparison
    from registry.exports import PAGE_SUFFIXES, SUFFIXES, check_output

    is_page = output is not None and output.suffix.lower() in PAGE_SUFFIXES
    if output is not None:
        check_output(output, (*SUFFIXES, *PAGE_SUFFIXES))
    with session.open() as registry:
        compared = load_comparison(registry, before, after)
        if is_page and output is not None:
            from maps.changes_map import draw_changes
            from maps.inputs import load_inputs

            draw_changes(load_inputs(registry, after), compared, language=session.language).save(output)
    if output is not None:
        if not is_page:
            _write(session, compared, output)
        session.tell("compare_plans_written", path=output)
    _show(session, compared)
    _result(session, compared, output)


def _show(session: Session, compared: Comparison) -> None:
    """Print what the plans were made with otherwise, kilometres by change, figures, and the batches that change."""
    from maps.changes import difference_frame
    from planner.cli_said import show_frame
    from planner.cli_tables import headings_of, in_words
    from planner.plan_changes import moves_by_km
    from registry.fields import fields

    changes = compared.changes[session.language]
    differences = difference_frame(compared, session.language)
    if differences.empty:
        session.tell("compare_plans_same")
    else:
        show_frame(session, differences, "plan_differences", session.say("compare_plans_differences"))
    label = {name: fields()["plan_changes"][name].label(session.language) for name in ("move", "tier")}
    moves = in_words(moves_by_km(changes.segments), {"move": "plan_move", "tier": "tier"}, session.language)
    session.table(moves, label | headings_of(session, "segment_count", "km"), session.say("compare_plans_km"))
    _show_figures(session, compared)
    if compared.is_weighted:
        session.warn("compare_plans_weighted")
    columns = [name for name in changes.years if str(name).split("_")[0] in _BY_YEAR]
    by_year = changes.years.loc[changes.years["year"].notna(), columns]
    show_frame(session, by_year, "plan_change_years", session.say("compare_plans_years"))
    _show_batches(session, changes.batches)


def _show_figures(session: Session, compared: Comparison) -> None:
    import pandas as pd

    from maps.changes import whole_figures

    rows = [{name: words[session.language] for name, words in row.items()} for row in whole_figures(compared)]
    codes = {"label": "figure", "before": "side_before", "after": "side_after"}
    headings = {name: session.say(f"maps_compare_{code}") for name, code in codes.items()}
    session.table(pd.DataFrame(rows, dtype="str"), headings, session.say("maps_compare_figures"))


def _show_batches(session: Session, batches: pd.DataFrame) -> None:
    from planner.cli_said import show_frame

    changed = batches[batches["move"] != "unchanged"].sort_values(["move", "length_m"], ascending=[True, False])
    names = ["label", "move", "year_before", "year_after", "length_m", "reason_before", "reason_after"]
    if len(changed):
        title = session.say("compare_plans_batches")
        show_frame(session, changed.head(_SHOWN)[names], "batch_changes", title)
    if len(changed) > _SHOWN:
        session.tell("compare_plans_more", count=len(changed) - _SHOWN)
    session.tell("compare_plans_unchanged", count=len(batches) - len(changed))


def _write(session: Session, compared: Comparison, path: Path) -> None:
    """Write the tables by the suffix of the file."""
    import geopandas as gpd

    from maps.changes import difference_frame
    from registry.exports import write_table, write_workbook

    changes, language = compared.changes[session.language], session.language
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        sheets = {
            "summary": ("plan_change_years", changes.years),
            "tiers": ("plan_change_tiers", changes.tiers),
            "segments": ("plan_changes", changes.segments),
            "batches": ("batch_changes", changes.batches),
            "settings": ("plan_differences", difference_frame(compared, language)),
        }
        write_workbook(
            {session.say(f"compare_plans_sheet_{name}"): sheet for name, sheet in sheets.items()}, path, language
        )
        return
    table: pd.DataFrame = changes.segments
    if suffix in {".gpkg", ".geojson", ".parquet"}:
        shapes = compared.segments.geometry.reindex(table.index).array
        table = gpd.GeoDataFrame(table, geometry=shapes, crs=compared.segments.crs)
    write_table(table, path, "plan_changes", language)


def _result(session: Session, compared: Comparison, output: Path | None) -> None:
    from planner.cli_tables import told
    from planner.plan_changes import moves_by_km

    if not session.is_json:
        return
    changes = compared.changes[session.language]
    session.result(
        {
            "plans": list(compared.names),
            "file": output,
            "differences": [dict(zip(("key", "before", "after"), row, strict=True)) for row in compared.differences],
            "stamps": dict(compared.stamps),
            "moves": told(moves_by_km(changes.segments)),
            "years": told(changes.years),
            "tiers": told(changes.tiers),
            "batches": told(changes.batches.reset_index()),
            "segments": told(changes.segments.reset_index()),
        }
    )
