"""Facts for popups: columns of a frame with their labels, units and value lists, as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from maps.inputs import Both, both
from maps.payload import Blob, add_day, add_listed, add_number
from registry.catalogue import CNY_PER_UNIT
from registry.fields import Field, fields, value_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_UNITS: Final = {
    "m": "maps_unit_m",
    "km": "maps_unit_km",
    "mm": "maps_unit_mm",
    "kPa": "maps_unit_kpa",
    "year": "maps_unit_year",
    "1/(km*year)": "maps_unit_per_km_year",
    "1/year": "maps_unit_per_year",
    "CNY": "maps_unit_money",
    "t/year": "maps_unit_t_year",
}
_DECIMALS: Final = {"m": 1, "mm": 0, "kPa": 1, "year": 0, "1/(km*year)": 3, "1/year": 4, "CNY": 2}
# money travels in 10,000 yuan; the page divides it for its language
_CNY_STORED: Final = 10_000.0
_YES_NO: Final = {True: "maps_yes", False: "maps_no"}


@dataclass(frozen=True)
class Fact:
    """One column in a popup: its values by row of the layer, how to show them, and under which label.

    What is wide is a sentence, and stands below its label.
    """

    key: str
    label: Both
    field: Field | None
    column: pd.Series
    is_hidden: bool = False
    words: Mapping[str, Both] | None = None
    is_wide: bool = False


def field_fact(contract: str, column: str, values: pd.Series, *, is_hidden: bool = False) -> Fact:
    """Make a fact that fields.csv declares."""
    declared = fields()[contract][column]
    label = {"en": declared.label_en, "zh": declared.label_zh}
    return Fact(column, label, declared, values, is_hidden=is_hidden)


def text_fact(key: str, code: str, values: pd.Series) -> Fact:
    """Make a fact of text that is put together from several columns; its label comes from the catalogue."""
    return Fact(key, both(code), None, values)


def worded_fact(key: str, code: str, values: pd.Series, words: Mapping[str, Both]) -> Fact:
    """Make a fact of codes, its label from the catalogue; values without words are shown as they are."""
    return Fact(key, both(code), None, values, words=words)


def sentence_fact(contract: str, column: str, sentences: Mapping[str, pd.Series], index: pd.Index) -> Fact:
    """Make a fact of sentences, by language; rows of the index without one have none."""
    declared = fields()[contract][column]
    known = {language: texts.dropna() for language, texts in sentences.items()}
    ids = next(iter(known.values())).index
    words = {str(name): {language: str(texts[name]) for language, texts in known.items()} for name in ids}
    values = pd.Series(index.astype("str"), index).where(index.isin(ids))
    label = {"en": declared.label_en, "zh": declared.label_zh}
    return Fact(column, label, None, values, words=words, is_wide=True)


def frame_facts(table: pd.DataFrame, contract: str, columns: Sequence[str]) -> list[Fact]:
    """Make the facts of those columns that the frame has."""
    return [field_fact(contract, column, table[column]) for column in columns if column in table.columns]


def unit_words(unit: str) -> Both | None:
    """Return the words for a unit of fields.csv; money has the unit of the language."""
    return both(_UNITS[unit]) if unit in _UNITS else None


def add_facts(blob: Blob, facts: Sequence[Fact]) -> None:
    """Add the columns and their descriptions to a blob."""
    blob.header["facts"] = [_added(blob, fact) for fact in facts]


def _added(blob: Blob, fact: Fact) -> dict[str, Any]:
    described: dict[str, Any] = {"key": fact.key, "label": fact.label}
    if fact.is_hidden:
        described["is_hidden"] = True
    if fact.is_wide:
        described["is_wide"] = True
    dtype = fact.field.dtype if fact.field is not None else "text"
    if dtype == "text" or dtype == "boolean":
        return described | _add_text(blob, fact, dtype)
    if dtype == "date":
        add_day(blob, fact.key, fact.column)
        return described | {"kind": "day", "decimals": 0}
    return described | _add_numeric(blob, fact)


def _add_text(blob: Blob, fact: Fact, dtype: str) -> dict[str, Any]:
    if dtype == "boolean":
        words = {str(value): both(code) for value, code in _YES_NO.items()}
        found = add_listed(blob, fact.key, fact.column.map({True: "True", False: "False"}))
        return {"kind": "listed", "values": [words[value] for value in found]}
    found = add_listed(blob, fact.key, fact.column)
    if fact.words is not None:
        return {"kind": "listed", "values": [fact.words.get(code, {"en": code, "zh": code}) for code in found]}
    if fact.field is not None and fact.field.list_name:
        return {"kind": "listed", "values": [list_words(fact.field.list_name, code) for code in found]}
    return {"kind": "text", "values": found}


def _add_numeric(blob: Blob, fact: Fact) -> dict[str, Any]:
    if fact.field is None:
        return {}
    unit = fact.field.unit
    if fact.field.dtype == "integer":
        add_number(blob, fact.key, fact.column, 0)
        return {"kind": "year" if unit == "year" else "number", "decimals": 0}
    decimals = _DECIMALS.get(unit, 2)
    described = {"kind": "number", "decimals": decimals, "unit": unit_words(unit)}
    if unit != "CNY":
        add_number(blob, fact.key, fact.column, decimals)
        return described
    add_number(blob, fact.key, fact.column / _CNY_STORED, decimals)
    return described | {"per_unit": {language: cny / _CNY_STORED for language, cny in CNY_PER_UNIT.items()}}


def list_words(list_name: str, code: str) -> Both:
    """Return the words for a code of a value list; a code the list does not know is shown as it is."""
    entry = value_list(list_name).get(code)
    return {"en": entry.label_en, "zh": entry.label_zh} if entry else {"en": code, "zh": code}


def year_text(table: pd.DataFrame) -> pd.Series:
    """Return the install interval as text: one year, `1980–1989`, or missing."""
    earliest, latest = table["installed_year_min"], table["installed_year_max"]
    first = earliest.fillna(latest)
    last = latest.fillna(earliest)
    text = first.astype("str").where(first == last, first.astype("str") + "–" + last.astype("str"))
    return text.where(first.notna())


def diameter_text(table: pd.DataFrame) -> pd.Series:
    """Return the diameter with its kind, for example `DN 300`."""
    millimetres = table["diameter_mm"].round().astype("Int64").astype("str")
    if "diameter_kind" not in table.columns:
        return millimetres.where(table["diameter_mm"].notna())
    kind = table["diameter_kind"].where(table["diameter_kind"].isin(["DN", "OD"]), "")
    return (kind.fillna("") + " " + millimetres).str.strip().where(table["diameter_mm"].notna())


def top_causes(
    scores: pd.DataFrame, medium: pd.Series, count: int
) -> tuple[list[Both], list[np.ndarray], list[np.ndarray]]:
    """Return the strongest causes of each segment: their words, their codes by rank, their logarithms.

    Strongest means furthest from the usual of the medium, in either direction, as `digonce explain` tells them. Code 0
    stands for a segment without scores.
    """
    from planner.explain import CAUSES, TERMS, cause_differences, term_differences

    scored = scores[scores["risk_per_km_year"].notna()]
    terms = scored.reindex(columns=[*TERMS, "length_m"]).fillna(0.0)
    causes = cause_differences(term_differences(terms, medium)).reindex(scores.index)
    values = causes.to_numpy(dtype="float64")
    is_scored: NDArray[np.bool_] = np.asarray(np.isfinite(values).all(axis=1), dtype=bool)
    order = np.argsort(-np.abs(np.nan_to_num(values)), axis=1, kind="stable")[:, :count]
    strongest = np.take_along_axis(np.nan_to_num(values), order, axis=1)
    is_shown = is_scored[:, None] & (np.abs(strongest) > 0)
    codes = np.where(is_shown, order + 1, 0).astype(np.int64)
    return [list_words("explanation_cause", cause) for cause in CAUSES], list(codes.T), list(strongest.T)
