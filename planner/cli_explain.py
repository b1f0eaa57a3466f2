"""The verb `explain`: why a segment has its risk, in words and in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from planner.cli_effort import effort_facts, tell_effort
from planner.cli_job import PolicyPath, load_scored, open_job, read_evidence, run_as_job, score_evidence
from planner.cli_ranking import ForceModel, ModelName, rank_scores, ranking_of, tell_evidence, tell_ranking
from planner.cli_reasons import explain_saved
from planner.cli_tables import told
from registry.console import AsOf, KnownAt, Output, Session, command

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import pandas as pd

    from planner.cli_job import Job
    from planner.cli_reasons import QuickExplanation
    from planner.explain_facts import Evidence
    from registry.store import SavedRun

app = typer.Typer()
# scores that differ by less are the same
_ROUNDING: Final = 1e-9
# what has less is told in the file only
_LEAST_POINTS: Final = 2.0

_Asked = Annotated[
    list[str],
    typer.Argument(
        metavar="[PLAN] SEGMENT...",
        help="Ids of segments, also of those split, merged or replaced; after the name of a saved plan: why the plan "
        "renews them or not.",
    ),
]
_Run = Annotated[
    str | None, typer.Option("--run", metavar="NAME", help="As a saved run had it: its day, its data, its policy.")
]
_Check = Annotated[
    bool,
    typer.Option("--check", help="After the name of a plan: solve it again with each segment forced in, or out."),
]
_Quick = Annotated[
    bool,
    typer.Option("--quick", help="By the scores of the run, or the latest kept ones; no change of grade is tried."),
]


@command(app, "explain")
def explain(
    session: Session,
    segments: _Asked,
    run: _Run = None,
    model: ModelName = "auto",
    is_forced: ForceModel = False,
    is_quick: _Quick = False,
    is_checked: _Check = False,
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Explain the risk of segments: the causes, what is not on file, its kind, and what would change the grade.

    An XLSX file gets two sheets, texts and contributions; other files get the contributions.

    After the name of a saved plan: why the plan renews the segments in their years, or not.

    Example: digonce explain RQ0000732 --as-of 2026-11-01 -o RQ0000732.xlsx

    Example: digonce explain plan-2027 RQ0000732 --check
    """
    from planner.cli_why import explain_plan
    from planner.explain import explain_scores
    from planner.explain_text import explain_in_words
    from registry.errors import UsageError
    from registry.exports import check_output

    if output is not None:
        check_output(output)
    is_told = (policy, as_of, known_at, model, is_forced) != (None, None, None, "auto", False)
    if is_told and (run is not None or is_quick):
        raise UsageError("explain_run_says_all")
    if is_quick:
        _end_quick(session, explain_saved(session, list(segments), run), output)
        return
    with open_job(session, policy, as_of, known_at) as opened:
        if explain_plan(opened, list(segments), output, is_checked=is_checked):
            return
        saved = None if run is None else load_scored(opened.registry, run)
        job = opened if saved is None else run_as_job(session, opened.registry, saved, opened.bars)
        evidence, _ = read_evidence(job, job.segments(), job.frame("leaks"))
        tell_effort(job, effort_facts(evidence.told.surveyed))
        scores = score_evidence(job, evidence)
        facts: dict[str, Any] | None
        if saved is None:
            ranking = ranking_of(job, model, is_forced=is_forced)
            scores, facts = rank_scores(job, evidence, scores, ranking), ranking.facts()
        else:
            scores, facts = _ranked_as(saved, evidence, scores), saved.summary.get("ranking")
        asked = _in_the_ground(job, list(segments), scores.index)
        with job.step("explain_step"):
            figures = explain_scores(scores, evidence.segments["medium"], asked)
            texts = explain_in_words(evidence, scores, asked)
    if saved is not None and _differs(saved.frames["scores"], scores):
        session.warn("explain_run_differs", run=run, version=saved.code_version)
    _end(session, texts, figures, (job.as_of, facts), output)


def _end(
    session: Session,
    texts: pd.DataFrame,
    figures: pd.DataFrame,
    of: tuple[date, dict[str, Any] | None],
    output: Path | None,
    kept: dict[str, Any] | None = None,
) -> None:
    """Print, write and return the explanations as of a day, by the model that ranked then; `kept` is the run used."""
    day, facts = of
    _show(session, texts, figures)
    tell_ranking(session, facts)
    tell_evidence(session)
    if output is not None:
        _write(texts, figures, output, session)
        session.tell("written", file=output)
    named = {"as_of": day, "ranking": facts, "texts": told(texts.reset_index()), "explanations": told(figures)}
    session.result(named if kept is None else {"run": kept, **named})


