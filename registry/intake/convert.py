"""From raw values to ours: words to codes, text to numbers, years and days. Column by column, never row by row.

Every distinct value is understood once: a census of a million rows has a few hundred distinct words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from registry.arrow import compute as pc
from registry.fields import Field, value_list
from registry.frames import ARROW_TYPES

if TYPE_CHECKING:
    from registry.intake.findings import Findings, Mask

# letters and digits of a Chinese keyboard; not the whole of NFKC, which makes 102 of 10²
_HALF_WIDTH: Final = {0x3000: " "} | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
# networks older than this are museums, and later years are slips of the pen
_YEARS_OF_PIPES: Final = range(1850, 2201)
_BLANK: Final = frozenset({"", "-", "--", "/", "\\", "null", "none", "nan", "n/a", "na"})
_TRUE: Final = frozenset({"是", "有", "y", "yes", "true", "1", "t", "√"})
_FALSE: Final = frozenset({"否", "无", "n", "no", "false", "0", "f", "×"})
_DIAMETER: Final = re.compile(
    r"^(?P<kind>dn|de|od|d|φ|ø|Φ)?\s*(?P<size>\d+(?:\.\d+)?)\s*(?:mm)?\s*(?:[x×*]\s*\d+(?:\.\d+)?)?$", re.I
)
_YEAR: Final = re.compile(r"^(\d{4})(?:\.0+)?年?(?:建|建成|投用)?$")
_DECADE: Final = re.compile(r"^(?:(\d{4})|(\d{2}))年代$")
_YEARS: Final = re.compile(r"^(\d{4})年?\s*[-~—–至到]\s*(\d{4})年?$")
_DAY: Final = re.compile(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?$")
_MONTH: Final = re.compile(r"^(\d{4})[-/.年](\d{1,2})月?$")
_COMPACT: Final = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_LAST_DAY_OF_YEAR: Final = frozenset({"ends_on"})
# below this a suggestion is a guess; of two characters one must not be enough, and no medium is offered for another
_LIKENESS: Final = 60
_LIKENESS_OF_MEDIA: Final = 85
# rows for each distinct value from which on understanding a value that does not occur costs nothing
_FEW: Final = 16
_UNKNOWN_WORDS: Final = frozenset({"不明", "未知", "不详", "其它", "其他", "unknown"})


class UnreadableError(Exception):
    """A value that cannot be understood; carries the code of the reason and a value to offer."""

    def __init__(self, code: str, offered: object = None) -> None:
        super().__init__(code)
        self.code = code
        self.offered = offered


def is_blank(value: object) -> bool:
    """Tell whether a raw value says nothing."""
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return True
    return isinstance(value, str) and value.strip().casefold() in _BLANK


def join_texts(parts: list[pd.Series]) -> pd.Series:
    """Return the texts of several columns with a space between them; blank parts are left out."""
    texts = [part.map(lambda value: "" if is_blank(value) else text_of(value)).astype("str") for part in parts]
    joined = pd.concat(texts, axis=1).agg(" ".join, axis=1).str.split().str.join(" ")
    return joined.where(joined != "", None)


def convert(
    raw: pd.Series,
    field: Field,
    findings: Findings,
    words: dict[str, str],
    factor: float,
    day_form: str | None = None,
) -> pa.Array:
    """Return the column in our terms and types; what cannot be understood is noted and left empty.

    Parameters
    ----------
    raw
        The column as delivered.
    field
        What it should become.
    findings
        Takes the faults.
    words
        Words of the mapping, theirs -> ours; for a number or a day `"0" = ""` says that 0 means unknown.
    factor
        What numbers are multiplied by to be in our unit.
    day_form
        How the file writes days, as `strptime` has it; then nothing else is a day.
    """
    if field.dtype == "double" and raw.dtype.kind in "if" and not words:
        numbers = raw.to_numpy(dtype="float64", na_value=np.nan) * factor
        _note_outside(_outside(numbers, field), raw, field, findings)
        return pa.array(numbers, from_pandas=True)
    if field.dtype == "text" and not field.list_name and not words and raw.dtype == "str":
        # ids and names are nearly all distinct: no gain from understanding each value once
        return _plain_text(raw)
    understand = _understander(field, words) if day_form is None else partial(_day_in_form, form=day_form)
    # a value list takes the mapping's words among its own; any other column has them replaced beforehand
    reworded = bool(words) and not field.list_name
    is_free = field.dtype == "text" and not field.list_name
    codes, distinct = _distinct(raw)
    values = [words.get(text_of(value), value) for value in distinct] if reworded else distinct
    results, bad, offered = _understood(values, understand, is_free=is_free)
    if any(bad):
        form = {"form": day_form} if day_form else {}
        _note_unreadable(codes, bad, offered, raw, field, findings, **form)
    if field.dtype in {"double", "integer"}:
        scaled = np.array([np.nan if value is None else value * factor for value in results], dtype="float64")
        is_outside = _outside(scaled, field)
        if is_outside.any():
            _note_outside(_spread(is_outside, codes), raw, field, findings)
        return pa.array(scaled, from_pandas=True).cast(ARROW_TYPES[field.dtype]).take(codes)
    return pa.array(results, type=ARROW_TYPES[field.dtype]).take(codes)


def _understood(
    values: list[Any], understand: Callable[[object], object], *, is_free: bool
) -> tuple[list[Any], list[str | None], list[object]]:
    """Return what each value means, or why that cannot be told and what may have been meant."""
    results: list[Any] = []
    bad: list[str | None] = []
    offered: list[object] = []
    for value in values:
        said = value.translate(_HALF_WIDTH) if isinstance(value, str) and not is_free else value
        try:
            results.append(None if is_blank(said) else understand(said))
            bad.append(None)
            offered.append(None)
        except UnreadableError as fault:
            results.append(None)
            bad.append(fault.code)
            offered.append(fault.offered)
    return results, bad, offered


def _distinct(raw: pd.Series) -> tuple[pa.Array, list[Any]]:
    """Return for each row the number of its value among the distinct ones, null where it has none."""
    if isinstance(raw.dtype, pd.CategoricalDtype):
        # of a long list of words few may occur in this part
        used = raw.cat.remove_unused_categories() if len(raw.cat.categories) * _FEW > len(raw) else raw
        codes = used.cat.codes.to_numpy()
        return pa.array(codes, mask=codes < 0), used.cat.categories.tolist()
    if raw.dtype == "str":
        encoded = _as_arrow(raw).dictionary_encode()
        return encoded.indices, encoded.dictionary.to_pylist()
    codes, distinct = pd.factorize(raw, use_na_sentinel=True)
    return pa.array(codes, mask=codes < 0), list(distinct)


def _as_arrow(raw: pd.Series) -> pa.Array:
    column = pa.Array.from_pandas(raw)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _plain_text(raw: pd.Series) -> pa.Array:
    text = pc.utf8_trim_whitespace(_as_arrow(raw)).cast(pa.string())
    is_blank_ = pc.is_in(pc.utf8_lower(text), value_set=pa.array(sorted(_BLANK)))
    return pc.if_else(is_blank_, None, text)


def _spread(of_distinct: npt.ArrayLike, codes: pa.Array) -> npt.NDArray[Any]:
    """Return for each row what belongs to its value; for a row without a value what is nothing."""
    # one more entry for the rows without a value
    table = np.append(np.asarray(of_distinct), np.zeros(1, dtype=np.asarray(of_distinct).dtype))
    taken = pc.fill_null(codes, len(table) - 1).to_numpy(zero_copy_only=False)
    return np.asarray(table[taken])


def _note_unreadable(
    codes: pa.Array,
    bad: list[str | None],
    offered: list[object],
    raw: pd.Series,
    field: Field,
    findings: Findings,
    **parameters: object,
) -> None:
    offers = _spread(np.array(offered, dtype=object), codes)
    for code in sorted({entry for entry in bad if entry}):
        rows = _spread([entry == code for entry in bad], codes)
        findings.add(rows, field.column, code, values=raw.to_numpy(dtype=object), offered=offers, **parameters)


def _outside(numbers: npt.NDArray[np.float64], field: Field) -> Mask:
    low = -np.inf if field.minimum is None else field.minimum
    high = np.inf if field.maximum is None else field.maximum
    with np.errstate(invalid="ignore"):
        return ~np.isnan(numbers) & ~((numbers >= low) & (numbers <= high))


def _note_outside(rows: Mask, raw: pd.Series, field: Field, findings: Findings) -> None:
    if rows.any():
        findings.add(
            rows,
            field.column,
            "out_of_range",
            values=raw.to_numpy(dtype=object),
            minimum=field.minimum,
            maximum=field.maximum,
            unit=field.unit,
        )


def _understander(field: Field, words: dict[str, str]) -> Callable[[object], object]:
    if field.list_name:
        return _listed(field, words)
    if field.column in {"installed_year_min", "installed_year_max"}:
        return lambda value: _year_of_interval(value, is_last=field.column.endswith("max"))
    if field.column == "diameter_mm":
        return _diameter
    return {
        "double": _number,
        "integer": _integer,
        "boolean": _truth,
        "date": lambda value: _likely_day(value, is_last=field.column in _LAST_DAY_OF_YEAR),
    }.get(field.dtype, text_of)


def text_of(value: object) -> str:
    """Return a raw value as text: whole numbers without a decimal point, days as 2026-11-01."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and value.strip() in _UNKNOWN_WORDS:
        return float("nan")
    try:
        number = float(str(value).strip().replace(",", ""))
    except ValueError:
        raise UnreadableError("not_a_number") from None
    if not np.isfinite(number):
        raise UnreadableError("not_a_number")
    return number


