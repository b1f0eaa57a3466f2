"""The verb `doubtful-leaks`: which leaks a person should look at, and what they may have been of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from planner.cli_job import PolicyPath, link_places, open_job, read_gone, read_lineage
from planner.cli_tables import in_words
from registry.console import AsOf, KnownAt, Output, Session, command

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

app = typer.Typer()
_SHOWN: Final = 40


@command(app, "doubtful-leaks")
def doubtful_leaks(
    session: Session,
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """List the leaks whose segment is in doubt, with all candidates; `digonce leak` records what the crew found.

    Example: digonce doubtful-leaks -o doubtful.xlsx
    """
    from planner.doubt import doubtful_leaks as find
    from registry.exports import check_output, write_table

    if output is not None:
        check_output(output)
    with open_job(session, policy, as_of, known_at) as job:
        segments, leaks = job.segments(), job.frame("leaks")
        with job.step("plan_step_link"):
            links, _ = link_places(job, segments, leaks, read_lineage(job), read_gone(job))
        doubtful = find(links, leaks, job.policy)
    candidates = links[links["leak_id"].isin(doubtful.index)]
    if output is not None:
        write_table(_with_place(doubtful, leaks), output, "doubtful_leaks", session.language)
        session.tell_written(output, len(doubtful))
    else:
        _show(session, doubtful.head(_SHOWN), candidates, leaks)
        if len(doubtful) > _SHOWN:
            session.tell("change_more", count=len(doubtful) - _SHOWN)
    session.tell("plan_doubtful", count=len(doubtful), leaks=len(leaks))
    told = {str(leak): _ranked(mine).to_dict("records") for leak, mine in candidates.groupby("leak_id")}
    listed = [
        {"leak_id": leak, "reason": reason, "candidates": told.get(str(leak), [])}
        for leak, reason in doubtful["reason"].items()
    ]
    session.result({"as_of": job.as_of, "leak_count": len(leaks), "doubtful": listed})


def _with_place(doubtful: pd.DataFrame, leaks: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add the places of the leaks, for formats of maps."""
    import geopandas as gpd

    return gpd.GeoDataFrame(doubtful, geometry=leaks.geometry.reindex(doubtful.index), crs=leaks.crs)


def _ranked(links: pd.DataFrame) -> pd.DataFrame:
    columns = ["segment_id", "probability", "distance_m", "measure_m"]
    return links.sort_values(["probability", "segment_id"], ascending=[False, True])[columns]


def _show(session: Session, doubtful: pd.DataFrame, candidates: pd.DataFrame, leaks: gpd.GeoDataFrame) -> None:
    """Print one line for each leak: day, reason, candidates from the likeliest on."""
    share = candidates["probability"].map("{:.0%}".format).astype("str")
    told = candidates.assign(said=candidates["segment_id"] + " " + share)
    order = told.sort_values(["probability", "segment_id"], ascending=[False, True])
    said = order.groupby("leak_id")["said"].agg(", ".join)
    days = leaks["leaked_on"].reindex(doubtful.index).dt.strftime("%Y-%m-%d")
    rows = (
        doubtful[["reason"]]
        .assign(day=days, candidates=said.reindex(doubtful.index).astype("str").fillna("—"))
        .reset_index()
    )
    words = in_words(rows[["leak_id", "day", "candidates", "reason"]], {"reason": "doubt_reason"}, session.language)
    headings: dict[str, Any] = {name: session.say(f"plan_heading_doubtful_{name}") for name in words.columns}
    session.table(words, headings, session.say("plan_title_doubtful"), whole=["leak_id"])
