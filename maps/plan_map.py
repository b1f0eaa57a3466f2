"""The renewal map: one self-contained page that works with no network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import folium
import jinja2
import numpy as np
from markupsafe import escape

from maps.extent import bulk_bounds
from maps.facts import list_words
from maps.inputs import Both, Inputs, both, filled
from maps.layers import Layer, make_layers
from maps.numbers import headline, held_line, made_from, notices
from maps.offline import CanvasLayer, OfflineMap, StartScript, own_file
from maps.pages import save_page
from maps.palette import stroke
from maps.payload import to_degrees
from maps.views import TIERS, View, make_views
from planner.ranking import ranking_phrases
from registry.catalogue import LANGUAGES, catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

# bans to come are off: they lie on the ground of the projects that bring them, and would hide it
_SHOWN: Final = frozenset({"base", "compounds", "projects", "bans", "overlaps", "segments", "leaks"})
_HATCHED: Final = ("bans", "bans_to_come")
_MARGIN_DEGREES: Final = 0.002


@dataclass(frozen=True)
class PlanMap:
    """A finished map; `counts` are the features by layer of the layer control."""

    html: str
    counts: dict[str, int]

    def save(self, path: Path | str) -> Path:
        """Write the page to a file and return its path."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        return save_page(self.html, target)

    def _repr_html_(self) -> str:
        """Show the map in a notebook, in a frame of its own."""
        return f'<iframe srcdoc="{escape(self.html)}" style="width:100%;height:640px;border:0"></iframe>'


def draw_map(inputs: Inputs, *, language: str = "zh") -> PlanMap:
    """Draw the renewal map of a plan or, where there is none, of the census with the scores it has.

    The page holds Chinese and English and opens in `language`. Positions are turned to WGS 84 for display only. It
    needs a browser with DecompressionStream (Chromium 80, Firefox 113, Safari 16.4) and says so in an older one.

    Raises
    ------
    DrawingError
        If a frame has no CRS or a geometry of the wrong kind, or Leaflet is not installed.
    """
    views = make_views(inputs)
    layers = make_layers(inputs, views)
    panel = panel_html(inputs, views, layers, language)
    return draw_page(inputs, title_words(inputs)[language], views, layers, panel, language)


def draw_page(
    inputs: Inputs, title: str, views: Sequence[View], layers: Sequence[Layer], panel: str, language: str, css: str = ""
) -> PlanMap:
    """Draw a page of the map: its layers with the panel beside them; `css` adds to the usual style.

    Raises
    ------
    DrawingError
        As `draw_map`.
    """
    west, south, east, north = _bounds(inputs)
    page = OfflineMap(
        ((south + north) / 2, (west + east) / 2),
        str(escape(title)),
        zoom_start=13,
        max_zoom=20,
        min_zoom=8,
        zoom_snap=0.25,
        attribution_control=True,
        fade_animation=False,
    )
    page.add_style(own_file("look.css") + own_file("map.css") + css)
    page.add_html("panel", panel)
    page.add_html("config", _config(inputs, views, layers, language, [[south, west], [north, east]]))
    for layer in layers:
        page.add_html(
            f"layer_{layer.key}",
            f'<script type="application/octet-stream" id="digonce-layer-{layer.key}">{layer.blob.text()}</script>',
        )
    _add_control(page, layers)
    return PlanMap(page.page(), _counts(layers))


def title_words(inputs: Inputs) -> Both:
    """Return the title of the map."""
    return both("maps_title_plan" if inputs.has_plan else "maps_title_census", city=inputs.city)


def _bounds(inputs: Inputs) -> tuple[float, float, float, float]:
    """Return west, south, east, north of the bulk of the segments (of roads where there are none), with a margin."""
    frames = [inputs.segments, inputs.roads, inputs.projects]
    boxes = (bulk_bounds(frame) for frame in frames if frame is not None)
    extent = next((box for box in boxes if box is not None), np.array([0.0, 0, 1, 1]))
    corners = to_degrees(extent.reshape(2, 2), inputs.segments.crs)
    west, south = (corners.min(axis=0) - _MARGIN_DEGREES).round(6).tolist()
    east, north = (corners.max(axis=0) + _MARGIN_DEGREES).round(6).tolist()
    return west, south, east, north


