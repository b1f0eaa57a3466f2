"""Which model ranks the segments, and why: what was asked for, held against the last decision of the gate."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from planner.forecast.gate import CHOSEN_BEFORE
from planner.score import DEFAULT_MODEL
from registry.errors import Phrase, PlanningError, UsageError
from registry.fields import value_list

if TYPE_CHECKING:
    from registry.gate_decisions import KeptVerdict

AUTO: Final = "auto"
# what a back-test reads: a decision is stale once one of these has had a delivery, an edit or an undo
DATA_KINDS: Final = ("segments", "leaks", "roads", "surveys", "districts")


@dataclass(frozen=True)
class Wish:
    """The model that is asked for; `is_forced` takes a learned one although the gate did not pass it."""

    model: str = AUTO
    is_forced: bool = False


@dataclass(frozen=True)
class Now:
    """What a decision must have been made from to count: policy, data by kind, version of digonce; and the day."""

    policy_hash: str
    data_stamps: Mapping[str, int]
    code_version: str
    as_of: date


@dataclass(frozen=True)
class Ranking:
    """Which model ranks, and why.

    Parameters
    ----------
    asked
        What was asked for: `auto` or a model.
    ranks
        The model whose rate is the likelihood.
    beside
        The learned model whose rate is stored: the one that ranks, or the one that came nearest. None where no
        decision names one.
    reason
        Ends a code of the catalogue, `ranking_<reason>`.
    stale
        In what the last decision differs from now.
    verdict
        The last decision, where there is one.
    """

    asked: str
    ranks: str
    beside: str | None
    reason: str
    stale: tuple[str, ...] = ()
    verdict: KeptVerdict | None = None

    @property
    def is_learned(self) -> bool:
        """Whether a learned model ranks."""
        return self.ranks != DEFAULT_MODEL

    def facts(self) -> dict[str, Any]:
        """Return what a stored run says of it, as plain values."""
        facts: dict[str, Any] = {"asked": self.asked, "ranks": self.ranks, "beside": self.beside, "reason": self.reason}
        facts["stale"] = list(self.stale)
        facts["failed"] = [] if self.verdict is None else failed_criteria(self.verdict)
        facts["decision"] = None if self.verdict is None else _decision_facts(self.verdict)
        return facts


def choose_ranking(
    wish: Wish, verdict: KeptVerdict | None, now: Now, learned: Collection[str], can_run: Collection[str]
) -> Ranking:
    """Choose the model that ranks by what is asked for and by the last decision of the gate.

    `auto` takes the learned model that passed, as long as the decision is not stale and its library is there; else the
    default. A learned model by name must be the one that passed, unless it is forced.

    Parameters
    ----------
    learned
        Names of the learned models.
    can_run
        Those whose libraries are installed.

    Raises
    ------
    UsageError
        If there is no model of that name, or nothing that could be forced.
    PlanningError
        If a learned model is asked for that the gate did not pass.
    """
    known = (AUTO, DEFAULT_MODEL, *learned)
    if wish.model not in known:
        raise UsageError("ranking_model_unknown", model=wish.model, models=", ".join(known))
    if wish.is_forced and wish.model not in learned:
        raise UsageError("ranking_nothing_to_force", models=", ".join(learned))
    if wish.model == DEFAULT_MODEL:
        return Ranking(DEFAULT_MODEL, DEFAULT_MODEL, None, "asked")
    if wish.model == AUTO:
        return _by_decision(verdict, now, can_run)
    stale = () if verdict is None else stale_by(verdict, now)
    reason = _why_not(verdict, stale, wish.model)
    if reason is None:
        return Ranking(wish.model, wish.model, wish.model, "passed", (), verdict)
    if not wish.is_forced:
        facts = Ranking(wish.model, DEFAULT_MODEL, None, reason, stale, verdict).facts()
        model = _Listed("forecast_model", wish.model)
        raise PlanningError("ranking_refused", model=model, why=_why(reason, facts))
    return Ranking(wish.model, wish.model, wish.model, "forced", stale, verdict)


def stale_by(verdict: KeptVerdict, now: Now) -> tuple[str, ...]:
    """Return in what a decision differs from now: `policy`, `data`, `program`, or `day` where it knows later years."""
    differs = {
        "policy": verdict.policy_hash != now.policy_hash,
        "data": dict(verdict.data_stamps) != dict(now.data_stamps),
        "program": verdict.code_version != now.code_version,
        "day": verdict.as_of > now.as_of,
    }
    return tuple(name for name, is_other in differs.items() if is_other)


def failed_criteria(verdict: KeptVerdict) -> list[str]:
    """Return the criteria that kept the nearest model from ranking, each once."""
    judged = {verdict.candidate, CHOSEN_BEFORE}
    return list(
        dict.fromkeys(row["criterion"] for row in verdict.criteria if row["model"] in judged and not row["passed"])
    )


def ranking_phrases(facts: Mapping[str, Any] | None) -> list[Phrase]:
    """Return the sentences about the facts of a ranking: which model ranks, and why. None for runs without facts."""
    if facts is None:
        return []
    reason, model = str(facts["reason"]), _Listed("forecast_model", facts["ranks"])
    if reason == "passed":
        return [Phrase("ranking_passed", {"model": model, "as_of": facts["decision"]["as_of"]})]
    if reason == "forced":
        return [Phrase("ranking_forced", {"model": model})]
    return [Phrase("ranking_default", {"why": _why(reason, facts)})]


def _by_decision(verdict: KeptVerdict | None, now: Now, can_run: Collection[str]) -> Ranking:
    stale = () if verdict is None else stale_by(verdict, now)
    if verdict is None or stale:
        return Ranking(AUTO, DEFAULT_MODEL, None, "no_decision" if verdict is None else "stale", stale, verdict)
    candidate = verdict.candidate
    if candidate is None:
        return Ranking(AUTO, DEFAULT_MODEL, None, "unplayed", (), verdict)
    beside = candidate if candidate in can_run else None
    if verdict.ships == DEFAULT_MODEL:
        return Ranking(AUTO, DEFAULT_MODEL, beside, "not_passed", (), verdict)
    if beside is None:
        return Ranking(AUTO, DEFAULT_MODEL, None, "library_absent", (), verdict)
    return Ranking(AUTO, beside, beside, "passed", (), verdict)


def _why_not(verdict: KeptVerdict | None, stale: tuple[str, ...], model: str) -> str | None:
    """Return why a learned model may not rank; None where it may."""
    if verdict is None:
        return "no_decision"
    if stale:
        return "stale"
    if verdict.ships == model:
        return None
    return "not_passed" if model == verdict.candidate else "not_chosen"


def _why(reason: str, facts: Mapping[str, Any]) -> Phrase:
    """Return the words of a reason: a part of a sentence."""
    parameters: dict[str, object] = {}
    if reason == "stale":
        parameters["what"] = tuple(Phrase(f"ranking_stale_{name}") for name in facts["stale"])
    elif reason in {"not_passed", "library_absent"}:
        parameters["model"] = _Listed("forecast_model", facts["decision"]["candidate"])
        parameters["criteria"] = tuple(_Listed("gate_criterion", name) for name in facts["failed"])
    elif reason == "not_chosen":
        parameters["model"] = _Listed("forecast_model", facts["decision"]["ships"])
    return Phrase(f"ranking_why_{reason}", parameters)


class _Listed(Phrase):
    """A part of a message that is an entry of a value list."""

    def __init__(self, list_name: str, code: str) -> None:
        super().__init__(code, {"list": list_name})

    def say(self, language: str) -> str:
        """Return the words of the entry; a code that the list does not know as it is."""
        entry = value_list(str(self.parameters["list"])).get(self.code)
        return entry.label(language) if entry else self.code


def _decision_facts(verdict: KeptVerdict) -> dict[str, Any]:
    return {
        "decision_id": verdict.decision_id,
        "run_id": verdict.run_id,
        "made_at": verdict.made_at.isoformat(),
        "as_of": verdict.as_of.isoformat(),
        "windows": list(verdict.windows),
        "ships": verdict.ships,
        "candidate": verdict.candidate,
    }
