"""A folium map that needs no network: Leaflet comes from the installed XStatic-Leaflet distribution."""

from __future__ import annotations

import base64
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any, cast

import folium
from branca.element import Element, Figure, MacroElement
from folium.map import Layer
from folium.template import Template

from registry.errors import DrawingError

_CARRIER = "xstatic-leaflet"
_URL = re.compile(r"url\((['\"]?)(?!data:)([^)'\"]+)\1\)")
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
_CLOSING_TAG = re.compile(r"</(script)", re.IGNORECASE)
_OWN_SCRIPTS = ("codec.js", "canvas.js", "sheets.js", "labels.js", "popup.js", "panel.js", "app.js")


@cache
def leaflet_file(name: str) -> bytes:
    """Return one file of the installed Leaflet, for example `leaflet.js` or `images/layers.png`.

    Raises
    ------
    DrawingError
        If the distribution that carries Leaflet is not installed or lacks the file.
    """
    try:
        entries = distribution(_CARRIER).files or []
    except PackageNotFoundError as fault:
        raise DrawingError("maps_leaflet_missing", carrier=_CARRIER, name=name) from fault
    for entry in entries:
        if PurePosixPath(entry).as_posix().endswith(f"leaflet/data/{name}"):
            return Path(entry.locate()).read_bytes()
    raise DrawingError("maps_leaflet_missing", carrier=_CARRIER, name=name)


def own_file(name: str) -> str:
    """Return one file of `maps/web`."""
    return files("maps").joinpath("web", name).read_text(encoding="utf-8")


def safe_script(source: str) -> str:
    """Make JavaScript safe inside a `<script>` element: no closing tag, no comment opener, no source map."""
    stripped = _SOURCE_MAP.sub("", source)
    return _CLOSING_TAG.sub(r"<\\/\1", stripped).replace("<!--", r"<\!--")


def _inline_images(css: str) -> str:
    def inline(match: re.Match[str]) -> str:
        name = match.group(2).removeprefix("./")
        if name.startswith("#"):
            return match.group(0)
        return f"url(data:image/png;base64,{base64.b64encode(leaflet_file(name)).decode('ascii')})"

    return _URL.sub(inline, css)


def _style(css: str) -> Verbatim:
    return Verbatim("<style>" + css.replace("</", r"<\/") + "</style>")


class OfflineMap(folium.Map):
    """A folium map whose page holds all it needs: Leaflet, our own layers and styles; no address of any server.

    Element ids are fixed, so that the same inputs give the same bytes. Popups, icons and plugins of folium would bring
    their own remote files back: none is used.
    """

    def __init__(self, centre: tuple[float, float], title: str, **options: Any) -> None:  # noqa: ANN401
        super().__init__(location=list(centre), tiles=None, control_scale=False, **options)
        self.default_js = []
        self.default_css = []
        self._id = "digonce"
        figure = cast("Figure", self.get_root())
        figure._id = "page"
        figure.title = title
        header = figure.header
        for name, child in (
            ("leaflet_css", _style(_inline_images(leaflet_file("leaflet.css").decode("utf-8")))),
            ("leaflet_js", _script(leaflet_file("leaflet.js").decode("utf-8"))),
            ("digonce_js", _script("\n".join(own_file(script) for script in _OWN_SCRIPTS))),
        ):
            header.add_child(child, name=name)

    def add_style(self, css: str) -> None:
        """Add a style sheet after those of folium."""
        cast("Figure", self.get_root()).header.add_child(_style(css), name="digonce_css")

    def add_html(self, name: str, html: str) -> None:
        """Add finished HTML to the body, before the scripts run."""
        cast("Figure", self.get_root()).html.add_child(Verbatim(html), name=name)

    def page(self) -> str:
        """Return the whole page."""
        return cast("Figure", self.get_root()).render()


class Verbatim(Element):
    """Text that reaches the page as it is: file content must never be read as a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **kwargs: Any) -> str:  # noqa: ANN401, ARG002 - the signature of branca
        """Return the text."""
        return self.text


def _script(source: str) -> Verbatim:
    return Verbatim("<script>" + safe_script(source) + "</script>")


class CanvasLayer(Layer):
    """One of our canvas layers as a folium layer, so that folium's layer control switches it."""

    _template = Template(
        "{% macro script(this, kwargs) %}\n"
        "var {{ this.get_name() }} = digonce.layer({{ this.key|tojson }});\n"
        "{% endmacro %}"
    )

    def __init__(self, key: str, name: str, *, is_shown: bool) -> None:
        super().__init__(name=name, overlay=True, control=True, show=is_shown)
        self._name = "CanvasLayer"
        self._id = key
        self.key = key


class StartScript(MacroElement):
    """The call that starts our page, placed after folium has made the map and its layers."""

    _template = Template(
        "{% macro script(this, kwargs) %}\ndigonce.start({{ this._parent.get_name() }}, "
        "{{ this.control.get_name() }});\n{% endmacro %}"
    )

    def __init__(self, control: folium.LayerControl) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "StartScript"
        self._id = "digonce"
        self.control = control
