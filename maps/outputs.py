"""Everything that a demo shows of one plan, written into one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maps.index_page import write_index
from maps.inputs import load_inputs
from maps.plan_map import draw_map
from maps.report import write_report

if TYPE_CHECKING:
    from pathlib import Path

    from registry.store import Registry

MAP_NAME: Final = "renewal-map.html"


def write_outputs(registry: Registry, folder: Path, language: str = "zh", plan_name: str | None = None) -> list[Path]:
    """Write map, overlap report (workbook and page) and an index page that links every file of the folder.

    The report is left out where no overlaps have been looked for. Other files that lie in the
    folder already are linked too, so call this last. Returns the files written, the index page first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    inputs = load_inputs(registry, plan_name)
    written = [draw_map(inputs, language=language).save(folder / MAP_NAME)]
    if inputs.pairs is not None:
        written.extend(write_report(inputs, folder, language))
    return [write_index(inputs, folder, language=language), *written]
