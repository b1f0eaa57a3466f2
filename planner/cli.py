"""The verb `score`, and how results of the planner are written to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from planner.cli_job import PolicyPath, open_job, policy_facts, score_city, tell_unverified
from planner.cli_methane import methane_of, show_methane
from planner.cli_ranking import ForceModel, ModelName, ranking_of, tell_evidence, tell_ranking
from planner.cli_reasons import usual_facts
from planner.cli_tables import show_risk, show_scores, told
from registry.console import AsOf, KnownAt, Output, Session, command
from registry.runs import check_run_name

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

app = typer.Typer()
_OF_THE_PIPE: Final = ("tier", "material", "street_name")


@command(app, "score")
def score(
    session: Session,
    policy: PolicyPath = None,
    save: Annotated[
        str | None,
        typer.Option("--save", metavar="NAME", help="Keep the scores under this name, to compare them later."),
    ] = None,
    model: ModelName = "auto",
    is_forced: ForceModel = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Score every segment: policy class, likelihood, consequence and grade, with every contribution.

    A learned model ranks only where the last back-test opened the gate for it; else the default does.

    Example: digonce score --as-of 2026-11-01 -o risk.xlsx
    """
    from planner.risk_summary import risk_by_medium, risk_matrix
    from planner.summaries import by_tier

    check_output_path(output)
    check_run_name(save)
    with open_job(session, policy, as_of, known_at) as job:
        ranking = ranking_of(job, model, is_forced=is_forced)
        segments = job.segments()
        leaks = job.frame("leaks")
        made = score_city(job, segments, leaks, ranking, stores_beside=True)
        scores, links = made["scores"], made["leak_links"]
        classes, grades = (by_tier(scores, segments, column) for column in ("policy_class", "grade"))
        media, matrix = risk_by_medium(scores, segments), risk_matrix(scores, segments, job.policy.weights.matrix)
        methane = methane_of(job, made)
        summary = {
            "segment_count": len(scores),
            "km": float(scores["length_m"].sum() / 1000.0),
            "leak_count": len(leaks),
            "leak_link_count": len(links),
            "classes": classes.to_dict("records"),
            "grades": grades.to_dict("records"),
            "risk": told(media),
            "matrix": told(matrix),
            "methane": methane,
            "ranking": ranking.facts(),
            **policy_facts(job.policy),
        }
        run = job.save("score", save, made, summary | {"usual": usual_facts(scores, segments["medium"])})
        if output is not None:
            write_result(_with_pipes(scores, segments, output), output, "scores", session, segments)
    show_scores(session, classes, grades)
    show_risk(session, media, matrix)
    show_methane(session, methane)
    counts = {name: summary[f"{name}_count"] for name in ("segment", "leak_link", "leak")}
    session.tell("plan_scored", **counts, km=summary["km"], as_of=job.as_of, run=run)
    tell_ranking(session, ranking.facts())
    tell_evidence(session)
    tell_unverified(session, job.policy)
    session.result({"run_id": run, "name": save, "as_of": job.as_of, **summary})


def _with_pipes(scores: pd.DataFrame, segments: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Put in tables for people what the pipe is before its scores; files for programs keep to the contract."""
    if path.suffix.lower() not in {".csv", ".xlsx"}:
        return scores
    return segments[list(_OF_THE_PIPE)].reindex(scores.index).join(scores)


def check_output_path(output: Path | None) -> None:
    """Refuse a file that cannot be written before a long run."""
    from registry.exports import check_output

    if output is not None:
        check_output(output)


def write_result(table: pd.DataFrame, path: Path, contract: str, session: Session, shapes: gpd.GeoDataFrame) -> None:
    """Write a result; formats for maps get the geometry of the rows."""
    import geopandas as gpd

    from registry.exports import write_table

    if path.suffix.lower() in {".gpkg", ".geojson", ".parquet"}:
        keys = table["segment_id"] if "segment_id" in table.columns else table.index
        table = gpd.GeoDataFrame(table, geometry=shapes.geometry.reindex(keys).array, crs=shapes.crs)
    write_table(table, path, contract, session.language)
    session.tell_written(path, len(table))
