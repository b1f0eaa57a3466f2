"""The verb `gbt27512`: what is known of buried steel gas pipes by the rows of the national standard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from planner.cli_job import SEGMENT_COLUMNS, PolicyPath, open_job
from planner.cli_tables import in_words, told
from registry.catalogue import or_dash
from registry.console import AsOf, KnownAt, Output, Session, command

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from planner.gbt27512 import View

app = typer.Typer()


@command(app, "gbt27512")
def gbt27512(
    session: Session,
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Show buried steel gas pipes by GB/T 27512-2011: points by row, and a level only where no row is missing.

    An XLSX file gets two sheets, segments and rows; other files get the segments.

    Example: digonce gbt27512 --as-of 2026-11-01 -o gbt27512.xlsx
    """
    from planner.gbt27512 import gbt27512_view
    from planner.surroundings import Near
    from registry.exports import check_output

    if output is not None:
        check_output(output)
    with open_job(session, policy, as_of, known_at) as job:
        segments = job.frame("segments", [*SEGMENT_COLUMNS, "laying", "owner"])
        near = Near(
            job.frame("buildings", ["use", "floor_count", "household_count", "geometry"]),
            job.frame("context", ["kind", "geometry"]),
        )
        with job.step("plan_step_score"):
            view = gbt27512_view(segments, near, job.policy, job.as_of)
        day = job.as_of
    rows = _by_row(view.rows)
    summary = view.summary
    facts = {
        "applicable_count": int(summary["is_applicable"].sum()),
        "level_count": int(summary["level"].notna().sum()),
        "why_not": summary["why_not"].value_counts().to_dict(),
    }
    _show(session, rows)
    session.tell("plan_gbt27512", segments=len(summary), count=facts["applicable_count"], levels=facts["level_count"])
    if output is not None:
        _write(view, output, session)
        session.tell("written", file=output)
    session.result({"as_of": day, **facts, "rows": told(rows)})


def _by_row(rows: pd.DataFrame) -> pd.DataFrame:
    """Return for each row of the standard how many segments have points, and how many on average."""
    keys = ["part", "row_code", "row_label_en", "row_label_zh", "maximum", "confidence"]
    grouped = rows.groupby(keys, sort=False)
    table = grouped.agg(
        known_count=("points", "count"), mean_points=("points", "mean"), why_missing=("why_missing", "first")
    )
    return table.reset_index()


def _show(session: Session, rows: pd.DataFrame) -> None:
    from registry.fields import fields

    words = in_words(rows, {"why_missing": "gbt27512_missing"}, session.language)
    words["mean_points"] = [or_dash(points, ".1f") for points in rows["mean_points"]]
    words["why_missing"] = words["why_missing"].fillna("")
    declared = fields()["gbt27512_view"]
    label = f"row_label_{session.language}"
    headings = {"part": declared["part"].label(session.language), label: session.say("plan_heading_gbt27512_row")}
    headings |= {
        "known_count": session.say("plan_heading_segment_count"),
        "mean_points": session.say("plan_heading_mean"),
    }
    headings |= {name: declared[name].label(session.language) for name in ("maximum", "why_missing")}
    session.table(words, headings, session.say("plan_title_gbt27512"))


def _write(view: View, path: Path, session: Session) -> None:
    from registry.exports import write_table, write_workbook

    if path.suffix.lower() != ".xlsx":
        write_table(view.summary, path, "gbt27512_summary", session.language)
        return
    frames = {
        session.say("plan_sheet_segments"): ("gbt27512_summary", view.summary.reset_index()),
        session.say("plan_sheet_rows"): ("gbt27512_view", view.rows),
    }
    write_workbook(frames, path, session.language)
