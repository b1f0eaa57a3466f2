"""The verb `inspect-first`: where it is worth most to find out what the census does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli_job import PolicyPath, link_nameless, open_job, score_city
from planner.cli_ranking import ranking_of, tell_evidence, tell_ranking
from registry.console import AsOf, KnownAt, Output, Session, command

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer()
_SHOWN = 20


@command(app, "inspect-first")
def inspect_first(
    session: Session,
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="Length of the list.")] = 100,
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """List the segments whose unknown attributes are worth most to find out, the best first.

    Example: digonce inspect-first --as-of 2026-11-01 -o inspections.xlsx
    """
    from planner.cli_tables import two_digits
    from planner.ground import find_ground
    from planner.inspect_first import inspect_first as find
    from registry.exports import check_output, write_table
    from registry.fields import fields

    if output is not None:
        check_output(output)
    with open_job(session, policy, as_of, known_at) as job:
        ranking, segments = ranking_of(job), job.segments()
        scores = score_city(job, segments, job.frame("leaks"), ranking)["scores"]
        roads = job.frame("roads", ["name", "road_class", "geometry"])
        context = job.frame("context", ["kind", "level", "geometry"])
        with job.step("plan_step_inspect"):
            named = link_nameless(segments, roads, job.policy)
            ground = find_ground(segments, context, roads, named, job.policy.weights.likelihood)
            worth = find(segments, scores, job.policy, len(segments), ground)
    found = worth.head(count)
    told = found.assign(**{name: _in_words(found[name], session.language) for name in ("attribute", "gaps")})
    if output is not None:
        write_table(found if output.suffix == ".parquet" else told, output, "inspect_first", session.language)
        session.tell_written(output, len(found))
    elif len(found):
        declared = fields()["inspect_first"]
        names = ["rank", "segment_id", "attribute", "value_per_year", "change_probability", "gaps"]
        shown = (
            told[names]
            .head(_SHOWN)
            .assign(
                value_per_year=told["value_per_year"].map(two_digits),
                change_probability=told["change_probability"].map("{:.0%}".format),
            )
        )
        session.table(shown, {name: declared[name].label(session.language) for name in names})
        if len(found) > _SHOWN:
            session.tell("change_more", count=len(found) - _SHOWN)
    code = "plan_inspected" if len(found) == len(worth) else "plan_inspected_first"
    session.tell(code, count=len(found), worth=len(worth), as_of=job.as_of)
    tell_ranking(session, ranking.facts())
    tell_evidence(session)
    facts = {"as_of": job.as_of, "ranking": ranking.facts(), "worth_count": len(worth)}
    session.result(facts | {"inspections": found.to_dict("records")})


def _in_words(names: pd.Series, language: str) -> pd.Series:
    """Spell the names of attributes, one or more with commas between."""
    from planner.explain_words import gap_name
    from registry.catalogue import joined

    spelt = names.map(lambda text: joined((gap_name(name, language) for name in str(text).split(",")), language))
    return spelt.astype("str")
