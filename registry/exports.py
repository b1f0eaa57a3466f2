"""Write a frame for people or for other programs: CSV, XLSX, GPKG, GeoJSON, Parquet by suffix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from registry.catalogue import say
from registry.errors import FileFaultError
from registry.fields import Field, fields, value_list
from registry.writing import written_whole

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

TABLE_SUFFIXES: Final = (".csv", ".xlsx")
FRAME_SUFFIXES: Final = (*TABLE_SUFFIXES, ".parquet")
SUFFIXES: Final = (*TABLE_SUFFIXES, ".gpkg", ".geojson", ".parquet")
PAGE_SUFFIXES: Final = (".html", ".htm")
WHOLE_SUFFIXES: Final = tuple(suffix for suffix in SUFFIXES if suffix != ".xlsx")
# a sheet of Excel has 1,048,576 rows, the first of which is the heading
SHEET_ROWS: Final = 1_048_575
_SHEET_NAME: Final = 31
# rows that are turned into Python values at once
_ROWS_AT_ONCE: Final = 10_000
_CELLS: Final = {"f": "write_number", "i": "write_number", "u": "write_number", "str": "write_string"}


def check_output(path: Path, suffixes: tuple[str, ...] = SUFFIXES) -> None:
    """Raise early where the suffix is not one that is written, or the folder does not exist."""
    if path.suffix.lower() not in suffixes:
        told = " ".join(suffix for suffix in suffixes if suffix != ".htm")
        raise FileFaultError("output_format_unknown", file=path.name, suffixes=told)
    check_folder(path)


def check_folder(path: Path) -> None:
    """Raise early where the folder of a file to be written does not exist."""
    if not path.parent.is_dir():
        raise FileFaultError("output_folder_absent", file=str(path), folder=str(path.parent))


def in_words(frame: pd.DataFrame, contract: str, language: str) -> pd.DataFrame:
    """Return the frame with headings and listed values in the language of the reader; no geometry, index first."""
    table = frame.drop(columns="geometry", errors="ignore")
    table = table.reset_index() if table.index.name else table
    # a table of segments may say of each what pipe it is
    declared = fields()["segments"] | fields()[contract]
    for column in table.columns:
        field = declared.get(column)
        if field is not None and field.list_name:
            labels = {code: value.label(language) for code, value in value_list(field.list_name).items()}
            table[column] = table[column].map(lambda code, labels=labels: labels.get(code, code))
        if table[column].dtype.kind == "b":
            said = {True: say("yes", language), False: say("no", language)}
            table[column] = table[column].astype("object").map(said).astype("str")
        if table[column].dtype.kind == "M":
            table[column] = table[column].dt.strftime("%Y-%m-%d")
    return table.rename(columns={name: _heading(declared, name, language) for name in table.columns})


def _heading(declared: dict[str, Field], name: str, language: str) -> str:
    field = declared.get(name)
    if field is None:
        return name
    # contributions add up as logarithms; under “Material” alone they would be read as factors
    said = "ln" if name.startswith("ln_") else _unit(field.unit, language)
    unit = f" ({said})" if said and field.unit != "year" else ""
    return f"{field.label(language)}{unit}"


def _unit(unit: str, language: str) -> str:
    return value_list("unit")[unit].label(language) if unit else ""


def write_table(frame: pd.DataFrame, path: Path, contract: str, language: str = "en") -> None:
    """Write a frame to a file by its suffix.

    CSV (with a byte order mark, so that Excel shows Chinese) and XLSX carry words in the reader's language; GPKG,
    GeoJSON and Parquet carry our column names and codes, for programs.

    Raises
    ------
    FileFaultError
        For an unknown suffix, or where a format needs geometry and the frame has none.
    """
    import geopandas as gpd

    check_output(path)
    suffix = path.suffix.lower()
    with written_whole(path) as part:
        if suffix == ".csv":
            in_words(frame, contract, language).to_csv(part, index=False, encoding="utf-8-sig", lineterminator="\r\n")
        elif suffix == ".xlsx":
            _write_xlsx(in_words(frame, contract, language), part, contract)
        elif suffix == ".parquet":
            frame.to_parquet(part)
        elif not isinstance(frame, gpd.GeoDataFrame):
            suffixes = " ".join(FRAME_SUFFIXES)
            raise FileFaultError("output_needs_geometry", file=path.name, suffixes=suffixes)
        else:
            _write_vector(frame, part, path.stem)


def write_workbook(frames: dict[str, tuple[str, pd.DataFrame]], path: Path, language: str = "en") -> None:
    """Write several frames as the sheets of one XLSX file, in words: title of the sheet -> contract and frame.

    Raises
    ------
    FileFaultError
        Where the file is no XLSX or its folder does not exist.
    """
    if path.suffix.lower() != ".xlsx":
        raise FileFaultError("output_format_unknown", file=path.name, suffixes=".xlsx")
    check_folder(path)
    with written_whole(path) as part:
        _write_sheets({title: in_words(frame, contract, language) for title, (contract, frame) in frames.items()}, part)


def _write_xlsx(table: pd.DataFrame, path: Path, sheet: str) -> None:
    _write_sheets({sheet: table}, path)


def _write_sheets(tables: dict[str, pd.DataFrame], path: Path) -> None:
    """Write each table on a sheet; what a sheet does not hold goes on to further ones, so that no row is lost.

    Rows go to the disk as they come: a workbook of a million rows takes no more memory than one of ten thousand.
    """
    import xlsxwriter

    # a street name such as “=cmd” must stay text
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "nan_inf_to_errors": True,
        "constant_memory": True,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        for title, table in tables.items():
            for number, first in enumerate(range(0, max(1, len(table)), SHEET_ROWS), start=1):
                page = book.add_worksheet(_sheet_name(title, number))
                _write_sheet(page, table.iloc[first : first + SHEET_ROWS], bold)


def _sheet_name(title: str, number: int) -> str:
    """Return the name of the n-th sheet of a table."""
    ending = "" if number == 1 else f" ({number})"
    return title[: _SHEET_NAME - len(ending)] + ending


def _write_sheet(page: Worksheet, rows: pd.DataFrame, bold: Format) -> None:
    import numpy as np

    for number, column in enumerate(rows.columns):
        page.set_column(number, number, _width(column))
    page.write_row(0, 0, list(rows.columns), bold)
    # knowing the type of a column spares looking at each of its cells
    writers = [_CELLS.get(dtype.kind if isinstance(dtype, np.dtype) else dtype.name, "write") for dtype in rows.dtypes]
    cells = [getattr(page, name) for name in writers]
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows.iloc[first : first + _ROWS_AT_ONCE]
        columns = [part[name].astype(object).where(part[name].notna(), None) for name in part.columns]
        for row, values in enumerate(zip(*columns, strict=True), start=first + 1):
            for number, value in enumerate(values):
                if value is not None and value != "":
                    cells[number](row, number, value)
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, max(1, len(rows)), max(0, len(rows.columns) - 1))


def _width(heading: str) -> float:
    """Return a column width in characters; a Chinese character takes two."""
    return min(30.0, max(10.0, sum(2 if ord(c) > 0x2E7F else 1 for c in heading) + 2))


def _write_vector(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    table = frame.reset_index() if frame.index.name else frame
    table = table.drop(columns=[name for name in table if name == "elevations_m"])
    if path.suffix.lower() == ".geojson":
        # RFC 7946: longitude and latitude
        table = table.to_crs("EPSG:4326")
    table.to_file(path, engine="pyogrio", layer=layer)
