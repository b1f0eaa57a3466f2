"""The verb `overlap`: what renewal and other works have in common in space, time and money, for the meeting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from planner.cli_job import (
    Job,
    PolicyPath,
    YearsText,
    check_years,
    open_job,
    policy_facts,
    read_lineage,
    score_city,
    tell_unverified,
)
from planner.cli_ranking import ranking_of, tell_ranking
from planner.cli_tables import show_dearest, show_kinds, show_relations, warn_of_seasons
from registry.console import AsOf, KnownAt, Output, Session, command, parse_years

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.meeting import City, Prepared

app = typer.Typer()
# so many of the dearest pairs have every term of their amounts in the workbook
EXPLAINED: Final = 200
_MAP_SUFFIXES: Final = frozenset({".gpkg", ".geojson", ".parquet"})


def read_city(job: Job, segments: gpd.GeoDataFrame) -> City:
    """Read what a meeting needs besides the segments."""
    from planner.meeting import City

    kinds = ("roads", "pavements", "projects", "moratoria", "decisions")
    found = {kind: job.frame(kind) for kind in kinds}
    return City(segments=segments, successions=read_lineage(job), **found)


@command(app, "overlap")
def overlap(
    session: Session,
    years: YearsText,
    share_rule: Annotated[
        str, typer.Option("--share-rule", help="How a joint cost is split: proportional, trench_and_surface, shapley.")
    ] = "proportional",
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Find where segments and projects meet, when they could be done together, what that saves, and what is locked.

    The pairs are sorted by what is at stake. XLSX has sheets by pair, project, street and year, with every term of the
    dearest pairs; GPKG and GeoJSON have the lines of the segments.

    Example: digonce overlap --years 2027-2031 -o overlaps.xlsx
    """
    from planner.meeting import prepare_meeting, prepare_pairs
    from planner.summaries import by_project_kind, by_relation
    from registry.errors import PlanningError, UsageError
    from registry.exports import check_output
    from registry.fields import value_list

    if output is not None:
        check_output(output)
    if share_rule not in value_list("share_rule"):
        raise UsageError("plan_share_rule_unknown", rule=share_rule, known=", ".join(value_list("share_rule")))
    wanted = parse_years(years)
    with open_job(session, policy, as_of, known_at) as job:
        check_years(wanted, job.as_of)
        with job.step("plan_step_read"):
            segments = job.segments()
            city = read_city(job, segments)
        if city.projects.empty:
            raise PlanningError("plan_no_projects", as_of=job.as_of)
        ranking = ranking_of(job)
        scores = score_city(job, segments, job.frame("leaks"), ranking)["scores"]
        with job.step("plan_step_overlap"):
            pairs = prepare_pairs(city, wanted, job.policy)
        with job.step("plan_step_meeting"):
            made = prepare_meeting(city, scores, pairs, job.policy, job.as_of, latest_plan(job))
        kinds, relations = by_project_kind(pairs, segments), by_relation(made.table)
        summary = _summary(made, wanted, kinds, relations, job) | {"ranking": ranking.facts()}
        with job.step("plan_step_write"):
            run = job.save("overlap", None, meeting_frames(made), summary)
            if output is not None:
                _write(job, city, scores, made, output, share_rule)
    show_kinds(session, kinds)
    show_relations(session, relations)
    show_dearest(session, made.table)
    seasons = warn_of_seasons(session, made.table)
    _tell(session, summary, run)
    tell_unverified(session, job.policy)
    if output is not None:
        session.tell_written(output, max(len(made.table), len(made.neighbours)))
    if session.is_json:
        session.result(
            {"run_id": run, "as_of": job.as_of, **summary, "seasons": seasons, "pairs": made.table.to_dict("records")}
        )


def _tell(session: Session, summary: dict[str, Any], run: str) -> None:
    session.tell(
        "plan_overlapped",
        pairs=summary["pair_count"],
        segments=summary["segment_count"],
        projects=summary["project_count"],
        km=summary["km"],
        meeting=summary["meeting_pair_count"],
        meeting_km=summary["meeting_km"],
        first=summary["years"][0],
        last=summary["years"][-1],
        run=run,
    )
    tell_ranking(session, summary["ranking"])


