"""The catalogue of words for people: every error, finding, label and heading by code, in English and Chinese."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

LANGUAGES: Final = ("en", "zh")
# Chinese readers see money in 万元, English readers in millions
CNY_PER_UNIT: Final = {"zh": 10_000.0, "en": 1_000_000.0}
# less than this is said in yuan: in units it would round to nothing
_SMALL_CNY: Final = 100_000.0


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Read every `registry/words/*.csv` into code -> language -> text.

    Raises
    ------
    ValueError
        If a code appears twice or lacks a language: a fault of ours, found by the tests.
    """
    words: dict[str, dict[str, str]] = {}
    for path in sorted(files("registry").joinpath("words").iterdir(), key=lambda entry: entry.name):
        if not path.name.endswith(".csv"):
            continue
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
            code = row["code"]
            if code in words or not all(row[language] for language in LANGUAGES):
                message = f"catalogue code {code!r} in {path.name} is repeated or lacks a language"
                raise ValueError(message)
            words[code] = {language: row[language] for language in LANGUAGES}
    return words


def joined(parts: Iterable[str], language: str, mark: str = "comma") -> str:
    """Join parts as the language does: by a `comma`, or by a `semicolon` where they may have commas themselves."""
    return say(f"list_{mark}", language).join(parts)


def or_dash(value: float, form: str) -> str:
    """Return a number in a form such as `,.1f`; a dash where it is missing."""
    return "—" if value != value else format(value, form)


def money(cny: float, language: str, places: int = 1, *, is_signed: bool = False) -> str:
    """Say an amount: in the unit of money of the language, below 0.1 million in yuan; a dash where it is missing.

    `places` are those of millions of yuan; one in units of ten thousand has two fewer for the same precision.
    """
    if cny != cny:
        return "—"
    sign = "+" if is_signed else ""
    if abs(cny) < _SMALL_CNY:
        # nothing has no sign of its own
        return say("money_small", language, amount=round(cny) + 0, sign=sign)
    kept = places if language == "en" else max(places - 2, 0)
    return say("money_large", language, amount=cny / CNY_PER_UNIT[language], sign=sign, places=kept)


def say(code: str, language: str = "en", /, **parameters: object) -> str:
    """Return the text of `code` with its named parameters filled in.

    Numbers are formatted by the text itself (`{length_m:,.0f}`). An unknown code is returned as it is, with its
    parameters: a missing word must never hide an error.
    """
    texts = catalogue().get(code)
    if texts is None:
        return f"{code} {parameters}" if parameters else code
    return texts[language if language in LANGUAGES else "en"].format(**parameters)
