"""The reasons that a saved run gives for the risk of a segment: for the dossier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

    from planner.cli_job import Job
    from planner.reasons import Reasons
    from registry.console import Session
    from registry.store import Registry

_OF_KIND: Final = ["medium", "material", "installed_year_min", "installed_year_max"]


@dataclass(frozen=True)
class SavedReasons:
    """Reasons, and the run that they are from: its day, when it was made, its policy, and the model that ranks in it.

    `ranking` says why that model ranks, as `Ranking.facts`; None for runs that did not keep it.
    """

    reasons: Reasons
    run_id: str
    name: str | None
    as_of: date
    made_at: datetime
    policy: dict[str, str]
    model: str
    ranking: dict[str, Any] | None = None


@dataclass(frozen=True)
class QuickExplanation:
    """Explanations by kept scores, and the run that these are from.

    Parameters
    ----------
    texts, figures
        The frames `explanation_texts` and `explanations`.
    model
        The model that ranks.
    ranking
        Why it does, as `Ranking.facts`; None for runs that did not keep it.
    """

    texts: pd.DataFrame
    figures: pd.DataFrame
    run_id: str
    name: str | None
    as_of: date
    model: str
    ranking: dict[str, Any] | None


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

    Runs whose model was forced do not count. None where no run did, or where it was made by a version of digonce whose
    policy is not understood any more.
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
    model, ranking = _model(scores), saved.summary.get("ranking")
    return SavedReasons(found, saved.run_id, saved.name, saved.as_of, saved.made_at, policy, model, ranking)


def explain_saved(session: Session, asked: list[str], name: str | None) -> QuickExplanation:
    """Explain segments by the scores that a run kept: texts and contributions as `digonce explain`, and its day.

    What is read is the scores of the segments, those of their kind, and what lies about the segments. Without a name it
    is the latest run whose model was not forced.

    Raises
    ------
    NotFoundError
        Where no run of that name, or no run at all, has a score of the segments.
    UsageError
        Where the name of a plan stands alone.
    """
    from planner.cli_job import run_as_job
    from planner.cli_near import read_near
    from planner.cli_why import refuse_plan_alone
    from planner.explain import explain_scores
    from planner.explain_text import PartOfCity, explain_in_words
    from registry.errors import NotFoundError
    from registry.saved import latest_scores, run_rows

    with session.open() as registry, session.progress() as bars:
        segment_ids = list(dict.fromkeys(asked))
        saved = latest_scores(registry, segment_ids[0], name=name)
        if saved is None:
            if len(segment_ids) == 1:
                refuse_plan_alone(registry, segment_ids[0])
            forced = None if name is not None else latest_scores(registry, segment_ids[0], with_forced=True)
            code = "explain_no_score" if forced is None else "explain_only_forced"
            raise NotFoundError(code, segments=", ".join(segment_ids))
        job = run_as_job(session, registry, saved, bars)
        with job.step("explain_step"):
            evidence = read_near(job, saved.run_id, segment_ids)
            scores = run_rows(registry, saved.run_id, "scores", segment_ids)
            usual = _usual(saved.summary)
            part = PartOfCity(usual, _standing(job, saved.run_id, evidence.segments, segment_ids))
            texts = explain_in_words(evidence, scores, segment_ids, part)
            figures = explain_scores(scores, evidence.segments["medium"], segment_ids, usual)
    ranking = saved.summary.get("ranking")
    return QuickExplanation(texts, figures, saved.run_id, saved.name, saved.as_of, _model(scores), ranking)


def _model(scores: pd.DataFrame) -> str:
    """Return the model that ranks in the scores of a run."""
    from planner.learned import Learned
    from planner.score import DEFAULT_MODEL

    learned = Learned.of_scores(scores)
    return DEFAULT_MODEL if learned is None else learned.model


def _standing(job: Job, run_id: str, segments: pd.DataFrame, segment_ids: list[str]) -> pd.DataFrame:
    """Return where segments stand among their kind, by the scores of the run for that kind alone."""
    from planner.explain import cohort_standing
    from planner.explain_facts import cohorts_of
    from registry.conditions import absent, all_of, any_of, named
    from registry.saved import run_rows

    asked = segments.loc[[name for name in segment_ids if name in segments.index]]
    materials = asked["material"].dropna()
    alike = any_of(named("material", [*materials, "unknown"]), absent("material"))
    kind = job.frame("segments", _OF_KIND, where=all_of(named("medium", asked["medium"]), alike))
    cohort = cohorts_of(kind)
    cohort = cohort[cohort.isin(cohorts_of(asked))]
    scores = run_rows(job.registry, run_id, "scores", cohort.index, ["segment_id", "risk_per_km_year"])
    return cohort_standing(scores, cohort, list(asked.index))


def _usual(summary: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    means = pd.DataFrame.from_dict(summary["usual"], orient="index", dtype="float64")
    return means.rename_axis("medium")