def meeting_frames(made: Prepared) -> dict[str, pd.DataFrame]:
    """Return what a run keeps of a meeting: the pairs with their times, values and neighbours."""
    return {
        "pairs": made.pairs,
        "pair_times": made.pair_times,
        "pair_values": made.pair_values,
        "neighbours": made.neighbours,
    }


def latest_plan(job: Job) -> pd.DataFrame | None:
    """Return the frame `batch_segments` of the plan that was made last, or None where there is none."""
    from registry.errors import NotFoundError

    try:
        found: pd.DataFrame = job.registry.load_run("plan", None).frames["batch_segments"]
    except NotFoundError:
        return None
    return found


def _summary(made: Prepared, years: range, kinds: pd.DataFrame, relations: pd.DataFrame, job: Job) -> dict[str, Any]:
    pairs = made.pairs
    meeting = pairs["meets_years"].to_numpy(dtype=bool)
    return {
        "years": list(years),
        "pair_count": len(pairs),
        "segment_count": int(pairs["segment_id"].nunique()),
        "project_count": int(pairs["project_id"].nunique()),
        "neighbour_count": len(made.neighbours),
        "km": float(pairs["overlap_m"].sum() / 1000.0),
        "meeting_pair_count": int(meeting.sum()),
        "meeting_km": float(pairs["overlap_m"][meeting].sum() / 1000.0),
        "saving_cny": float(made.table["saving_cny"].sum()),
        "at_stake_cny": float(made.table["at_stake_cny"].sum()),
        "kinds": kinds.to_dict("records"),
        "relations": relations.to_dict("records"),
        **policy_facts(job.policy),
    }


def _write(job: Job, city: City, scores: pd.DataFrame, made: Prepared, path: Path, share_rule: str) -> None:
    """Write the table by the suffix of the file."""
    import geopandas as gpd

    from planner.meeting_words import in_ban_words
    from registry.exports import TABLE_SUFFIXES, write_table, write_workbook

    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        write_workbook(workbook_sheets(job, city, scores, made, share_rule), path, job.session.language)
        return
    table = made.table
    if suffix in _MAP_SUFFIXES:
        shapes = city.segments.geometry.reindex(table["segment_id"]).array
        table = gpd.GeoDataFrame(table, geometry=shapes, crs=city.segments.crs)
    elif suffix in TABLE_SUFFIXES:
        table = in_ban_words(table, job.policy, job.session.language)
    write_table(table, path, "overlap_table", job.session.language)


def workbook_sheets(
    job: Job, city: City, scores: pd.DataFrame, made: Prepared, share_rule: str
) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return the sheets of the workbook: title -> contract and frame."""
    import pandas as pd

    from planner.ground import road_classes
    from planner.meeting_words import in_ban_words, party_words
    from planner.overlap_table import by_project, by_street, by_year
    from planner.sharing import share_costs, site_costs
    from planner.value_steps import explain_pairs

    keys = ["segment_id", "project_id"]
    dearest = made.pairs.reset_index().merge(made.table[keys].head(EXPLAINED), on=keys)
    steps = explain_pairs(
        city.segments,
        scores,
        made.pairs,
        made.pair_times,
        city.projects,
        job.policy,
        job.as_of,
        road_classes=road_classes(city.segments, city.roads),
        only=pd.Index(dearest["index"]),
    )
    joining = made.pair_values[made.pair_times["relation"].isin(["together", "near_miss", "race"])]
    shares = share_costs(site_costs(city.segments, joining, city.projects, job.policy), share_rule)
    say, language = job.session.say, job.session.language
    shares["party"] = party_words(shares["party"], language)
    steps["formula"] = steps["formula"].map({code: say(code) for code in steps["formula"].unique()})
    return {
        say("overlap_sheet_pairs"): ("overlap_table", in_ban_words(made.table, job.policy, language)),
        say("overlap_sheet_projects"): ("overlap_projects", by_project(made.table, made.neighbours)),
        say("overlap_sheet_streets"): ("overlap_streets", by_street(made.table)),
        say("overlap_sheet_years"): ("overlap_years", by_year(made.table)),
        say("overlap_sheet_steps"): ("value_steps", steps),
        say("overlap_sheet_shares"): ("party_shares", shares),
        say("overlap_sheet_neighbours"): ("neighbours", made.neighbours),
    }
