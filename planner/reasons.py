"""The reasons of a saved score in words, for a page that has no city at hand: causes and what is not on file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.explain import cause_differences, differences_from, scores_of
from planner.explain_facts import Evidence, find_facts
from planner.explain_text import grade_limits, own_reasons, top_reasons
from planner.explain_words import Teller


@dataclass(frozen=True)
class Reasons:
    """Why a segment has its risk: its grade and class, how many times the usual, and sentences in one language.

    `own` are causes against a pipe without any factor, where the usual explains nothing.
    """

    segment_id: str
    grade: str
    policy_class: str
    multiple: float
    up: tuple[str, ...]
    down: tuple[str, ...]
    gaps: tuple[str, ...]
    own: tuple[str, ...] = ()


def reasons_in_words(
    evidence: Evidence, scores: pd.DataFrame, usual: pd.DataFrame, segment_id: str, language: str
) -> Reasons:
    """Say the three causes that raise a risk most, the one that lowers it most, and what is not on file.

    The causes are those of `explain_in_words`, with the same words.

    Parameters
    ----------
    evidence
        That of the run as far as `find_facts` needs it.
    scores
        The frame `scores` of the run, with the segment; others are not needed.
    usual
        The means of `usual_terms` of the run.

    Raises
    ------
    NotFoundError
        If the segment has no score.
    """
    chosen = scores_of(scores, [segment_id])
    facts = find_facts(evidence, chosen, [segment_id])
    differences = differences_from(chosen, facts["medium"], usual)
    (of_segment,) = facts.to_dict("records")
    teller = Teller({str(name): fact for name, fact in of_segment.items()}, evidence.policy.weights, language)
    up, down = top_reasons(cause_differences(differences).iloc[0])
    limits = grade_limits(str(facts["medium"].iloc[0]), evidence.policy.weights)
    own = own_reasons(chosen.iloc[0], up, down, next(iter(limits)))
    return Reasons(
        segment_id,
        str(chosen["grade"].iloc[0]),
        str(chosen["policy_class"].iloc[0]),
        float(np.exp(differences.iloc[0].sum())),
        tuple(teller.reason(reason.cause, reason.ln) for reason in up),
        tuple(teller.reason(reason.cause, reason.ln) for reason in down),
        tuple(teller.gaps()),
        tuple(teller.reason(reason.cause, reason.ln, is_own=True) for reason in own),
    )