def _integer(value: object) -> int | None:
    number = _number(value)
    if np.isnan(number):
        return None
    if np.isinf(number):
        raise UnreadableError("not_a_whole_number")
    if not float(number).is_integer():
        raise UnreadableError("not_a_whole_number", round(number))
    return int(number)


def _truth(value: object) -> bool | None:
    word = text_of(value).casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    if word in _UNKNOWN_WORDS:
        return None
    raise UnreadableError("not_yes_or_no")


def _diameter(value: object) -> float:
    """Read `200`, `DN200`, `De160`, `D219×6` (wall thickness is dropped) in millimetres."""
    if isinstance(value, int | float):
        return float(value)
    text = text_of(value)
    if text in _UNKNOWN_WORDS:
        return float("nan")
    found = _DIAMETER.match(text)
    if found is None:
        raise UnreadableError("not_a_diameter")
    return float(found["size"])


def _year_of_interval(value: object, *, is_last: bool) -> int | None:
    """Read `1994`, `1990年代`, `90年代`, `1985-1990` or a day as the earliest or latest year."""
    if isinstance(value, datetime | date):
        return value.year
    text = text_of(value)
    if text in _UNKNOWN_WORDS:
        return None
    if found := _YEAR.match(text):
        return int(found[1])
    if found := _DECADE.match(text):
        start = int(found[1]) if found[1] else 1900 + int(found[2])
        return start + 9 if is_last else start
    if found := _YEARS.match(text):
        return int(found[2] if is_last else found[1])
    try:
        return _day(value, is_last=is_last).year
    except UnreadableError:
        raise UnreadableError("not_a_year") from None


