"""Exceptions of dig bans: which of those that a rule knows could apply to given works, and how they are quoted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.factors import Flags, number_column, text_column
from planner.policy import Policy
from planner.policy_bans import BanException, BanSet
from registry.catalogue import say


def applicable_exceptions(cases: pd.DataFrame, policy: Policy) -> pd.Series:
    """Return for each case the codes of the exceptions that could apply, joined by bars, in the order of the ban set.

    An exception could apply if the ban knows it and none of its conditions is certain to fail. Whether a permit is
    given is for the authority to say. A diameter or a class that is not known fails no condition.

    Parameters
    ----------
    cases
        `exceptions` (what the ban knows, joined by bars); where known `medium`, `policy_class`, `diameter_mm`,
        `method` (how it is dug; missing stands for every way of `timing.renewal_methods`), `project_kind` and
        `days_until_works` of the project on the same ground.

    Returns
    -------
    Index as `cases`, name `exceptions`; empty text where none applies, missing where there is no ban.
    """
    known = text_column(cases, "exceptions")
    bars = "|" + known.fillna("") + "|"
    told = pd.Series("", index=cases.index, dtype="str")
    for exception in policy.bans.exceptions:
        is_known = bars.str.contains(f"|{exception.code}|", regex=False).to_numpy(dtype=bool)
        applies = is_known & _holds(exception, cases, policy)
        told = told.where(~applies, told + "|" + exception.code)
    return told.str.removeprefix("|").where(known.notna()).rename("exceptions")


def _holds(exception: BanException, cases: pd.DataFrame, policy: Policy) -> Flags:
    holds = np.ones(len(cases), dtype=bool)
    if exception.methods is not None:
        planned = bool(set(exception.methods) & set(policy.timing.renewal_methods))
        method = text_column(cases, "method")
        holds &= np.where(method.isna(), planned, method.isin(list(exception.methods)))
    for allowed, column in ((exception.media, "medium"), (exception.policy_classes, "policy_class")):
        if allowed is not None:
            value = text_column(cases, column)
            holds &= (value.isna() | value.isin(list(allowed))).to_numpy(dtype=bool)
    if exception.maximum_diameter_mm is not None:
        holds &= ~(number_column(cases, "diameter_mm") > exception.maximum_diameter_mm)
    if exception.before_project_kinds is not None and exception.before_within_days is not None:
        days = number_column(cases, "days_until_works")
        kind = text_column(cases, "project_kind")
        holds &= kind.isin(list(exception.before_project_kinds)).to_numpy(dtype=bool)
        holds &= (days > 0) & (days <= exception.before_within_days)
    return holds


def quote_exceptions(codes: str, bans: BanSet, language: str) -> list[str]:
    """Return the rule text of each exception, as `label: “quote”`, in the language of the reader."""
    by_code = {exception.code: exception for exception in bans.exceptions}
    return [_quoted(by_code[code], language) for code in codes.split("|") if code]


def label_exceptions(codes: str, bans: BanSet, language: str) -> list[str]:
    """Return the short names of the exceptions in the language of the reader."""
    by_code = {exception.code: exception for exception in bans.exceptions}
    chosen: Sequence[BanException] = [by_code[code] for code in codes.split("|") if code]
    return [exception.label_zh if language == "zh" else exception.label_en for exception in chosen]


def _quoted(exception: BanException, language: str) -> str:
    quote = exception.quote_zh if language == "zh" else exception.quote_en
    label = exception.label_zh if language == "zh" else exception.label_en
    return say("plan_ban_quote", language, label=label, quote=quote)
