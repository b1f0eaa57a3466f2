"""The second face of `explain`: why a saved plan renews segments in their years, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from planner.cli_late import late_texts
from planner.cli_recheck import check_phrases, check_reasons, checks_told
from planner.cli_tables import told
from registry.console import EXIT_FAULT

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from planner.cli_job import Job
    from planner.recheck import Checked
    from registry.console import Session
    from registry.errors import Phrase
    from registry.store import Registry, SavedRun

_UNKNOWN: Final = "plan_why_unknown"


def explain_plan(job: Job, words: list[str], output: Path | None, *, is_checked: bool = False) -> bool:
    """Explain a plan where the first word names one; tell whether it did. Reasons are put to the test as asked.

    An id that the census of the plan does not have ends the verb with a fault, after all others are answered.

    Raises
    ------
    NotFoundError
        If none of the segments is a candidate of the plan, or the first word is the name of nothing.
    UsageError
        If reasons are to be put to the test and no plan is named.
    """
    from planner.why_text import why_in_words
    from registry.errors import UsageError
    from registry.exports import write_table

    saved = _named_plan(job, words)
    if saved is None:
        if is_checked:
            raise UsageError("explain_check_needs_plan")
        return False
    session = job.session
    known, others = _answered(job, saved, words[1:])
    reasons = saved.frames["plan_reasons"].loc[known]
    due_year = saved.frames["late_work"]["due_year"]
    batches, members = saved.frames["batches"], saved.frames["batch_segments"]
    texts = why_in_words(reasons, batches, members, session.language, due_year)
    late = late_texts(saved.frames, session.language)
    late = late[late.index.isin(texts.index)]
    checked = check_reasons(job, saved, reasons) if is_checked else []
    _tell(session, texts, late, {one.segment_id: one for one in checked})
    if output is not None:
        write_table(reasons, output, "plan_reasons", session.language)
        session.tell_written(output, len(reasons))
    plain = told(reasons.reset_index())
    session.result(
        {"run_id": saved.run_id, "plan": saved.name, "texts": list(texts), "reasons": plain, "late": dict(late)}
        | {"absent": {name: phrase.say(session.language) for name, phrase in others.items()}}
        | ({"checks": checks_told(checked)} if is_checked else {})
    )
    if any(phrase.code.startswith(_UNKNOWN) for phrase in others.values()):
        raise typer.Exit(EXIT_FAULT)
    return True


def _tell(session: Session, texts: pd.Series, late: pd.Series, checked: dict[str, Checked]) -> None:
    """Print of each segment its reason, what stood in its way, and what came of forcing it, with the verdict."""
    for segment, text in zip(texts.index.astype("str"), texts, strict=True):
        session.tell("explain_text", text=text)
        if segment in late.index:
            session.tell("explain_text", text=str(late[segment]))
        if segment in checked:
            found, verdict = check_phrases(checked[segment])
            session.tell("explain_checked", found=found, verdict=verdict)


def _named_plan(job: Job, words: list[str]) -> SavedRun | None:
    """Return the plan that the first word names, None where it is a segment.

    Raises
    ------
    NotFoundError
        If it is neither.
    UsageError
        If it is a plan and no segment is named.
    """
    from registry.errors import NotFoundError
    from registry.history.lineage import is_segment

    if len(words) < 2:
        refuse_plan_alone(job.registry, words[0])
        return None
    try:
        return job.registry.load_run("plan", words[0])
    except NotFoundError:
        if not is_segment(job.registry.connection, words[0]):
            raise NotFoundError("explain_neither", name=words[0]) from None
        return None


def refuse_plan_alone(registry: Registry, name: str) -> None:
    """Refuse the name of a saved plan where a segment is to be named; what is both is taken as the segment.

    Raises
    ------
    UsageError
        If it is the name of a plan.
    """
    from registry.errors import NotFoundError, UsageError
    from registry.history.lineage import is_segment

    if is_segment(registry.connection, name):
        return
    try:
        registry.load_run("plan", name, ())
    except NotFoundError:
        return
    raise UsageError("explain_plan_alone", plan=name)


def _answered(job: Job, saved: SavedRun, asked: list[str]) -> tuple[list[str], dict[str, Phrase]]:
    """Return the candidates among the asked ids, and of each other one what it is, which is told.

    Raises
    ------
    NotFoundError
        If none is a candidate, with what the last one is; the others are told before.
    """
    from registry.errors import NotFoundError

    ids = list(dict.fromkeys(asked))
    candidates = saved.frames["plan_reasons"].index
    known = [name for name in ids if name in candidates]
    others = {name: _other(saved, name) for name in ids if name not in candidates}
    last = None if known or not others else others[ids[-1]]
    for phrase in others.values():
        if phrase is not last:
            job.session.warn(phrase.code, **phrase.parameters)
    if last is not None:
        raise NotFoundError(last.code, **last.parameters)
    return known, others


def _other(saved: SavedRun, segment: str) -> Phrase:
    """Say what a segment is that is no candidate: in the census of the plan, or unknown to it."""
    from registry.errors import Phrase
    from registry.intake.validation import nearest

    census = saved.frames["scores"].index.astype("str")
    facts: dict[str, object] = {"segment": segment, "plan": saved.name or saved.run_id}
    if segment in census:
        return Phrase("plan_why_no_candidate", facts)
    # ids are compared letter by letter; only the search for what was meant is not
    plain = {name.lower(): name for name in census}
    near = nearest(segment, plain)
    return Phrase(_UNKNOWN, facts | {"near": plain[near] if near else None}).or_alone("near")
