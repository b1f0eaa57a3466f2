"""Codes that no value list has, in the words of the reader: rules and closures of the ban set, parties of a site."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from planner.bans import PUBLISHED
from planner.policy import Policy
from planner.policy_bans import BanException, BanRule, Closure
from planner.sharing import STRANGER
from registry.catalogue import joined, say
from registry.fields import value_list


def in_ban_words(table: pd.DataFrame, policy: Policy, language: str) -> pd.DataFrame:
    """Return the table with the labels of rules, exceptions and closures in place of their codes.

    Several codes, joined by bars, become several labels; a code that the ban set does not know stays as it is.
    """
    bans = policy.bans
    parts: dict[str, Sequence[BanRule | BanException | Closure]] = {
        "rule_code": bans.rules,
        "exceptions": bans.exceptions,
        "closures": bans.closures,
    }
    words = table.copy()
    for column, known in parts.items():
        if column not in table:
            continue
        labels = {part.code: part.label_zh if language == "zh" else part.label_en for part in known}
        if column == "rule_code":
            labels[PUBLISHED] = say("plan_ban_published", language)
        said = {codes: _said(codes, labels, language) for codes in table[column].dropna().unique()}
        words[column] = table[column].map(said).astype("str")
    return words


def _said(codes: str, labels: dict[str, str], language: str) -> str:
    return joined((labels.get(code, code) for code in codes.split("|") if code), language, "semicolon")


def party_words(parties: pd.Series, language: str) -> pd.Series:
    """Return the parties of a site as people read them: media in words, owners of projects by their name."""
    labels = {code: value.label(language) for code, value in value_list("medium").items()}
    labels[STRANGER] = say("party_project", language)
    return parties.replace(labels).astype("str")
