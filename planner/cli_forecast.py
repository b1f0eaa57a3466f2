"""The verb `forecast`: leaks to expect in years to come, if nothing is renewed and if a plan is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from planner.cli_job import Job, PolicyPath, YearsText, check_years, open_job, policy_facts, score_city, tell_unverified
from planner.cli_ranking import ForceModel, ModelName, ranking_of, tell_evidence, tell_ranking
from planner.cli_tables import in_words, told
from registry.catalogue import CNY_PER_UNIT, or_dash
from registry.console import AsOf, KnownAt, Output, Session, command, parse_years

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

app = typer.Typer()
_DRAWS: Final = 200


@command(app, "forecast")
def forecast(
    session: Session,
    years: YearsText,
    plan: Annotated[
        str | None, typer.Option("--plan", metavar="NAME", help="Saved plan to compare with renewing nothing.")
    ] = None,
    draws: Annotated[
        int,
        typer.Option("--draws", metavar="N", min=10, help="Draws for the intervals of the network."),
    ] = _DRAWS,
    seed: Annotated[int, typer.Option("--seed", metavar="S", min=0, help="Seed of the draws.")] = 0,
    model: ModelName = "auto",
    is_forced: ForceModel = False,
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Forecast leaks by segment and year with intervals, if nothing is renewed and if a saved plan is carried out.

    An XLSX file gets two sheets, network and segments; other files get the segments.

    Example: digonce forecast --years 2027-2031 --plan plan-2027 -o forecast.xlsx
    """
    from planner.forecast.outlook import leak_outlook
    from planner.forecast.outlook_frames import leak_forecast, network_forecast
    from registry.exports import check_output

    if output is not None:
        check_output(output)
    wanted = parse_years(years)
    with open_job(session, policy, as_of, known_at) as job:
        check_years(wanted, job.as_of)
        ranking = ranking_of(job, model, is_forced=is_forced)
        renewed = None if plan is None else _renewed(job, plan)
        segments = job.segments()
        made = score_city(job, segments, job.frame("leaks"), ranking)
        with job.step("plan_step_forecast"):
            outlook = leak_outlook(segments, made["scores"], job.policy, wanted, job.as_of, renewed)
            by_segment = leak_forecast(outlook)
            network = network_forecast(outlook, made["scores"], made.get("emissions"), draws, seed)
        summary = {
            "years": list(wanted),
            "plan": plan,
            "draws": draws,
            "seed": seed,
            "renewed_count": int(outlook.renewed.sum()),
            "network": told(network),
            "ranking": ranking.facts(),
            **policy_facts(job.policy),
        }
        run = job.save("forecast", plan, {**made, "leak_forecast": by_segment, "network_forecast": network}, summary)
        if output is not None:
            _write(by_segment, network, output, session)
    _show(session, network)
    session.tell("plan_forecast", segments=len(segments), renewed=summary["renewed_count"], as_of=job.as_of, run=run)
    tell_ranking(session, ranking.facts())
    tell_evidence(session)
    tell_unverified(session, job.policy)
    session.result({"run_id": run, "as_of": job.as_of, **summary})


def _renewed(job: Job, plan: str) -> pd.Series:
    """Return the year of renewal by segment of a saved plan; missing where it leaves one out."""
    year: pd.Series = job.registry.load_run("plan", plan).frames["batch_segments"]["year"]
    return year


def _show(session: Session, network: pd.DataFrame) -> None:
    """Print the network of each medium by year and scenario."""
    from registry.fields import fields

    declared, unit = fields()["network_forecast"], CNY_PER_UNIT[session.language]
    words = in_words(network, {"medium": "medium", "scenario": "scenario"}, session.language)
    words["year"] = network["year"].astype("str")
    for name in ("leaks", "avoided"):
        words[name] = [
            session.say("plan_ranged", value=f"{value:,.1f}", low=f"{low:,.0f}", high=f"{high:,.0f}")
            for value, low, high in zip(*(network[f"{name}{end}"] for end in ("", "_low", "_high")), strict=True)
        ]
    for name, shown in (
        ("third_party_leaks", network["third_party_leaks"]),
        ("harm", network["harm_cny"] / unit),
        ("methane_t", network["methane_t"]),
    ):
        words[name] = [or_dash(value, ",.1f") for value in shown]
    names = ("medium", "year", "scenario", "leaks", "avoided", "third_party_leaks")
    headings = {name: declared[name].label(session.language) for name in names}
    headings["harm"] = session.say("plan_heading_harm_cny")
    headings["methane_t"] = session.say("plan_heading_methane")
    session.table(words, headings, session.say("plan_title_forecast"))


def _write(by_segment: pd.DataFrame, network: pd.DataFrame, path: Path, session: Session) -> None:
    from registry.exports import write_table, write_workbook

    if path.suffix.lower() != ".xlsx":
        write_table(by_segment, path, "leak_forecast", session.language)
    else:
        frames = {
            session.say("plan_sheet_network"): ("network_forecast", network),
            session.say("plan_sheet_segments"): ("leak_forecast", by_segment),
        }
        write_workbook(frames, path, session.language)
    session.tell_written(path, len(by_segment))
