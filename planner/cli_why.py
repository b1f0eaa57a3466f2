"""The second face of `explain`: why a saved plan renews segments in their years, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.cli_late import late_texts
from planner.cli_recheck import check_reasons
from planner.cli_tables import told

if TYPE_CHECKING:
    from pathlib import Path

    from planner.cli_job import Job
    from registry.store import SavedRun


def explain_plan(job: Job, words: list[str], output: Path | None, *, is_checked: bool = False) -> bool:
    """Explain a plan where the first word names one; tell whether it did. Reasons are put to the test as asked.

    Raises
    ------
    NotFoundError
        If a segment is no candidate of the plan.
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
    reasons = saved.frames["plan_reasons"].loc[_known(saved, words[1:])]
    texts = why_in_words(reasons, saved.frames["batches"], saved.frames["batch_segments"], session.language)
    late = late_texts(saved.frames, session.language)
    late = late[late.index.isin(texts.index)]
    for segment, text in zip(texts.index.astype("str"), texts, strict=True):
        session.tell("explain_text", text=text)
        if segment in late.index:
            session.tell("explain_text", text=str(late[segment]))
    checks = {"checks": check_reasons(job, saved, reasons)} if is_checked else {}
    if output is not None:
        write_table(reasons, output, "plan_reasons", session.language)
        session.tell_written(output, len(reasons))
    plain = told(reasons.reset_index())
    session.result(
        {"run_id": saved.run_id, "plan": saved.name, "texts": list(texts), "reasons": plain, "late": dict(late)}
        | checks
    )
    return True


def _named_plan(job: Job, words: list[str]) -> SavedRun | None:
    from registry.errors import NotFoundError

    if len(words) < 2:
        return None
    try:
        return job.registry.load_run("plan", words[0])
    except NotFoundError:
        return None


def _known(saved: SavedRun, asked: list[str]) -> list[str]:
    """Return the asked ids, or say which of them the plan did not look at."""
    from registry.errors import NotFoundError

    reasons: Any = saved.frames["plan_reasons"]
    absent = [name for name in asked if name not in reasons.index]
    if absent:
        raise NotFoundError("plan_why_no_candidate", segment=absent[0], plan=saved.name or saved.run_id)
    return list(dict.fromkeys(asked))
