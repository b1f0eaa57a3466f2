"""The overlap report for coordination meetings, as XLSX and HTML with the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from maps.inputs import Inputs, both
from maps.numbers import alignment_words, headline, held_line, notices
from maps.offline import own_file
from maps.outlook_chart import outlook_charts
from maps.pages import save_page
from maps.palette import stroke
from maps.plan_map import templates
from maps.report_cells import STEADY, Cell, batch_columns, columns, comparison_rows, notes
from maps.report_pairs import closed_rows, stake_of
from maps.report_tables import CLASSES, ReportTables, make_tables
from maps.report_xlsx import write_xlsx
from registry.catalogue import CNY_PER_UNIT, money, say
from registry.errors import DrawingError
from registry.fields import fields, value_list

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "overlap-report"
_BATCH_COLUMNS: Final = (
    "year",
    "label",
    "kind",
    "policy_class",
    "segment_count",
    "length_m",
    "mandatory_m",
    "household_count",
    "cost_alone_cny",
    "saving_cny",
    "cost_cny",
    *STEADY,
)
_LATE_COLUMNS: Final = ("place", "policy_class", "due_year", "year", "length_m", "segment_id", "text")
_LAST_COLUMNS: Final = (
    "rank",
    "street_name",
    "segment_id",
    "project_name",
    "banned_from",
    "banned_until",
    "leaks_in_ban",
    "leak_probability",
    "leak_cost_cny",
    "lost_saving_cny",
    "price_cny",
    "plan_year",
)
_SEGMENT_COLUMNS: Final = (
    "segment_id",
    "street_name",
    "compound_name",
    "tier",
    "material",
    "installed_year_min",
    "length_m",
    "overlap_m",
    "policy_class",
    "grade",
    "year",
    "is_together",
)
_PLACE_COLUMNS: Final = (
    "place",
    "pair_count",
    "segment_count",
    "project_count",
    "overlap_m",
    "together_m",
    "near_miss_m",
    "race_m",
    "conflict_m",
    "too_late_m",
    "saving_cny",
    "at_stake_cny",
)
_CLOSED_COLUMNS: Final = (
    "street_name",
    "ends_on",
    "days_left",
    "state",
    "starts_on",
    "cause",
    "rule",
    "exceptions",
    "source_kind",
    "is_verified",
)
_SHOWN_PAIRS: Final = 20
_SHOWN_PLACES: Final = 10
_SHOWN_LATE: Final = 10
_DECIMALS: Final = {"metres": 1, "count": 0, "number": 3}
_MONEY_DECIMALS: Final = {"zh": 2, "en": 3}


def write_report(inputs: Inputs, path: Path, language: str = "zh") -> list[Path]:
    """Write the report to a file by its suffix, or both files into a folder, and return what was written.

    Raises
    ------
    DrawingError
        If the suffix is neither .xlsx nor .html, or there are no overlaps to report.
    """
    tables = make_tables(inputs, language)
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        path.parent.mkdir(parents=True, exist_ok=True)
        return [write_xlsx(inputs, tables, path, language)]
    if suffix in {".html", ".htm"}:
        path.parent.mkdir(parents=True, exist_ok=True)
        return [save_page(draw_report(inputs, tables, language), path)]
    if suffix and not path.is_dir():
        raise DrawingError("maps_suffix_unknown", path=path)
    path.mkdir(parents=True, exist_ok=True)
    page = save_page(draw_report(inputs, tables, language), path / f"{NAME}.html")
    return [write_xlsx(inputs, tables, path / f"{NAME}.xlsx", language), page]


def shown(value: Cell, kind: str, language: str) -> str:
    """Return a cell as the page shows it; millions need more decimals than 万元."""
    if value is None:
        return "—"
    if isinstance(value, int | float):
        if kind == "share":
            return f"{value:.0%}"
        if kind == "money":
            return f"{value:,.{_MONEY_DECIMALS[language]}f}"
        if kind in _DECIMALS:
            return f"{value:,.{_DECIMALS[kind]}f}"
    return str(value)


def draw_report(inputs: Inputs, tables: ReportTables, language: str) -> str:
    """Return the report as one self-contained page: numbers, projects one by one, batches, comparison, held back."""
    touched = tables.projects[tables.projects["overlap_m"] > 0]
    others = tables.projects[tables.projects["overlap_m"] <= 0]
    return (
        templates()
        .get_template("report.html")
        .render(
            language=language,
            style=own_file("look.css") + own_file("report.css") + own_file("charts.css"),
            inputs=inputs,
            say=lambda code, **parameters: say(code, language, **parameters),
            shown=lambda value, kind: shown(value, kind, language),
            money=lambda cell: money(cell * CNY_PER_UNIT[language], language),
            numbers=headline(inputs),
            pairs=_pairs(inputs, tables, language),
            places=_places(tables, language),
            closed=_closed(inputs, language),
            projects=[
                _project(tables, str(project_id), row, language)
                for project_id, row in zip(touched.index, touched.to_dict("records"), strict=True)
            ],
            others=[str(name) for name in others["name"]],
            classes=_classes(language),
            years=columns(tables.years, "report_years", language),
            batches=batch_columns(tables, language, _BATCH_COLUMNS),
            late=_late(tables, language),
            last=_last_chances(tables, language),
            outlooks=outlook_charts(inputs.outlook, language),
            comparison=comparison_rows(inputs, language),
            alignment=[sentence[language] for sentence in alignment_words(inputs)],
            held=held_line(inputs.held)[language],
            held_rows=columns(tables.held, "report_held", language),
            notices=[sentence[language] for sentence in notices(inputs)],
            notes=notes(inputs, language),
            labels={name: field.label(language) for name, field in fields()["report_projects"].items()},
        )
    )


def _pairs(inputs: Inputs, tables: ReportTables, language: str) -> dict[str, Any] | None:
    """Return the dearest pairs as shown texts by column, with their sums; None where no amounts are stored."""
    if tables.pairs is None or inputs.meeting is None:
        return None
    dearest = tables.pairs[tables.pairs["at_stake_cny"] > 0].head(_SHOWN_PAIRS)
    made = columns(dearest, "report_pairs", language)
    rows = [
        {
            column.key: None if column.cells[i] is None else shown(column.cells[i], column.kind, language)
            for column in made
        }
        for i in range(len(dearest))
    ]
    stake, unit = stake_of(inputs.meeting), CNY_PER_UNIT[language]
    amounts = {"all": stake.at_stake_cny, "once": stake.once_cny, "shown": float(dearest["at_stake_cny"].sum())}
    return {
        "rows": rows,
        "headings": {column.key: column.heading for column in made},
        "pair_count": len(tables.pairs),
        "stake_count": stake.pair_count,
        "amounts": {name: shown(cny / unit, "money", language) for name, cny in amounts.items()},
    }


def _places(tables: ReportTables, language: str) -> dict[str, Any] | None:
    """Return the places with most at stake, and how many there are."""
    if tables.places is None:
        return None
    dear = tables.places[tables.places["at_stake_cny"] > 0]
    return {"table": columns(dear.head(_SHOWN_PLACES), "report_places", language, _PLACE_COLUMNS), "count": len(dear)}


def _closed(inputs: Inputs, language: str) -> dict[str, Any] | None:
    """Return the streets under a dig ban, and the text of each exception that one of them knows."""
    table = closed_rows(inputs, language, is_quoted=False)
    if table is None or inputs.closed is None:
        return None
    known = {code for codes in inputs.closed.codes.dropna().unique() for code in codes.split("|") if code}
    return {
        "table": columns(table, "report_closed", language, _CLOSED_COLUMNS),
        "now": inputs.closed.count("in_force", "unconfirmed"),
        "later": inputs.closed.count("to_come"),
        "quotes": [quote[language] for code, quote in inputs.closed.quotes.items() if code in known],
    }


def _late(tables: ReportTables, language: str) -> dict[str, Any] | None:
    """Return the cases of late work, each with its text once, and how many segments there are."""
    if tables.late is None:
        return None
    cases = tables.late.drop_duplicates("text")["text"].tolist()
    return {"worst": cases[:_SHOWN_LATE], "cases": len(cases), "segments": len(tables.late)} | {
        "table": columns(tables.late, "report_late", language, _LATE_COLUMNS)
    }


def _last_chances(tables: ReportTables, language: str) -> dict[str, Any] | None:
    """Return the dearest last chances, and how many there are."""
    if tables.last_chances is None:
        return None
    dearest = tables.last_chances.head(_SHOWN_PAIRS)
    return {
        "table": columns(dearest, "report_last_chances", language, _LAST_COLUMNS),
        "count": len(tables.last_chances),
    }


def _classes(language: str) -> list[tuple[str, str, str]]:
    """Return code, words and colour of each policy class, strictest first, with the segments that have no score."""
    listed = value_list("policy_class")
    known = [(code, listed[code].label(language), stroke(f"class_{code}").colour) for code in CLASSES]
    return [*known, ("unscored", both("maps_not_scored")[language], "#e3e6e9")]


def _project(tables: ReportTables, project_id: str, row: Mapping[Any, Any], language: str) -> dict[str, Any]:
    """Return all that the page says about one project."""
    kinds = value_list("project_kind")
    own = tables.segments[tables.segments["project_id"] == project_id]
    cells = {
        column.key: column.cells[0]
        for column in columns(tables.projects.loc[[project_id]], "report_projects", language)
    }
    dates = [cells[name] or say("maps_date_open", language) for name in ("starts_on", "ends_on")]
    return {
        "id": project_id,
        "cells": cells,
        "kind": kinds[str(row["kind"])].label(language) if row["kind"] in kinds else row["kind"],
        "colour": stroke(f"project_{row['kind']}").colour,
        "dates": say("maps_project_dates", language, starts=dates[0], ends=dates[1]),
        "owner": cells["owner"] or say("maps_no_owner", language),
        "shares": {code: float(row[f"{code}_m"]) / float(row["overlap_m"]) for code in (*CLASSES, "unscored")},
        "metres": {code: float(row[f"{code}_m"]) for code in (*CLASSES, "unscored")},
        "segments": columns(own, "report_segments", language, _SEGMENT_COLUMNS),
    }
