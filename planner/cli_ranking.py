"""Which model ranks, as the verbs need it: the last decision of the gate is read, a new one is kept, models learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from planner.cli_job import Job
    from planner.explain_facts import Evidence
    from planner.forecast.backtest import Backtest
    from planner.forecast.gate import GateDecision
    from planner.ranking import Ranking
    from registry.console import Session

ModelName = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Model that ranks: `auto` (the learned one that passed the gate, else the default), `default`, or a name.",
    ),
]
ForceModel = Annotated[
    bool,
    typer.Option("--force-model", help="Rank by the learned model of --model although the gate did not pass it."),
]


def ranking_of(job: Job, model: str = "auto", *, is_forced: bool = False) -> Ranking:
    """Return which model ranks on the day of the job, by what is asked for and the last decision of the gate.

    Raises
    ------
    UsageError
        If there is no model of that name.
    PlanningError
        If a learned model is asked for that the gate did not pass.
    """
    from planner.forecast.catalogue import can_run, learned_models
    from planner.ranking import Now, Wish, choose_ranking
    from registry.gate_decisions import last_verdict
    from registry.store import code_version

    learned = learned_models(job.policy)
    now = Now(job.policy.content_hash, gate_stamps(job), code_version(), job.as_of)
    verdict = last_verdict(job.registry, job.known_at)
    return choose_ranking(Wish(model, is_forced), verdict, now, learned, [name for name in learned if can_run(name)])


def rank_scores(
    job: Job, evidence: Evidence, scores: pd.DataFrame, ranking: Ranking, *, stores_beside: bool = False
) -> pd.DataFrame:
    """Return scores of the default with the rate of the learned model that ranks.

    With `stores_beside` the rate of one that came nearest and does not rank is stored as well: it has to be learned.
    """
    from planner.forecast.catalogue import forecast_models
    from planner.forecast.learned_rates import learned_rates
    from planner.learned import Learned

    if ranking.beside is None or not (ranking.is_learned or stores_beside):
        return scores
    model = forecast_models(job.policy)[ranking.beside]
    with job.step("ranking_step_learn"):
        rates = learned_rates(
            model,
            evidence.segments,
            evidence.leak_links,
            evidence.leaks,
            evidence.policy,
            evidence.as_of,
            evidence.told,
        )
    learned = Learned.of_rates(model.name, rates, scores, ranks=ranking.is_learned)
    return learned.apply(scores, evidence.segments["medium"], evidence.policy)


def gate_stamps(job: Job) -> dict[str, int]:
    """Return the last delivery of each kind that a back-test reads; for a back-test to be asked before it reads.

    What comes while it runs makes its decision stale at once, which is the safe side.
    """
    from planner.ranking import DATA_KINDS
    from registry.gate_decisions import data_stamps

    return data_stamps(job.registry, DATA_KINDS, job.known_at)


def keep_decision(
    job: Job, run_id: str, stamps: dict[str, int], tested: Backtest, models: list[str], decision: GateDecision
) -> str:
    """Keep what the gate decided on a back-test with what it was made from, and return its id."""
    from planner.cli_tables import told
    from registry.gate_decisions import GateVerdict, keep_verdict

    windows = tested.windows
    yearly = windows.loc[(windows["horizon_years"] == 1) & windows["district"].isna(), "year"]
    verdict = GateVerdict(
        run_id=run_id,
        as_of=job.as_of,
        known_at=job.known_at,
        policy_hash=job.policy.content_hash,
        data_stamps=stamps,
        windows=sorted({int(year) for year in yearly}),
        models=models,
        ships=decision.ships,
        candidate=decision.candidate,
        criteria=[{str(name): value for name, value in row.items()} for row in told(decision.criteria)],
    )
    return keep_verdict(job.registry, verdict)


def tell_evidence(session: Session) -> None:
    """Say what the models were tested on: figures for gas rest on it too."""
    session.tell("forecast_evidence_note")


def tell_ranking(session: Session, facts: Mapping[str, Any] | None) -> None:
    """Say which model ranks, and why; one that was forced is told on the error stream, so that nobody misses it."""
    from planner.ranking import ranking_phrases

    for phrase in ranking_phrases(facts):
        if facts is not None and facts["reason"] == "forced":
            session.warn(phrase.code, **phrase.parameters)
        else:
            session.tell(phrase.code, **phrase.parameters)
