"""The overlap report as a workbook: numbers as numbers, text as text, ready to print on A3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_range

from maps.numbers import held_line
from maps.report_cells import Cell, Column, batch_columns, columns, comparison_rows, notes, summary_rows
from registry.catalogue import say
from registry.writing import written_whole

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from maps.inputs import Inputs
    from maps.report_tables import ReportTables

_A3: Final = 8
_TITLE_ROWS: Final = 3
_WIDE: Final = 46
_FORMATS: Final[dict[str, dict[str, Any]]] = {
    "text": {"text_wrap": True},
    "day": {"num_format": "yyyy-mm-dd", "align": "center"},
    "year": {"num_format": "0", "align": "center"},
    "count": {"num_format": "#,##0"},
    "metres": {"num_format": "#,##0.0"},
    "money": {"num_format": "#,##0.00##"},
    "share": {"num_format": "0.0%"},
    "number": {"num_format": "#,##0.000"},
}
_LOOK: Final[dict[str, Any]] = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}
_HEAD: Final[dict[str, Any]] = {
    "bold": True,
    "bg_color": "#0b5c7a",
    "font_color": "#ffffff",
    "text_wrap": True,
    "valign": "vcenter",
    "border": 1,
    "border_color": "#c5d5dc",
}
_OPTIONS: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class Book:
    """A workbook in one look; every text is written as a string, so that no cell of a file becomes a formula."""

    def __init__(self, path: Path, inputs: Inputs, language: str) -> None:
        self.book = xlsxwriter.Workbook(str(path), _OPTIONS)
        self.inputs = inputs
        self.language = language
        title = say("maps_report_title", language, city=inputs.city)
        self.book.set_properties({"title": title, "created": inputs.as_of})
        self.formats: dict[str, Any] = {kind: self.book.add_format(_LOOK | extra) for kind, extra in _FORMATS.items()}
        self.sums = {
            kind: self.book.add_format(_LOOK | extra | {"bold": True, "top": 1}) for kind, extra in _FORMATS.items()
        }
        self.head = self.book.add_format(_LOOK | _HEAD)
        self.title = self.book.add_format(_LOOK | {"bold": True, "font_size": 14})
        self.soft = self.book.add_format(_LOOK | {"font_color": "#5b6773"})

    def sheet(self, code: str) -> Any:  # noqa: ANN401 - xlsxwriter has no types
        """Add a sheet with title, stamp and print set-up (A3 landscape, one page wide, heading repeated)."""
        name = say(code, self.language)
        sheet = self.book.add_worksheet(name)
        stamp = say("maps_as_of", self.language, day=self.inputs.as_of.isoformat())
        if self.inputs.plan_name:
            stamp += " · " + say("maps_plan_named", self.language, name=self.inputs.plan_name)
        sheet.write_string(
            0, 0, say("maps_report_title", self.language, city=self.inputs.city) + " · " + name, self.title
        )
        sheet.write_string(1, 0, stamp, self.soft)
        sheet.set_row(0, 22)
        sheet.set_landscape()
        sheet.set_paper(_A3)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_TITLE_ROWS)
        sheet.set_margins(0.4, 0.4, 0.5, 0.6)
        sheet.set_footer("&L&A&R&P / &N")
        sheet.hide_gridlines(2)
        return sheet

    def table(self, code: str, table: list[Column]) -> None:
        """Add a sheet with one table: heading frozen, filter on, widths by content, sums in the last row."""
        sheet = self.sheet(code)
        count = len(table[0].cells) if table else 0
        top = _TITLE_ROWS
        has_sums = any(column.total is not None for column in table)
        for number, column in enumerate(table):
            sheet.write_string(top, number, column.heading, self.head)
            sheet.set_column(number, number, _width(column))
            for row, value in enumerate(column.cells, start=top + 1):
                self.write(sheet, row, number, value, column.kind)
            if has_sums:
                self._sum(sheet, top + count + 1, number, column, count)
        sheet.set_row(top, 34)
        sheet.freeze_panes(top + 1, min(2, max(1, len(table) - 1)))
        if count:
            sheet.autofilter(top, 0, top + count, len(table) - 1)

    def _sum(self, sheet: Any, row: int, number: int, column: Column, count: int) -> None:  # noqa: ANN401
        """Write the sum of a column: of the rows that a filter leaves, or of all where each thing counts once."""
        style = self.sums[column.kind]
        if column.total is None or not count:
            code = "maps_total_once" if column.is_once else "maps_total"
            sheet.write_string(
                row, number, say(code, self.language) if number == 0 and count else "", self.sums["text"]
            )
        elif column.is_once:
            sheet.write_number(row, number, column.total, style)
        else:
            cells = xl_range(_TITLE_ROWS + 1, number, row - 1, number)
            sheet.write_formula(row, number, f"=SUBTOTAL(9,{cells})", style, column.total)

    def write(self, sheet: Any, row: int, number: int, value: Cell, kind: str) -> None:  # noqa: ANN401
        """Write one cell by its kind."""
        style = self.formats[kind]
        if value is None:
            sheet.write_blank(row, number, None, style)
        elif isinstance(value, str):
            sheet.write_string(row, number, value, style)
        elif kind == "day":
            sheet.write_datetime(row, number, value, style)
        else:
            sheet.write_number(row, number, value, style)


def _width(column: Column) -> float:
    """Return a column width in characters; a Chinese character takes the room of two."""
    texts = [str(value) for value in column.cells[:400] if isinstance(value, str)]
    content = max((_room(text) for text in texts), default=10 if column.kind == "day" else 8)
    return min(_WIDE, max(content + 2, min(_room(column.heading), 18) + 3, 9))


def _room(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def write_xlsx(inputs: Inputs, tables: ReportTables, path: Path, language: str) -> Path:
    """Write the workbook: summary, dearest pairs, closed streets, projects, segments, batches, comparison, notes."""
    with written_whole(path) as part:
        _write(Book(part, inputs, language), inputs, tables, language)
    return path


def _write(book: Book, inputs: Inputs, tables: ReportTables, language: str) -> None:
    with book.book:
        _summary(book, tables)
        _optional(book, "maps_sheet_pairs", tables.pairs, "report_pairs", "maps_pairs_none")
        _optional(book, "maps_sheet_places", tables.places, "report_places", "maps_pairs_none")
        _optional(book, "maps_sheet_closed", tables.closed, "report_closed", "maps_bans_unknown")
        book.table("maps_sheet_projects", columns(tables.projects, "report_projects", language))
        book.table("maps_sheet_segments", columns(tables.segments, "report_segments", language))
        book.table("maps_sheet_batches", batch_columns(tables, language))
        _optional(book, "maps_sheet_late", tables.late, "report_late", "maps_late_none")
        _optional(book, "maps_sheet_last", tables.last_chances, "report_last_chances", "maps_last_none")
        _comparison(book)
        book.table("maps_sheet_held", columns(tables.held, "report_held", language))
        sheet = book.sheet("maps_sheet_notes")
        sheet.set_column(0, 0, 110)
        for row, text in enumerate(notes(inputs, language), start=_TITLE_ROWS):
            sheet.write_string(row, 0, text, book.formats["text"])


def _optional(book: Book, code: str, table: pd.DataFrame | None, contract: str, absent: str) -> None:
    """Add a sheet with a table, or with the sentence that says why there is none."""
    if table is not None:
        book.table(code, columns(table, contract, book.language))
        return
    sheet = book.sheet(code)
    sheet.set_column(0, 0, 90)
    sheet.write_string(_TITLE_ROWS, 0, say(absent, book.language), book.formats["text"])


def _summary(book: Book, tables: ReportTables) -> None:
    sheet = book.sheet("maps_sheet_summary")
    language = book.language
    heads = [say(code, language) for code in ("maps_item", "maps_value", "maps_unit")]
    for number, (text, width) in enumerate(zip(heads, (58, 18, 14), strict=True)):
        sheet.write_string(_TITLE_ROWS, number, text, book.head)
        sheet.set_column(number, number, width)
    row = _TITLE_ROWS
    for item, value, unit in summary_rows(book.inputs, tables, language):
        row += 1
        sheet.write_string(row, 0, item, book.formats["text"])
        sheet.write_number(row, 1, value, book.formats["money"])
        sheet.write_string(row, 2, unit, book.formats["text"])
    sheet.write_string(row + 2, 0, held_line(book.inputs.held)[language], book.formats["text"])
    sheet.freeze_panes(_TITLE_ROWS + 1, 0)
    years = columns(tables.years, "report_years", language)
    for number, column in enumerate(years):
        sheet.write_string(row + 4, number, column.heading, book.head)
        if number > 2:
            sheet.set_column(number, number, _width(column))
        for below, cell in enumerate(column.cells, start=row + 5):
            book.write(sheet, below, number, cell, column.kind)


def _comparison(book: Book) -> None:
    sheet = book.sheet("maps_sheet_comparison")
    language = book.language
    rows = comparison_rows(book.inputs, language)
    if not rows:
        sheet.set_column(0, 0, 90)
        sheet.write_string(_TITLE_ROWS, 0, say("maps_compare_none", language), book.formats["text"])
        return
    heads = ("maps_item", "maps_unit", "maps_compare_aware", "maps_compare_blind", "maps_compare_difference")
    for number, (code, width) in enumerate(zip(heads, (44, 14, 24, 24, 24), strict=True)):
        sheet.write_string(_TITLE_ROWS, number, say(code, language), book.head)
        sheet.set_column(number, number, width)
    for row, compared in enumerate(rows, start=_TITLE_ROWS + 1):
        sheet.write_string(row, 0, compared.item, book.formats["text"])
        sheet.write_string(row, 1, compared.unit, book.formats["text"])
        aligned, ignoring = compared.aligned, compared.ignoring
        for number, figure in ((2, aligned), (3, ignoring), (4, aligned - ignoring)):
            sheet.write_number(row, number, figure, book.formats[compared.kind])
    sheet.freeze_panes(_TITLE_ROWS + 1, 1)
