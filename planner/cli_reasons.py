"""The reasons that a saved run gives for the risk of a segment: for the dossier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from planner.reasons import Reasons
    from registry.console import Session
    from registry.store import Registry


@dataclass(frozen=True)
class SavedReasons:
    """Reasons, and the run that they are from: its day, when it was made, and its policy."""

    reasons: Reasons
    run_id: str
    name: str | None
    as_of: date
    made_at: datetime
    policy: dict[str, str]


def usual_facts(scores: pd.DataFrame, medium: pd.Series) -> dict[str, dict[str, float]]:
    """Return the means that causes are measured against, for the summary of a run: medium -> term -> mean."""
    from planner.explain import usual_terms

    means = usual_terms(scores, medium)
    return {
        str(name): {str(term): float(mean) for term, mean in row.items()}
        for name, row in means.to_dict("index").items()
    }


def saved_reasons(
    session: Session, registry: Registry, segment_id: str, known_at: datetime | None
) -> SavedReasons | None:
    """Return the reasons by the latest run that scored a segment, in the language of the session.

    None where no run did, or where it was made by a version of digonce whose policy is not understood any more.
    """
    from planner.cli_job import run_as_job
    from planner.cli_near import read_near
    from planner.reasons import reasons_in_words
    from registry.errors import PolicyError
    from registry.saved import latest_scores, run_rows

    saved = latest_scores(registry, segment_id, known_at)
    if saved is None:
        return None
    with session.progress() as bars:
        try:
            job = run_as_job(session, registry, saved, bars)
        except PolicyError:
            return None
        with job.step("explain_step"):
            evidence = read_near(job, saved.run_id, [segment_id])
            scores = run_rows(registry, saved.run_id, "scores", [segment_id])
            found = reasons_in_words(evidence, scores, _usual(saved.summary), segment_id, session.language)
    policy = {name: str(saved.policy[name]) for name in ("id", "version", "hash")}
    return SavedReasons(found, saved.run_id, saved.name, saved.as_of, saved.made_at, policy)


def _usual(summary: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    means = pd.DataFrame.from_dict(summary["usual"], orient="index", dtype="float64")
    return means.rename_axis("medium")