def _counts(layers: Sequence[Layer]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for layer in layers:
        name = layer.key if layer.switch == "base" else layer.switch
        counts[name] = counts.get(name, 0) + layer.count
    return counts


def _add_control(page: OfflineMap, layers: Sequence[Layer]) -> None:
    """Put one folium layer per switch on the map, folium's layer control, and the call that starts the page."""
    counts = _counts(layers)
    for switch in (
        "segments",
        "overlaps",
        "projects",
        "bans",
        "bans_to_come",
        "leaks",
        "events",
        "valves",
        "compounds",
        "base",
    ):
        own = [layer for layer in layers if layer.switch == switch]
        if not own:
            continue
        label = both("maps_layer_base") if switch == "base" else own[0].label
        name = _both_span(label)
        if switch != "base":
            name += f' <small class="count">{counts[switch]:,}</small>'
        page.add_child(CanvasLayer(switch, _swatches(own) + name, is_shown=switch in _SHOWN))
    control = folium.LayerControl(position="topright", collapsed=False, autoZIndex=False)
    setattr(control, "_id", "digonce")  # noqa: B010 - folium has no public way to fix its names
    page.add_child(control)
    page.add_child(StartScript(control))


def _swatches(layers: Sequence[Layer]) -> str:
    """Return a small sign of how the layer is drawn."""
    layer = layers[0]
    if layer.switch in {"segments", "base"}:
        return f'<i class="sign sign-{layer.switch}"></i>'
    kind = "dot" if layer.shape == "point" else layer.key if layer.key in _HATCHED else "bar"
    colour = layer.classes[-1 if layer.switch == "overlaps" else 0][1].colour
    return f'<i class="sign sign-{kind}" style="--colour:{colour}"></i>'


def _both_span(words: Both) -> str:
    attributes = " ".join(f'data-{language}="{escape(words[language])}"' for language in LANGUAGES)
    return f"<span {attributes}>{escape(words['zh'])}</span>"


@cache
def templates() -> jinja2.Environment:
    """Return the page templates, with escaping on: what comes from files is text, never HTML."""
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(own_file),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def panel_html(
    inputs: Inputs,
    views: Sequence[View],
    layers: Sequence[Layer],
    language: str,
    template: str = "map_panel.html",
    **parts: Any,  # noqa: ANN401 - what the template needs
) -> str:
    """Return the panel of a page; `parts` are added to what every panel shows, or take its place."""
    tiers = [tier for tier in TIERS if any(tier in one.km_by_tier for one in views[0].classes)]
    overlays = [layer for layer in layers if layer.key in {"project_areas", "project_lines", "overlaps", *_HATCHED}]
    usual: dict[str, Any] = {
        "language": language,
        "both": both,
        "title": title_words(inputs),
        "as_of": inputs.as_of.isoformat(),
        "plan_name": inputs.plan_name,
        "numbers": headline(inputs),
        "views": views,
        "tiers": [(tier, list_words("tier", tier)) for tier in tiers],
        "held": held_line(inputs.held),
        "notices": [*made_from(inputs), *notices(inputs), *_scored_by(inputs)],
        "overlays": _overlay_legend(inputs, overlays),
    }
    return templates().get_template(template).render(usual | parts)


def _scored_by(inputs: Inputs) -> list[Both]:
    """Say what the models of the scores were tested on, and where the one that ranks was forced."""
    if not filled(inputs.scores):
        return []
    facts = inputs.ranking
    forced = ranking_phrases(facts) if facts is not None and facts["reason"] == "forced" else []
    said = [{language: phrase.say(language) for language in LANGUAGES} for phrase in forced]
    return [*said, both("forecast_evidence_note")]


def _overlay_legend(inputs: Inputs, layers: Sequence[Layer]) -> list[tuple[Both, str, str]]:
    """Return the legend rows of projects (kinds that occur), closed ground and overlaps: words, colour, sign."""
    rows: list[tuple[Both, str, str]] = []
    if filled(inputs.projects) and inputs.projects is not None:
        for kind in sorted(inputs.projects["kind"].dropna().unique()):
            sign = "area" if kind == "old_residential" else "band"
            rows.append((list_words("project_kind", str(kind)), stroke(f"project_{kind}").colour, sign))
    # what is closed now stands before what will be, whichever is drawn on top
    for layer in sorted(
        layers, key=lambda layer: ("bans", "bans_to_come").index(layer.key) if layer.key in _HATCHED else 2
    ):
        if layer.key == "overlaps":
            rows.extend((label, drawn.colour, "band") for label, drawn in reversed(layer.classes))
        elif layer.key in _HATCHED:
            rows.extend((label, drawn.colour, layer.key) for label, drawn in layer.classes)
    return rows


def _config(
    inputs: Inputs, views: Sequence[View], layers: Sequence[Layer], language: str, bounds: list[list[float]]
) -> str:
    """Return the description of the page as JSON that no `<` can end early."""
    described: dict[str, Any] = {
        "language": language,
        "bounds": bounds,
        "layers": [layer.described() for layer in layers],
        "views": [view.described() for view in views],
        "view": views[0].key,
        "notice": "" if len(inputs.segments) else "maps_web_no_segments",
        "road_casing": stroke("road_casing").colour,
        "selected": stroke("selected").colour,
        "words": {
            code: {one: catalogue()[code][one] for one in LANGUAGES}
            for code in catalogue()
            if code.startswith("maps_web_")
        },
    }
    text = json.dumps(described, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="digonce-config">{text}</script>'
