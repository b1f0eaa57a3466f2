"""Cells of a report: a frame turned to headings and values as a person reads them, the same for XLSX and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import pandas as pd

from maps.facts import unit_words
from maps.numbers import headline
from maps.report_tables import ReportTables, total
from planner.benefits import is_weighted
from planner.emission_words import methane_phrases
from planner.emissions import SAVED_COLUMNS
from planner.ranking import ranking_phrases
from planner.scenario_words import made_from_phrases
from registry.catalogue import CNY_PER_UNIT, say
from registry.fields import Field, fields, value_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maps.inputs import Inputs

_COMPARED: Final = (
    ("objective", "", "number"),
    ("km", "maps_unit_km", "number"),
    ("batch_count", "", "count"),
    ("joint_batch_count", "", "count"),
    ("cost_cny", "maps_unit_money", "money"),
    ("saving_cny", "maps_unit_money", "money"),
)
# a yuan in millions has six
_PLACES: Final = 8
STEADY: Final = ("stable_share", "kept_share")
Cell = str | float | int | date | None
_SUMMED: Final = frozenset({"m", "CNY", "t/year"})
_SUMMED_COUNTS: Final = frozenset(
    {"segment_count", "batch_count", "household_count", "row_count", "pair_count", "decided_count"}
)
_NEVER_SUMMED: Final = frozenset(
    {
        ("report_segments", "length_m"),
        ("report_segments", "diameter_mm"),
        ("report_projects", "batch_count"),
        # said of the whole case on each of its segments
        ("report_late", "extra_cny"),
        # says how the pipe lies in one project
        ("report_last_chances", "overlap_m"),
    }
)
# frames that name a thing in several rows of which the first one stands for it, with the column that names it
_ONCE: Final = {"report_last_chances": "segment_id"}
_SUMMED_THERE: Final = frozenset({("report_last_chances", "leaks_in_ban")})


@dataclass(frozen=True)
class Column:
    """One column of a table: heading with unit, number format, values, and its sum where sums make sense.

    `is_once` says that the sum counts what stands in several rows once, so that it is not the sum of the cells.
    """

    key: str
    heading: str
    kind: str
    cells: list[Cell]
    total: float | None
    is_once: bool = False


@dataclass(frozen=True)
class Compared:
    """One row of the comparison: what is compared, its unit, the kind of its numbers, and both plans."""

    item: str
    unit: str
    kind: str
    aligned: float
    ignoring: float


def heading(field: Field, language: str) -> str:
    """Return the heading of a column with its unit in brackets; money in that of the language, years need no unit."""
    label = field.label(language)
    unit = unit_words(field.unit) if field.unit and field.unit != "year" else None
    if unit is None:
        return label
    return f"{label}（{unit['zh']}）" if language == "zh" else f"{label} ({unit['en']})"


def columns(table: pd.DataFrame, contract: str, language: str, chosen: Sequence[str] | None = None) -> list[Column]:
    """Return the columns of a table in words: values of lists, truth values and money as the language has them."""
    rows = _rows(table)
    declared = fields()[contract]
    once = ~rows.duplicated(_ONCE[contract]) if contract in _ONCE else None
    return [_column(rows[name], declared[name], language, once) for name in (chosen or list(rows.columns))]


def _rows(table: pd.DataFrame) -> pd.DataFrame:
    return table.reset_index() if table.index.name else table


def batch_columns(tables: ReportTables, language: str, chosen: Sequence[str] | None = None) -> list[Column]:
    """Return the columns of the batches, and what methane each avoids where factors tell."""
    named = list(chosen) if chosen else [str(name) for name in _rows(tables.batches).columns]
    # what was not asked for when the plan was made is no empty column
    known = {name for name in STEADY if name in tables.batches.columns and tables.batches[name].notna().any()}
    named = [name for name in named if name not in STEADY or name in known]
    made = columns(tables.batches, "batches", language, named)
    if tables.batch_methane is None:
        return made
    return [*made, *columns(tables.batch_methane, "batch_methane", language, SAVED_COLUMNS)]


def _column(values: pd.Series, field: Field, language: str, once: pd.Series | None) -> Column:
    kind = _kind(field)
    cells = [
        None if missing else _cell(value, field, kind, language)
        for value, missing in zip(values, values.isna(), strict=True)
    ]
    is_once = once is not None
    counted = cells if once is None else [cell for cell, is_first in zip(cells, once, strict=True) if is_first]
    total = sum(float(str(cell)) for cell in counted if cell is not None) if _is_summed(field) else None
    return Column(field.column, heading(field, language), kind, cells, total, is_once)


def _is_summed(field: Field) -> bool:
    place = (field.frame, field.column)
    is_amount = field.unit in _SUMMED or field.column in _SUMMED_COUNTS
    return (is_amount and place not in _NEVER_SUMMED) or place in _SUMMED_THERE


def _kind(field: Field) -> str:
    if field.dtype in {"text", "boolean", "date"}:
        return "day" if field.dtype == "date" else "text"
    if field.dtype == "integer":
        return "year" if field.unit == "year" else "count"
    if field.column.endswith(("_share", "_probability")):
        return "share"
    return {"CNY": "money", "m": "metres", "mm": "count"}.get(field.unit, "number")


def _cell(value: object, field: Field, kind: str, language: str) -> Cell:
    if kind == "day":
        return pd.Timestamp(str(value)).date()
    if field.dtype == "boolean":
        return say("maps_yes" if value else "maps_no", language)
    if field.list_name:
        entry = value_list(field.list_name).get(str(value))
        return entry.label(language) if entry else str(value)
    if kind == "text":
        return str(value)
    number = float(str(value))
    if kind in {"year", "count"}:
        return round(number)
    return number / CNY_PER_UNIT[language] if kind == "money" else number


def summary_rows(inputs: Inputs, tables: ReportTables, language: str) -> list[tuple[str, float, str]]:
    """Return the rows of the summary: item, value, unit."""
    metres, kilometres, money = (say(f"maps_unit_{code}", language) for code in ("m", "km", "money"))
    cny = CNY_PER_UNIT[language]
    rows = [
        (number.label[language], number.value / cny, money)
        if number.code.endswith("_cny")
        else (number.label[language], number.value, kilometres)
        for number in headline(inputs)
    ]
    declared = fields()["report_projects"]
    for column, value in total(
        tables.projects, ["overlap_m", "mandatory_m", "due_m", "assess_m", "keep_m", "unscored_m"]
    ).items():
        rows.append((declared[column].label(language), value, metres))
    rows.append((declared["saving_cny"].label(language), float(tables.projects["saving_cny"].sum()) / cny, money))
    rows.extend(quality_rows(inputs, language))
    rows.extend(alignment_rows(inputs, language))
    if abs(tables.unassigned_saving_cny) > 0.5:
        rows.append((say("maps_saving_elsewhere", language), tables.unassigned_saving_cny / cny, money))
    return [(item, _settled(value), unit) for item, value, unit in rows]


def _settled(value: float) -> float:
    """Return a number without the digits in which sums in another order differ; nothing has no sign."""
    return round(value, _PLACES) + 0.0


def comparison_rows(inputs: Inputs, language: str) -> list[Compared]:
    """Return the stored comparison of the plan with one that ignores projects."""
    blind = inputs.summary.get("project_blind")
    if not isinstance(blind, dict):
        return []
    cny = CNY_PER_UNIT[language]
    return [
        Compared(
            item=say(f"maps_compare_{_code(key, inputs)}", language),
            unit=say(unit, language) if unit else "",
            kind=kind,
            aligned=_settled(inputs.summary[key] / (cny if kind == "money" else 1.0)),
            ignoring=_settled(blind[key] / (cny if kind == "money" else 1.0)),
        )
        for key, unit, kind in _COMPARED
        if key in inputs.summary and key in blind
    ]


def _code(key: str, inputs: Inputs) -> str:
    """Return the word for a figure: where weights count, the objective is more than risk."""
    return "weighted" if key == "objective" and is_weighted(inputs.summary) else key


def alignment_rows(inputs: Inputs, language: str) -> list[tuple[str, float, str]]:
    """Return what going together with projects brings, and the stable core; nothing of a plan of an earlier version."""
    kilometres, money = say("maps_unit_km", language), say("maps_unit_money", language)
    rows: list[tuple[str, float, str]] = []
    if isinstance(found := inputs.summary.get("alignment"), dict):
        saved, cny = float(found["reinstatement_saved_cny"]), CNY_PER_UNIT[language]
        rows += [
            (say("maps_align_share", language), 100.0 * float(found["aligned_km_share"]), "%"),
            (say("maps_align_km", language), float(found["aligned_km"]), kilometres),
            (say("maps_align_saved", language), saved / cny, money),
            (say("maps_align_locked", language), float(found["locked_out_batch_count"]), ""),
            (say("maps_align_more_risk", language), float(found["more"]["risk"]), ""),
            (say("maps_align_more_cost", language), float(found["more"]["cost_cny"]) / cny, money),
            (say("maps_align_more_saving", language), float(found["more"]["saving_cny"]) / cny, money),
        ]
    if isinstance(steady := inputs.summary.get("stability"), dict):
        share, draws = float(steady["core_share"]), int(steady["draw_count"])
        rows.append((say("maps_core_km", language, share=share, draws=draws), float(steady["core_km"]), kilometres))
    return rows


def quality_rows(inputs: Inputs, language: str) -> list[tuple[str, float, str]]:
    """Return how good the plan is proved to be: risk removed, proven bound, gap, and what a greedy choice removes."""
    rows = [
        (say(f"maps_quality_{_code(key, inputs)}", language), float(inputs.summary[key]), "")
        for key in ("objective", "bound", "greedy")
        if key in inputs.summary
    ]
    if "gap_share" in inputs.summary:
        rows.append((say("maps_quality_gap_share", language), 100.0 * float(inputs.summary["gap_share"]), "%"))
    return rows


def notes(inputs: Inputs, language: str) -> list[str]:
    """Return the notes that a reader needs to use the numbers rightly."""
    codes = ["maps_note_overlap", "maps_note_double", "maps_note_same_year", "maps_note_class", "maps_note_money"]
    if inputs.has_plan:
        codes.append("maps_note_stored")
    if inputs.meeting is not None:
        codes.append("maps_note_stake")
    if inputs.closed is not None:
        codes.append("maps_note_closed")
    sentences = [say(code, language) for code in codes]
    if methane := inputs.summary.get("methane"):
        sentences += [phrase.say(language) for phrase in methane_phrases(methane)]
    sentences += [phrase.say(language) for phrase in made_from_phrases(inputs.summary, language)]
    sentences += [phrase.say(language) for phrase in ranking_phrases(inputs.ranking or inputs.summary.get("ranking"))]
    unverified = inputs.summary.get("unverified_count")
    if unverified:
        sentences.append(say("maps_note_unverified", language, count=unverified))
    return sentences
