"""Writing a city to files as its bureaus and companies hand them over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import pandas as pd
import pyogrio

from registry.city.parameters import load
from registry.writing import written_whole

if TYPE_CHECKING:
    from registry.city.city import City

LAYERS: Final = ("segments", "roads", "buildings", "compounds", "valves", "districts", "context", "pavements")
# a csv and the encoding in which its office saves it
TABLES: Final = {
    "leaks": "gb18030",
    "events": "gb18030",
    "digs": "gb18030",
    "customers": "gb18030",
    "risers": "utf-8-sig",
    "moratoria": "gb18030",
    "surveys": "gb18030",
}
Progress = Callable[[str], None]


def write_city(city: City, folder: Path, progress: Progress | None = None) -> list[Path]:
    """Write the delivery files of a city, and `truth/` apart; return the paths in the order written.

    Existing files of the same names are replaced; other files are left alone.

    Parameters
    ----------
    city
        The city to write.
    folder
        Where to; made if absent.
    progress
        Called with the name of each file before it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "truth").mkdir(exist_ok=True)
    written: list[Path] = []
    for name, write in _jobs(city):
        if progress is not None:
            progress(name)
        path = folder / name
        with written_whole(path) as part:
            write(part)
        written.append(path)
    return written


def _jobs(city: City) -> Iterator[tuple[str, Callable[[Path], None]]]:
    titles = load("names")["sheets"]
    for layer in LAYERS:
        yield f"{layer}.gpkg", partial(_write_layer, getattr(city, layer), layer)
    for table, encoding in TABLES.items():
        yield f"{table}.csv", partial(_write_csv, getattr(city, table), encoding)
    yield "road_programme.xlsx", partial(_write_sheet, city.road_programme, "道路计划", titles["road_programme_title"])
    yield (
        "compounds.xlsx",
        partial(_write_sheet, city.compound_programme, "改造计划", titles["compound_programme_title"]),
    )
    programme = load("digs")["programme"]
    yield "utility_programme.xlsx", partial(_write_sheet, city.utility_programme, "管线计划", programme["title"])
    for name, rows in city.truth.items():
        yield f"truth/{name}.parquet", partial(_write_parquet, rows)
    yield "truth/parameters.json", partial(_write_json, city.parameters)


def _write_layer(frame: gpd.GeoDataFrame, layer: str, path: Path) -> None:
    kinds = set(frame.geom_type.dropna().unique())
    pyogrio.write_dataframe(
        frame,
        path,
        layer=layer,
        driver="GPKG",
        use_arrow=True,
        geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown",
        promote_to_multi=False,
    )


def _write_csv(rows: pd.DataFrame, encoding: str, path: Path) -> None:
    rows.to_csv(path, index=False, encoding=encoding, lineterminator="\r\n")


def _write_sheet(rows: pd.DataFrame, sheet: str, title: str, path: Path) -> None:
    """Write a sheet as offices do: a merged title over one header row."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"nan_inf_to_errors": False}) as book:
        book.set_properties({"created": load("city")["as_of"]})
        page = book.add_worksheet(sheet)
        heading = book.add_format({"bold": True, "align": "center", "valign": "vcenter", "font_size": 14})
        head = book.add_format({"bold": True, "border": 1, "align": "center"})
        last = len(rows.columns) - 1
        page.merge_range(0, 0, 0, last, title, heading)
        page.set_row(0, 26)
        page.write_row(1, 0, list(rows.columns), head)
        for column, name in enumerate(rows.columns):
            values = rows[name].astype(object)
            cells = [None if missing else value for value, missing in zip(values, values.isna(), strict=True)]
            page.write_column(2, column, cells)
            page.set_column(column, column, 26 if "名称" in name else 15)
        page.freeze_panes(2, 0)


def _write_parquet(rows: pd.DataFrame, path: Path) -> None:
    rows.to_parquet(path, index=False)


def _write_json(values: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True, default=str), encoding="utf-8")
