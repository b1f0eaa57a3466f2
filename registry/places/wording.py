"""Read an address text: which street, between which cross streets or house numbers, at which crossing.

`120-180 MAIN ST`, `W FULLERTON AVE & N WESTERN AVE`, `ON N LOREL AVE FROM W OHIO ST (600 N) TO W HURON ST`,
`罗峰大街（魁星路至温泉路）`, `罗峰大街120号`, `罗峰大街与魁星路交叉口`; several places are set apart by semicolons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from registry.places.street_names import HALF_WIDTH


@dataclass(frozen=True)
class Wording:
    """One place in words. `corners` are the streets of a crossing (two) or around a block (three or more)."""

    street: str | None = None
    cross_from: str | None = None
    cross_to: str | None = None
    number_from: int | None = None
    number_to: int | None = None
    corners: tuple[str, ...] = ()


_APART: Final = re.compile(r"[;；\n]")
# (600 N) behind a cross street: where it stands in the grid of the city
_GRID: Final = re.compile(r"\(\s*-?\d+\s*[NSEW]?\s*\)", re.I)
_TO: Final = r"(?:至|到|—+|–|-|~|～)"
_ENGLISH: Final = (
    re.compile(
        r"^(?:ON\s+)?(?P<street>.+?)\s*[,(]?\s*\b(?:FROM|BETWEEN)\s+(?P<first>.+?)\s+(?:TO|AND|&)\s+(?P<last>.+?)\)?$",
        re.I,
    ),
    re.compile(r"^(?P<street>[^(,:]+?)\s*[(,:]\s*(?P<first>.+?)\s+(?:TO|-|–)\s+(?P<last>.+?)\s*\)?$", re.I),
)
_CHINESE: Final = (
    re.compile(rf"^(?P<street>[^(从自:]+?)\s*[(:]\s*(?P<first>.+?)\s*{_TO}\s*(?P<last>.+?)\s*段?\s*\)?\s*段?$"),
    re.compile(rf"^(?P<street>[^从自]+?)[从自](?P<first>.+?)\s*{_TO}\s*(?P<last>.+?)段?$"),
)
_NUMBER_FIRST: Final = re.compile(
    r"^(?P<first>\d{1,6})[A-Z]?(?:\s*(?:-|–|TO)\s*(?P<last>\d{1,6})[A-Z]?)?\s+(?P<street>.*[^\W\d].*)$", re.I
)
_NUMBER_LAST: Final = re.compile(
    rf"^(?P<street>.*?[\u3400-\u9fff])\s*(?P<first>\d{{1,6}})\s*号?(?:\s*{_TO}\s*(?P<last>\d{{1,6}}))?\s*号(?:段|院|附近|门口|门前|对面|旁边?|处)?$"
)
_MEETING: Final = re.compile(r"\s*(?:&|@|\bAND\b|\bAT\b|与|和|、)\s*", re.I)
_CROSSING_WORD: Final = re.compile(r"(?:交叉口|交汇处|交口|路口)$")
_IDEOGRAPH: Final = re.compile(r"[\u3400-\u9fff]")


def read_wording(text: str) -> list[Wording]:
    """Return the places that a text names, in its order; a text that names nothing but a street is that street."""
    parts = [part.strip() for part in _APART.split(text.translate(HALF_WIDTH).replace("＆", "&"))]
    return list(dict.fromkeys(_read_one(" ".join(_GRID.sub(" ", part).split())) for part in parts if part))


def _read_one(text: str) -> Wording:
    for pattern in _CHINESE if _IDEOGRAPH.search(text) else _ENGLISH:
        if found := pattern.match(text):
            if found["first"].strip("号").isdigit() and found["last"].strip("号").isdigit():
                numbers = sorted((int(found["first"].strip("号")), int(found["last"].strip("号"))))
                return Wording(found["street"].strip(), number_from=numbers[0], number_to=numbers[1])
            return Wording(found["street"].strip(), found["first"].strip(), found["last"].strip())
    for pattern in (_NUMBER_FIRST, _NUMBER_LAST):
        if found := pattern.match(text):
            first = int(found["first"])
            last = int(found["last"]) if found["last"] else first
            return Wording(found["street"].strip(), number_from=min(first, last), number_to=max(first, last))
    return _meeting(text)


def _meeting(text: str) -> Wording:
    corners = tuple(dict.fromkeys(part for part in _MEETING.split(_CROSSING_WORD.sub("", text)) if part))
    return Wording(corners=corners) if len(corners) > 1 else Wording(street=text)
