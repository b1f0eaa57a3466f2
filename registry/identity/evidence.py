"""What the attributes of two pipes say about their being one pipe; what is unknown says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from registry.identity.census import Census, Flags, Floats, Rows
from registry.identity.settings import AttributeRule, IdentitySettings

_SAYS_NOTHING: Final = ("unknown", "other", "")


@dataclass(frozen=True)
class Agreement:
    """Per pair the log-odds of all attributes together, and the share of the comparable ones that agree.

    `share` is missing where nothing can be compared.
    """

    log_odds: Floats
    share: Floats


def compare_attributes(
    known: Census, delivered: Census, pairs: tuple[Rows, Rows], settings: IdentitySettings
) -> Agreement:
    """Compare the attributes of pairs (rows of delivered, rows of known) by the rules of the settings."""
    count = len(pairs[0])
    log_odds, agreeing, comparable = np.zeros(count), np.zeros(count), np.zeros(count)
    for rule in settings.attributes:
        found = _compare(rule, known.rows, delivered.rows, pairs)
        if found is None:
            continue
        strength, differs = found
        log_odds += rule.agree * strength + rule.differ * differs
        agreeing += strength > 0
        comparable += (strength > 0) | differs
    share = np.divide(agreeing, comparable, out=np.full(count, np.nan), where=comparable > 0)
    return Agreement(log_odds, share)


def media_may_agree(known: Census, delivered: Census, pairs: tuple[Rows, Rows]) -> Flags:
    """Tell which pairs may carry one medium: gas is never matched to water."""
    theirs, ours = _codes(delivered.rows["medium"], known.rows["medium"])[0]
    a, b = theirs[pairs[0]], ours[pairs[1]]
    may_agree: Flags = (a == b) | (a < 0) | (b < 0)
    return may_agree


def _compare(
    rule: AttributeRule, known: pd.DataFrame, delivered: pd.DataFrame, pairs: tuple[Rows, Rows]
) -> tuple[Floats, Flags] | None:
    """Return how strongly each pair agrees, 0 to 1, and where it differs; None where a side lacks the column."""
    names = [f"{rule.column}_min", f"{rule.column}_max"] if rule.compare == "years" else [rule.column]
    if not set(names) <= set(known.columns) & set(delivered.columns):
        return None
    if rule.compare == "code":
        return _compare_codes(rule, delivered[rule.column], known[rule.column], pairs)
    theirs = [_numbers(delivered[name])[pairs[0]] for name in names]
    ours = [_numbers(known[name])[pairs[1]] for name in names]
    if rule.compare == "number":
        return _compare_numbers(rule, theirs[0], ours[0])
    return _compare_years(rule, (theirs[0], theirs[1]), (ours[0], ours[1]))


def _numbers(values: pd.Series) -> Floats:
    numbers: Floats = np.asarray(values.astype("Float64").to_numpy(dtype="float64", na_value=np.nan), dtype=np.float64)
    return numbers


def _codes(theirs: pd.Series, ours: pd.Series) -> tuple[tuple[Rows, Rows], list[str]]:
    """Number the words of two columns alike, without regard to case and spaces; -1 says nothing."""
    words = pd.concat([theirs, ours], ignore_index=True).astype("str")
    numbers, distinct = pd.factorize(words)
    folded = pd.Index([str(word).strip().casefold() for word in distinct], dtype="str")
    same, names = pd.factorize(folded)
    same = np.where(np.isin(folded, _SAYS_NOTHING), -1, same)
    # the last place is for missing values, which factorize numbers -1
    found = np.append(same, -1)[numbers].astype(np.int64)
    return (found[: len(theirs)], found[len(theirs) :]), [str(name) for name in names]


def _compare_codes(
    rule: AttributeRule, theirs: pd.Series, ours: pd.Series, pairs: tuple[Rows, Rows]
) -> tuple[Floats, Flags]:
    (their_codes, our_codes), names = _codes(theirs, ours)
    a, b = their_codes[pairs[0]], our_codes[pairs[1]]
    is_known = (a >= 0) & (b >= 0)
    is_akin = np.zeros((len(names) + 1, len(names) + 1), dtype=bool)
    number = {name: place for place, name in enumerate(names)}
    for unspecific, specific in rule.akin.items():
        for code in specific:
            if unspecific in number and code in number:
                is_akin[number[unspecific], number[code]] = is_akin[number[code], number[unspecific]] = True
    agrees: Floats = (is_known & (a == b)).astype(np.float64)
    return agrees, is_known & (a != b) & ~is_akin[a, b]


def _compare_numbers(rule: AttributeRule, theirs: Floats, ours: Floats) -> tuple[Floats, Flags]:
    off: Floats = np.abs(theirs - ours) / np.maximum(np.maximum(theirs, ours), 1e-9)
    agrees: Floats = (off <= rule.same_share).astype(np.float64)
    return agrees, off > rule.near_share


def _compare_years(
    rule: AttributeRule, theirs: tuple[Floats, Floats], ours: tuple[Floats, Floats]
) -> tuple[Floats, Flags]:
    """Compare intervals; an open end is as wide as can be and so agrees with nothing, but may still differ."""
    low = [np.where(np.isnan(side[0]), -np.inf, side[0]) for side in (theirs, ours)]
    high = [np.where(np.isnan(side[1]), np.inf, side[1]) for side in (theirs, ours)]
    gap = np.maximum(low[0], low[1]) - np.minimum(high[0], high[1])
    width = np.maximum(high[0] - low[0], high[1] - low[1])
    strength: Floats = np.zeros(len(gap))
    meets = gap <= 0
    strength[meets] = np.clip(1.0 - width[meets] / rule.wide_years, 0.0, 1.0)
    return strength, gap > rule.near_years
