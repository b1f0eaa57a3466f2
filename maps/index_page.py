"""The index page: links to everything that was made, with what each file is for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from maps.inputs import Inputs
from maps.numbers import headline, held_line, notices
from maps.offline import own_file
from maps.pages import save_page
from maps.plan_map import templates
from registry.catalogue import catalogue, say

if TYPE_CHECKING:
    from collections.abc import Iterable

INDEX_NAME: Final = "index.html"
_KNOWN: Final = {
    "renewal-map.html": "map",
    "overlap-report.html": "report_page",
    "overlap-report.xlsx": "report_book",
}
_STEMS: Final = {
    "scores": "scores",
    "overlaps": "overlaps",
    "pairs": "overlaps",
    "batches": "batches",
    "plan": "batches",
}
_KIB: Final = 1024


@dataclass(frozen=True)
class Listed:
    """One file on the index page."""

    name: str
    link: str
    title: str
    purpose: str
    size: str
    is_first: bool


def write_index(inputs: Inputs, folder: Path, files: Iterable[Path] | None = None, language: str = "zh") -> Path:
    """Write `index.html` into the folder and return its path.

    Parameters
    ----------
    files
        The files to link, inside the folder; by default all that lie in it, without the `truth` of a synthetic city,
        which no city would deliver. Maps and reports come first, then tables
        and delivered data. Links are relative, so that the folder can be moved as a whole.
    """
    chosen = sorted(files if files is not None else _delivered(folder))
    listed = [_listed(path, folder, language) for path in chosen if path.name != INDEX_NAME]
    main = sorted((file for file in listed if file.name in _KNOWN), key=lambda file: list(_KNOWN).index(file.name))
    others = [file for file in listed if file.name not in _KNOWN]
    groups = [
        (say(code, language), rows)
        for code, rows in (
            ("maps_index_main", main),
            ("maps_index_tables", [file for file in others if "/" not in file.name]),
            ("maps_index_data", [file for file in others if "/" in file.name]),
        )
        if rows
    ]
    page = (
        templates()
        .get_template("index.html")
        .render(
            language=language,
            style=own_file("look.css") + own_file("report.css"),
            inputs=inputs,
            say=lambda code, **parameters: say(code, language, **parameters),
            numbers=headline(inputs),
            held=held_line(inputs.held)[language],
            notices=[sentence[language] for sentence in notices(inputs)],
            groups=groups,
        )
    )
    return save_page(page, folder / INDEX_NAME)


def _delivered(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "truth" not in path.relative_to(folder).parts[:-1])


def _listed(path: Path, folder: Path, language: str) -> Listed:
    name = path.relative_to(folder).as_posix()
    code = _KNOWN.get(name) or _STEMS.get(path.stem)
    title = say(f"maps_file_{code}_title", language) if code else path.name
    purpose_code = f"maps_file_{code}" if code else f"maps_file_{path.suffix.lstrip('.')}"
    purpose = say(purpose_code if purpose_code in catalogue() else "maps_file_other", language)
    return Listed(name, quote(name), title, purpose, _size(path.stat().st_size), code == "map")


def _size(size: int) -> str:
    if size < _KIB:
        return f"{size} B"
    if size < _KIB**2:
        return f"{size / _KIB:,.0f} KB"
    return f"{size / _KIB**2:,.1f} MB"