def _end_quick(session: Session, found: QuickExplanation, output: Path | None) -> None:
    """Print, write and return explanations by kept scores, with the run that these are from."""
    session.tell(
        "explain_kept",
        run=found.name or found.run_id,
        as_of=found.as_of,
        model=session.say(f"forecast_model_{found.model}"),
    )
    kept = {"run_id": found.run_id, "name": found.name, "model": found.model}
    _end(session, found.texts, found.figures, (found.as_of, found.ranking), output, kept)


def _ranked_as(saved: SavedRun, evidence: Evidence, scores: pd.DataFrame) -> pd.DataFrame:
    """Return scores of the default as the model of the saved run ranks them; it does not learn again."""
    from planner.learned import Learned

    learned = Learned.of_scores(saved.frames["scores"])
    return scores if learned is None else learned.apply(scores, evidence.segments["medium"], evidence.policy)


def _in_the_ground(job: Job, asked: list[str], scored: pd.Index) -> list[str]:
    """Return the ids as they are; one that is no more in the ground is answered by those it leads to, and told."""
    from registry.history.lineage import descendants

    found: list[str] = []
    for segment_id in asked:
        if segment_id in scored:
            found.append(segment_id)
            continue
        children = descendants(job.registry.connection, segment_id)["segment_id"]
        there = [child for child in dict.fromkeys(children) if child in scored]
        if there:
            job.session.warn("explain_became", segment=segment_id, segments=", ".join(there))
        # one that leads nowhere is refused with its own id
        found.extend(there or [segment_id])
    return list(dict.fromkeys(found))


def _differs(saved: pd.DataFrame, scores: pd.DataFrame) -> bool:
    """Tell whether the saved scores are other than those made again from the same data."""
    import numpy as np

    if not saved.index.sort_values().equals(scores.index.sort_values()):
        return True
    again = scores["risk_per_km_year"].reindex(saved.index)
    return not np.allclose(saved["risk_per_km_year"], again, rtol=_ROUNDING, atol=0.0)


def _show(session: Session, texts: pd.DataFrame, figures: pd.DataFrame) -> None:
    from registry.fields import fields, value_list

    causes = value_list("explanation_cause")
    declared, scored = fields()["explanations"], fields()["scores"]
    names = ("term", "cause", "multiplier", "points")
    headings = {name: declared[name].label(session.language) for name in names}
    for segment_id, text in texts[f"text_{session.language}"].items():
        session.tell("explain_text", text=text)
        own = figures[(figures["segment_id"] == segment_id) & (figures["points"].abs() >= _LEAST_POINTS)].sort_values(
            "rank"
        )
        rows = own.assign(
            term=[scored[f"ln_{term}"].label(session.language) for term in own["term"]],
            cause=[causes[cause].label(session.language) for cause in own["cause"]],
        )
        session.table(
            _with_sums(session, rows, figures[figures["segment_id"] == segment_id]), headings, str(segment_id)
        )


def _with_sums(session: Session, rows: pd.DataFrame, every: pd.DataFrame) -> pd.DataFrame:
    """Add what is not shown by itself as one row, and a last row for all: the multiple that the text tells."""
    import numpy as np
    import pandas as pd

    others = every[~every.index.isin(rows.index) & (every["ln"] != 0.0)]
    sums = [("explain_all", every)] if others.empty else [("explain_others", others), ("explain_all", every)]
    added = [
        {
            "term": session.say(code, count=len(part)),
            "cause": "",
            "multiplier": float(np.exp(part["ln"].sum())),
            "points": float(part["points"].sum()),
        }
        for code, part in sums
    ]
    return pd.concat([rows, pd.DataFrame(added)])


def _sheet_of_terms(figures: pd.DataFrame, language: str) -> pd.DataFrame:
    """Return the contributions with the name of each term beside its code, and a row for all of each segment."""
    import numpy as np
    import pandas as pd

    from registry.catalogue import say
    from registry.fields import columns_of, fields

    scored = fields()["scores"]
    labels = [scored[f"ln_{term}"].label(language) for term in figures["term"]]
    sums = figures.groupby("segment_id", sort=False)[["ln", "points"]].sum().reset_index()
    sums = sums.assign(term="all", term_label=say("explain_all", language), multiplier=np.exp(sums["ln"]))
    whole = pd.concat([figures.assign(term_label=labels), sums])
    place = {segment_id: number for number, segment_id in enumerate(sums["segment_id"])}
    whole = whole.iloc[np.argsort(whole["segment_id"].map(place), kind="stable")]
    return whole.reset_index(drop=True)[columns_of("explanation_sheet")]


def _write(texts: pd.DataFrame, figures: pd.DataFrame, path: Path, session: Session) -> None:
    from registry.exports import write_table, write_workbook

    if path.suffix.lower() != ".xlsx":
        write_table(figures, path, "explanations", session.language)
        return
    frames = {
        session.say("explain_sheet_texts"): ("explanation_texts", texts.reset_index()),
        session.say("explain_sheet_terms"): ("explanation_sheet", _sheet_of_terms(figures, session.language)),
    }
    write_workbook(frames, path, session.language)