def _day(value: object, *, is_last: bool) -> date:
    """Read a day; a bare year or month means its first day, or its last where the column is an end."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = text_of(value)
    try:
        if found := _DAY.match(text) or _COMPACT.match(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _MONTH.match(text):
            month = pd.Period(year=int(found[1]), month=int(found[2]), freq="M")
            return (month.end_time if is_last else month.start_time).date()
        if (found := _YEAR.match(text)) and int(found[1]) in _YEARS_OF_PIPES:
            return date(int(found[1]), 12, 31) if is_last else date(int(found[1]), 1, 1)
    except ValueError:
        pass
    raise UnreadableError("not_a_day")


def _likely_day(value: object, *, is_last: bool) -> date:
    day = _day(value, is_last=is_last)
    if day.year not in _YEARS_OF_PIPES:
        raise UnreadableError("day_out_of_range")
    return day


def _day_in_form(value: object, *, form: str) -> date:
    if isinstance(value, str):
        try:
            value = datetime.strptime(value.strip(), form)
        except ValueError:
            raise UnreadableError("not_a_day_in_form") from None
    return _likely_day(value, is_last=False)


def _listed(field: Field, words: dict[str, str]) -> Callable[[object], object]:
    known = _known_words(field.list_name) | {_folded(theirs): ours for theirs, ours in words.items()}

    def understand(value: object) -> str:
        word = text_of(value)
        code = known.get(_folded(word))
        if code is None:
            raise UnreadableError("value_not_listed", _nearest(word, field.list_name))
        return code

    return understand


@cache
def _known_words(list_name: str) -> dict[str, str]:
    """Return word -> code of a value list: codes, labels of both languages and aliases."""
    known: dict[str, str] = {}
    for entry in value_list(list_name).values():
        for word in (entry.code, entry.label_zh, entry.label_en, *entry.aliases):
            known.setdefault(_folded(word), entry.code)
    return known


def _folded(word: str) -> str:
    return "".join(word.translate(_HALF_WIDTH).split()).casefold()


def _nearest(word: str, list_name: str) -> str | None:
    """Return the listed word most like this one, as a suggestion."""
    from rapidfuzz import fuzz, process

    choices = {
        name: f"{entry.label_zh} ({entry.code})"
        for entry in value_list(list_name).values()
        for name in (entry.label_zh, entry.label_en, *entry.aliases)
    }
    likeness = _LIKENESS_OF_MEDIA if list_name == "medium" else _LIKENESS
    found = process.extractOne(word, list(choices), scorer=fuzz.ratio, score_cutoff=likeness)
    return choices[found[0]] if found else None
