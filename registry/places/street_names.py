"""Names of streets as everybody writes them, brought to one form: case, width, street types, directions."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import pandas as pd

# letters, digits and signs of a Chinese keyboard
HALF_WIDTH: Final = {0x3000: " "} | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_IDEOGRAPH: Final = re.compile(r"[\u3400-\u9fff]")
_SIGNS: Final = re.compile(r"[.,'’]")
PARTS: Final = ("prefix", "stem", "type", "suffix")


@dataclass(frozen=True)
class StreetName:
    """The parts of a name: `W NORTH AVE E` is prefix W, stem NORTH, type AVE, suffix E; 罗峰大街 is a stem alone."""

    prefix: str
    stem: str
    type: str
    suffix: str

    @property
    def key(self) -> str:
        """The whole name in its one form."""
        return " ".join(part for part in (self.prefix, self.stem, self.type, self.suffix) if part)


@cache
def _short_forms() -> dict[str, dict[str, str]]:
    """Return part -> word -> its short form, from street_words.csv."""
    text = files("registry.places").joinpath("street_words.csv").read_text(encoding="utf-8")
    known: dict[str, dict[str, str]] = {"type": {}, "direction": {}, "end": {}}
    for row in csv.DictReader(text.splitlines()):
        known[row["part"]][row["word"]] = row["short"]
    return known


def plain(text: str) -> str:
    """Return a text in half-width capitals without full stops, commas and doubled spaces; Chinese without any space."""
    flat = _SIGNS.sub("", text.translate(HALF_WIDTH)).upper()
    return "".join(flat.split()) if _IDEOGRAPH.search(flat) else " ".join(flat.split())


def is_street_end(text: str) -> bool:
    """Tell whether words that stand for a cross street mean the loose end of the street itself."""
    return plain(text).replace("-", " ") in _short_forms()["end"]


@cache
def read_street_name(text: str) -> StreetName:
    """Take a name apart. A word counts as direction or type only where such a word stands: ST JAMES ST is a saint's.

    Chinese names stay whole: 罗峰路 and 罗峰大街 are two streets.
    """
    words = plain(text).split(" ")
    forms = _short_forms()
    prefix = suffix = kind = ""
    if len(words) > 2 and words[0] in forms["direction"]:
        prefix = forms["direction"][words.pop(0)]
    if len(words) > 2 and words[-1] in forms["direction"]:
        suffix = forms["direction"][words.pop()]
    if len(words) > 1 and words[-1] in forms["type"]:
        kind = forms["type"][words.pop()]
    elif len(words) == 2 and words[-1] in forms["direction"]:
        suffix = forms["direction"][words.pop()]
    elif len(words) == 2 and words[0] in forms["direction"]:
        prefix = forms["direction"][words.pop(0)]
    return StreetName(prefix, " ".join(words), kind, suffix)


def name_parts(names: pd.Series) -> pd.DataFrame:
    """Return prefix, stem, type and suffix of each name; rows without a name have no stem."""
    distinct = names.dropna().unique()
    read = {name: read_street_name(str(name)) for name in distinct}
    return pd.DataFrame(
        {
            part: names.map({name: getattr(parts, part) for name, parts in read.items()}).astype(object)
            for part in PARTS
        },
        index=names.index,
    )
