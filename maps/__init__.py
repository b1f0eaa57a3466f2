"""Maps, reports and pages: what a meeting sees. Names load on first use, so that importing `maps` costs nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maps.index_page import write_index as write_index
    from maps.inputs import Inputs as Inputs
    from maps.inputs import load_inputs as load_inputs
    from maps.outputs import write_outputs as write_outputs
    from maps.plan_map import PlanMap as PlanMap
    from maps.plan_map import draw_map as draw_map
    from maps.report import write_report as write_report

_HOMES = {
    "Inputs": "maps.inputs",
    "PlanMap": "maps.plan_map",
    "draw_map": "maps.plan_map",
    "load_inputs": "maps.inputs",
    "write_index": "maps.index_page",
    "write_outputs": "maps.outputs",
    "write_report": "maps.report",
}

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the attribute decides
    if name not in _HOMES:
        message = f"module 'maps' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)
