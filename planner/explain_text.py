"""An explanation in words: why a segment has its risk, what is not known, its kind, and what would change its grade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.counterfactuals import Change, class_when_assessed, grade_changes
from planner.explain import CAUSES, cause_differences, cohort_standing, differences_from, scores_of, usual_terms
from planner.explain_facts import Evidence, cohorts_of, find_facts
from planner.explain_words import Teller, gap_name, times
from planner.policy_models import RuleSet, Weights
from registry.catalogue import LANGUAGES, joined, say
from registry.fields import check_frame, columns_of, fields, value_list

REASONS_UP: Final = 3
_REASONS_DOWN: Final = 1
_CHANGES_TOLD: Final = 3
# a factor nearer to one than a twentieth is no reason to tell
_LEAST_LN: Final = float(np.log(1.05))
# what everybody shares is no reason
_NO_REASON: Final = "network"
# what is so of a pipe by itself, wherever it lies
_OWN: Final = ("pipe", "age", "history", "protection", "diameter", "pressure", "cover", "joint")


@dataclass(frozen=True)
class Reason:
    """A cause that raises or lowers the risk of a segment, by its natural logarithm."""

    cause: str
    ln: float


@dataclass(frozen=True)
class PartOfCity:
    """What is so of the whole city where only a part of it was read.

    Parameters
    ----------
    usual
        The means of `usual_terms` over the whole network.
    standing
        The frame of `cohort_standing` of the segments, made over the whole network.
    """

    usual: pd.DataFrame
    standing: pd.DataFrame


@dataclass(frozen=True)
class _Told:
    """All that the text of one segment is made from."""

    segment_id: str
    score: dict[str, Any]
    up: list[Reason]
    down: list[Reason]
    own: list[Reason]
    multiple: float
    standing: dict[str, Any]
    changes: list[Change] | None
    class_assessed: str
    limits: dict[str, float]
    rules: RuleSet


def explain_in_words(
    evidence: Evidence, scores: pd.DataFrame, segment_ids: Sequence[str], part: PartOfCity | None = None
) -> pd.DataFrame:
    """Say why each segment has its risk, in English and Chinese: the frame `explanation_texts`.

    The three causes that raise it most and the one that lowers it most, each with what is so of the pipe and how many
    times the usual of its medium it makes the risk; where the usual explains nothing, as in a city of one segment, what
    raises it against a pipe without any factor; what is not on file; where it stands among pipes of its medium,
    material and decade; which single change would change its grade. Causes within a twentieth of the usual are left
    out.

    Misleads where a cause is read as proven for this pipe: it is what the weights and the record of such pipes say.

    Parameters
    ----------
    part
        What a part of a city does not tell of itself: then `evidence` and `scores` hold what lies about the segments
        only, and no change is tried, as that asks for the scores of all.

    Raises
    ------
    FrameError
        If the scores do not keep their contract.
    NotFoundError
        If a segment has no score.
    """
    check_frame(scores, "scores")
    chosen = scores_of(scores, segment_ids)
    facts = find_facts(evidence, scores, list(chosen.index))
    medium = evidence.segments["medium"]
    differences = differences_from(chosen, medium, usual_terms(scores, medium) if part is None else part.usual)
    causes = cause_differences(differences)
    if part is None:
        standing = cohort_standing(scores, cohorts_of(evidence.segments), list(chosen.index))
    else:
        standing = part.standing.loc[chosen.index]
    weights = evidence.policy.weights
    texts: dict[str, list[str]] = {f"text_{language}": [] for language in LANGUAGES}
    for segment_id in chosen.index:
        up, down = top_reasons(causes.loc[segment_id])
        limits = grade_limits(str(facts["medium"].loc[segment_id]), weights)
        told = _Told(
            segment_id,
            chosen.loc[segment_id].to_dict(),
            up,
            down,
            own_reasons(chosen.loc[segment_id], up, down, next(iter(limits))),
            float(np.exp(differences.loc[segment_id].sum())),
            standing.loc[segment_id].to_dict(),
            grade_changes(evidence, scores, segment_id) if part is None else None,
            class_when_assessed(evidence, segment_id),
            limits,
            evidence.policy.rules,
        )
        for language in LANGUAGES:
            teller = Teller(facts.loc[segment_id].to_dict(), weights, language)
            texts[f"text_{language}"].append(_text(told, teller))
    return pd.DataFrame(texts, index=chosen.index, dtype="str")[columns_of("explanation_texts")]


def top_reasons(causes: pd.Series) -> tuple[list[Reason], list[Reason]]:
    """Return the causes that raise the risk of a segment most and those that lower it most, the strongest first."""
    told = causes.drop(_NO_REASON, errors="ignore")
    up = told[told >= _LEAST_LN].sort_values(ascending=False, kind="stable").head(REASONS_UP)
    down = told[told <= -_LEAST_LN].sort_values(kind="stable").head(_REASONS_DOWN)
    return tuple([Reason(str(cause), float(ln)) for cause, ln in part.items()] for part in (up, down))  # type: ignore[return-value]


def own_reasons(score: pd.Series, up: list[Reason], down: list[Reason], lowest_grade: str) -> list[Reason]:
    """Return what raises the risk of a pipe by itself most, where the usual of its network explains nothing.

    Measured against a neutral pipe, of which every factor is 1. None where a cause is above the usual, nor where one is
    below it and the grade is the lowest: such a pipe needs no other reason.

    Parameters
    ----------
    score
        The row of the segment in the frame `scores`.
    """
    if up or (down and str(score["grade"]) == lowest_grade):
        return []
    parts = {cause: [term for term in CAUSES[cause] if term.startswith("ln_likelihood_")] for cause in _OWN}
    factors = pd.Series({cause: float(score[terms].astype("float64").sum()) for cause, terms in parts.items()})
    return top_reasons(factors)[0]


def _text(told: _Told, teller: Teller) -> str:
    language = teller.language
    sentences = [
        _title(told, teller),
        _grade(told, teller),
        _reasons(told.up, "up", teller) or say("explain_up_none", language),
        _reasons(told.own, "own", teller),
        _reasons(told.down, "down", teller),
        _gaps(teller),
        _cohort(told, teller),
        _class(told, language),
        _thresholds(told, language),
        _changes(told, language),
    ]
    return ("" if language == "zh" else " ").join(filter(None, sentences))


def _title(told: _Told, teller: Teller) -> str:
    street = teller.facts["street"]
    at = "" if pd.isna(street) else say("explain_at", teller.language, street=street)
    length_m = told.score["length_m"]
    return say(
        "explain_title", teller.language, segment=told.segment_id, pipe=teller.pipe(), length_m=length_m, street=at
    )


def _grade(told: _Told, teller: Teller) -> str:
    return say(
        "explain_grade",
        teller.language,
        grade=_listed("risk_grade", told.score["grade"], teller.language),
        multiple=times(told.multiple),
        medium=teller.medium(),
    )


def _reasons(reasons: list[Reason], side: str, teller: Teller) -> str:
    if not reasons:
        return ""
    said = [teller.reason(reason.cause, reason.ln, is_own=side == "own") for reason in reasons]
    return say(f"explain_{side}", teller.language, reasons=joined(said, teller.language, "semicolon"))


def _gaps(teller: Teller) -> str:
    gaps = teller.gaps()
    return say("explain_gaps_told", teller.language, gaps=joined(gaps, teller.language)) if gaps else ""


def _cohort(told: _Told, teller: Teller) -> str:
    count, kind = int(told.standing["cohort_count"]), teller.kind()
    if count == 1:
        return say("explain_cohort_alone", teller.language, kind=kind)
    return say(
        "explain_cohort",
        teller.language,
        count=count,
        kind=kind,
        rank=int(told.standing["cohort_rank"]),
        multiple=times(float(told.standing["cohort_multiple"])),
    )


def _class(told: _Told, language: str) -> str:
    """Say the policy class and the rule that decided it."""
    code = str(told.score["policy_code"])
    labels = {rule.code: {"en": rule.label_en, "zh": rule.label_zh} for rule in told.rules.rules}
    rule = labels[code][language] if code in labels else say("explain_no_rule", language)
    return say(
        "explain_class", language, class_name=_listed("policy_class", told.score["policy_class"], language), rule=rule
    )


def grade_limits(medium: str, weights: Weights) -> dict[str, float]:
    """Return the least incidents per kilometre and year of each grade of a medium, the lowest first."""
    told = {limit.medium for limit in weights.grades}
    own = medium if medium in told else None
    return {limit.grade: limit.minimum_incidents_per_km_year for limit in weights.grades if limit.medium == own}


def _thresholds(told: _Told, language: str) -> str:
    """Tell the nearer of the limits above and below."""
    grades, bottoms = list(told.limits), list(told.limits.values())
    risk, place = float(told.score["incidents_per_km_year"]), list(told.limits).index(str(told.score["grade"]))
    sides = []
    if place + 1 < len(grades):
        sides.append(("above", grades[place + 1], bottoms[place + 1] / risk))
    if place > 0:
        sides.append(("below", grades[place - 1], bottoms[place] / risk))
    side, grade, multiple = min(sides, key=lambda entry: abs(np.log(entry[2])))
    return say(
        f"explain_near_{side}", language, grade=_listed("risk_grade", grade, language), multiple=times(float(multiple))
    )


def _changes(told: _Told, language: str) -> str:
    parts = [] if told.changes is None else [_tried(told, told.changes, language)]
    if told.class_assessed != told.score["policy_class"]:
        codes = {"old": told.score["policy_class"], "new": told.class_assessed}
        names = {name: _listed("policy_class", code, language) for name, code in codes.items()}
        parts.append(say("explain_change_assessment", language, **names))
    return ("" if language == "zh" else " ").join(parts)


def _tried(told: _Told, changes: list[Change], language: str) -> str:
    """Say which changes lead to another grade, or that none of those tried does."""
    now = str(told.score["grade"])
    moving = [_change(change, language) for change in changes if change.grade != now][:_CHANGES_TOLD]
    if moving:
        return say("explain_changes", language, changes=joined(moving, language, "semicolon"))
    tried = dict.fromkeys(
        say("explain_tried_leak", language)
        if not change.attribute
        else say("explain_tried_known", language, attribute=gap_name(change.attribute, language))
        for change in changes
    )
    return say("explain_changes_none", language, tried=joined(tried, language))


def _change(change: Change, language: str) -> str:
    told: dict[str, object] = {
        "grade": _listed("risk_grade", change.grade, language),
        "multiple": times(change.multiple),
    }
    if not change.attribute:
        return say("explain_change_leak", language, **told)
    field = fields()["segments"][change.attribute]
    value = (
        _listed(field.list_name, str(change.value), language) if field.list_name else f"{change.value:g} {field.unit}"
    )
    return say("explain_change_known", language, attribute=gap_name(change.attribute, language), value=value, **told)


def _listed(name: str, code: object, language: str) -> str:
    entry = value_list(name).get(str(code))
    return entry.label(language) if entry else str(code)
