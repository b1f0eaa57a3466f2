"""Formulas of a workbook that were never calculated: readers of values see empty cells in their place."""

from __future__ import annotations

import posixpath
import re
import zipfile
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# a cell that holds a formula and then nothing, or an empty value; a formula whose result is an empty text says t="str"
_CELL: Final = re.compile(
    rb"<c\b(?P<attributes>[^>]*)>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)
_PLACE: Final = re.compile(rb"\br=\"([A-Z]+[0-9]+)\"")


def uncalculated_cells(path: Path, sheet: str) -> list[str]:
    """Return the places (B3) of formulas without a stored value in a sheet of an XLSX file, in their order.

    A workbook whose parts are not where the format says has none: whether it can be read at all is not asked here.
    """
    try:
        with zipfile.ZipFile(path) as book:
            text = book.read(_part_of_sheet(book, sheet))
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError):
        return []
    places: list[str] = []
    for cell in _CELL.finditer(text):
        place = _PLACE.search(cell["attributes"])
        if place and b't="str"' not in cell["attributes"]:
            places.append(place[1].decode())
    return places


def _part_of_sheet(book: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part of the archive that holds a sheet."""
    sheets = _parsed(book, "xl/workbook.xml").iter(f"{_MAIN}sheet")
    relation = next((entry.get(_RELATION) for entry in sheets if entry.get("name") == sheet), None)
    for entry in _parsed(book, "xl/_rels/workbook.xml.rels"):
        if entry.get("Id") == relation:
            return posixpath.normpath(posixpath.join("/xl", entry.get("Target", ""))).lstrip("/")
    raise KeyError(sheet)


def _parsed(book: zipfile.ZipFile, part: str) -> ElementTree.Element:
    text = book.read(part)
    if b"<!" in text:
        # no program writes a document type here; entities that unfold without end would need one
        raise KeyError(part)
    return ElementTree.fromstring(text)  # noqa: S314 - see above
