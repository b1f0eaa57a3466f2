"""Read a delivered file as it is: rows of raw values, geometry, and where the rows stood in the file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from registry.errors import FileFaultError
from registry.intake.encoding import decode
from registry.intake.headings import is_total
from registry.intake.mapping import Source
from registry.intake.workbook import uncalculated_cells

if TYPE_CHECKING:
    import pandas as pd

VECTOR_SUFFIXES: Final = frozenset({".gpkg", ".shp", ".geojson", ".json", ".fgb", ".gdb"})
# formats of which one delivery is a folder
_FOLDERS: Final = frozenset({".gdb"})
SUFFIXES: Final = (".csv", ".xlsx", ".xls", ".gpkg", ".shp", ".geojson", ".fgb", ".parquet")
# a column of words in Parquet that takes fewer bytes for each row repeats a few of them, each written once
_REPEATING_BYTES: Final = 3
# GBK field names fill the ten bytes of a shapefile quickly; GDAL needs to be told, it cannot find out
_SHAPEFILE_ENCODING: Final = "gb18030"


@dataclass
class RawTable:
    """The rows of one file before anything is understood.

    `rows` has the headings of the file; `geometry` holds WKB as Arrow (null where a row has none) or is None for a
    table; `first_row` is the number that a person sees beside the first row of data.
    """

    rows: pd.DataFrame
    geometry: Any
    crs: str | None
    encoding: str | None
    first_row: int
    notes: list[dict[str, object]] = field(default_factory=list)


def read_raw(path: Path, source: Source, known_headings: set[str]) -> RawTable:
    """Read a delivery of any supported format.

    Raises
    ------
    FileFaultError
        Where the file does not exist, is empty, of an unknown format, unreadable or ambiguous.
    """
    check_readable(path)
    raw = _READERS[path.suffix.lower()](path, source, known_headings)
    if raw.rows.shape[0] == 0:
        raise FileFaultError("file_without_rows", file=path.name)
    return raw


def check_readable(path: Path) -> None:
    """Raise where a file cannot be a delivery at all: absent, a folder, of an unknown format, empty or closed to us.

    Raises
    ------
    FileFaultError
        With what is wrong.
    """
    if not path.exists():
        raise FileFaultError("file_absent", file=str(path))
    suffix = path.suffix.lower()
    if path.is_dir() and suffix not in _FOLDERS:
        raise FileFaultError("file_is_folder", file=str(path))
    if suffix not in _READERS:
        raise FileFaultError("file_format_unknown", file=path.name, suffixes=" ".join(SUFFIXES))
    if path.is_file() and path.stat().st_size == 0:
        raise FileFaultError("file_empty", file=path.name)
    if not os.access(path, os.R_OK):
        raise FileFaultError("file_closed", file=path.name)


def _read_csv(path: Path, source: Source, known_headings: set[str]) -> RawTable:
    text, encoding = decode(path.read_bytes(), path.name, source.encoding)
    sample = text[:20_000]
    try:
        dialect: Any = csv.Sniffer().sniff(sample.splitlines()[0] if sample else "", delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    cells = list(csv.reader(io.StringIO(text), dialect))
    raw = _from_cells(cells, path, source, known_headings)
    raw.encoding = encoding
    return raw


def _read_xlsx(path: Path, source: Source, known_headings: set[str]) -> RawTable:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        if source.sheet is not None and source.sheet not in names:
            raise FileFaultError("sheet_absent", file=path.name, sheet=source.sheet, sheets=", ".join(names))
        sheet = source.sheet or names[0]
        cells = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except (CalamineError, OSError, IndexError) as fault:
        raise FileFaultError("file_unreadable", file=path.name, fault=_said(fault)) from fault
    if path.suffix.lower() == ".xlsx" and (empty := uncalculated_cells(path, sheet)):
        shown = ", ".join(empty[:5]) + (", …" if len(empty) > 5 else "")
        raise FileFaultError("formulas_not_calculated", file=path.name, sheet=sheet, count=len(empty), cells=shown)
    return _from_cells(cells, path, source, known_headings)


def _from_cells(cells: list[list[Any]], path: Path, source: Source, known_headings: set[str]) -> RawTable:
    """Find the header among the first rows: bureaus put a title above it."""
    import pandas as pd

    filled = [index for index, row in enumerate(cells) if any(_is_filled(cell) for cell in row)]
    if not filled:
        raise FileFaultError("file_without_rows", file=path.name)
    if source.header_rows is not None and not 1 <= source.header_rows <= len(cells):
        raise FileFaultError("header_row_absent", file=path.name, row=source.header_rows, rows=len(cells))
    header = source.header_rows - 1 if source.header_rows else _header_row(cells, filled, known_headings)
    headings = [str(cell).strip() if _is_filled(cell) else "" for cell in cells[header]]
    while headings and not headings[-1]:
        headings.pop()
    _refuse_repeated(headings, path)
    # empty headings are kept by position, so that a row keeps its shape in the list of held-back rows
    columns = [name or f"column {position}" for position, name in enumerate(headings, start=1)]
    width = len(columns)
    body = cells[header + 1 :]
    numbers = [number for number, row in enumerate(body, start=header + 2) if any(_is_filled(c) for c in row)]
    overlong = [n for n in numbers if any(_is_filled(c) for c in cells[n - 1][width:])]
    if overlong:
        raise FileFaultError("row_longer_than_header", file=path.name, row=overlong[0], columns=width)
    totals = [n for n in numbers if is_total(next(str(c) for c in cells[n - 1] if _is_filled(c)))]
    numbers = [n for n in numbers if n not in set(totals)]
    notes: list[dict[str, object]] = []
    if totals:
        notes.append({"code": "note_totals_skipped", "rows": ", ".join(map(str, totals))})
    rows = [(list(cells[n - 1]) + [None] * width)[:width] for n in numbers]
    frame = pd.DataFrame(rows, columns=pd.Index(columns), index=pd.Index(numbers, name="row_number"), dtype=object)
    return RawTable(frame, None, None, None, header + 2, notes)


def _refuse_repeated(headings: list[str], path: Path) -> None:
    repeated = sorted({name for name in headings if name and headings.count(name) > 1})
    if repeated:
        raise FileFaultError("headings_repeated", file=path.name, headings=", ".join(repeated))


def _is_filled(cell: object) -> bool:
    return cell is not None and str(cell).strip() != ""


def _header_row(cells: list[list[Any]], filled: list[int], known_headings: set[str]) -> int:
    """Return the row among the first ten that holds most headings we know; without any, the first filled row."""
    scored = [
        (sum(str(cell).strip().casefold() in known_headings for cell in cells[index]), -index) for index in filled[:10]
    ]
    best, position = max(scored)
    return -position if best > 0 else filled[0]


def _read_vector(path: Path, source: Source, _known_headings: set[str]) -> RawTable:
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    encoding = source.encoding or (_SHAPEFILE_ENCODING if _is_shapefile_without_encoding(path) else None)
    try:
        layer = _layer(path, source.layer)
        meta, table = pyogrio.read_arrow(path, layer=layer, encoding=encoding)
    except FileFaultError:
        # ours says better what is wrong; it is a ValueError as well
        raise
    except (DataSourceError, DataLayerError, UnicodeDecodeError, ValueError) as fault:
        raise FileFaultError("file_unreadable", file=path.name, fault=_said(fault)) from fault
    name = meta["geometry_name"] or "wkb_geometry"
    if name not in table.column_names:
        raise FileFaultError("layer_without_geometry", file=path.name, layer=layer)
    rows = _to_pandas(table.drop_columns([name]))
    return RawTable(rows, table.column(name), meta["crs"], encoding or meta.get("encoding"), 1)


def _is_shapefile_without_encoding(path: Path) -> bool:
    return path.suffix.lower() == ".shp" and not path.with_suffix(".cpg").exists()


def _layer(path: Path, wanted: str | None) -> str:
    """Return the layer that is wanted, or the only one."""
    import pyogrio

    layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if not layers:
        raise FileFaultError("file_without_rows", file=path.name)
    if wanted is not None:
        if wanted not in layers:
            raise FileFaultError("layer_absent", file=path.name, layer=wanted, layers=", ".join(layers))
        return wanted
    if len(layers) > 1:
        raise FileFaultError("layer_ambiguous", file=path.name, layers=", ".join(layers))
    return layers[0]


def _read_parquet(path: Path, _source: Source, _known_headings: set[str]) -> RawTable:
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, read_dictionary=_repeating_columns(pq.read_metadata(path))) as file:
            headings = file.schema_arrow.names
            _refuse_repeated(headings, path)
            metadata = (file.schema_arrow.metadata or {}).get(b"geo")
            if metadata is None:
                return RawTable(_to_pandas(file.read()), None, None, None, 1)
            geo = json.loads(metadata)
            name = geo["primary_column"]
            # by itself: read with the others, it takes a quarter more memory
            geometry = file.read([name]).column(name)
            rows = file.read([entry for entry in headings if entry not in geo["columns"]])
    except (pa.ArrowException, OSError) as fault:
        raise FileFaultError("file_unreadable", file=path.name, fault=_said(fault)) from fault
    column = geo["columns"][name]
    if column.get("encoding") != "WKB":
        raise FileFaultError("geometry_encoding_unknown", file=path.name, encoding=column.get("encoding"))
    # GeoParquet: a missing crs means OGC:CRS84, an explicit null means unknown
    crs = json.dumps(column["crs"]) if column.get("crs") else ("OGC:CRS84" if "crs" not in column else None)
    return RawTable(_to_pandas(rows), geometry, crs, None, 1)


def _repeating_columns(metadata: Any) -> list[str]:  # noqa: ANN401 - pyarrow has no complete types
    """Return the columns whose values stay numbers of a short list of words: nothing is read or held twice."""
    if metadata.num_rows == 0:
        return []
    chunks = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    sizes: dict[str, int] = {}
    for chunk in chunks:
        if chunk.physical_type == "BYTE_ARRAY" and chunk.has_dictionary_page:
            sizes[chunk.path_in_schema] = sizes.get(chunk.path_in_schema, 0) + chunk.total_uncompressed_size
    return [name for name, size in sizes.items() if size < _REPEATING_BYTES * metadata.num_rows]


def _said(fault: Exception) -> str:
    """Return what a library says of a file, without its full stop: our sentence goes on after it."""
    return (getattr(fault, "strerror", None) or str(fault)).strip().rstrip(".")


def _to_pandas(table: Any) -> pd.DataFrame:  # noqa: ANN401 - pyarrow has no complete types
    import pandas as pd

    rows: pd.DataFrame = table.to_pandas(ignore_metadata=True, date_as_object=False)
    rows.index = pd.RangeIndex(1, len(rows) + 1, name="row_number")
    return rows


_READERS: Final[dict[str, Callable[[Path, Source, set[str]], RawTable]]] = {
    ".csv": _read_csv,
    ".txt": _read_csv,
    ".xlsx": _read_xlsx,
    ".xls": _read_xlsx,
    ".parquet": _read_parquet,
    **dict.fromkeys(VECTOR_SUFFIXES, _read_vector),
}
