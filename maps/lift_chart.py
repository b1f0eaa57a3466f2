"""Charts of the model card as pictures of lines that any browser and printer draws: no script, no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

WIDTH: Final = 380
HEIGHT: Final = 270
# for a page that has room for one chart only
WIDE: Final = (860, 380)
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 22, 12, 46
# colours that stay apart under the three kinds of colour blindness, and dashes for print without colour
_STROKES: Final = (
    ("#0b5c7a", ""),
    ("#d1552b", "7 3"),
    ("#1f1f24", "2 3"),
    ("#b2367f", "9 3 2 3"),
    ("#8d8d8d", "4 4"),
)


@dataclass(frozen=True)
class Axis:
    """One axis: what it shows, from where to where, and the values that are written at it."""

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]

    def part(self, value: float) -> float:
        """Return how far along the axis a value lies, held inside it."""
        return float(np.clip((value - self.low) / (self.high - self.low), 0.0, 1.0))


def style_of(number: int) -> tuple[str, str]:
    """Return colour and dashes of the line of that number."""
    return _STROKES[number % len(_STROKES)]


def line_chart(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    across: Axis,
    up: Axis,
    title: str,
    *,
    has_points: bool = False,
    bands: Mapping[str, Sequence[tuple[float, float, float]]] | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> str:
    """Return a chart of lines; the legend stands beside it, not in it, so nothing can cover a line.

    A line without points is left out. `has_points` marks every value, for series of few years. `bands` shade from a low
    to a high value about the lines of the same names. `size` is the width and height of the picture.
    """
    drawn = [_frame(across, up, size)]
    drawn += [
        _band((bands or {}).get(name, ()), across, up, style_of(number)[0], size) for number, name in enumerate(lines)
    ]
    for number, points in enumerate(lines.values()):
        colour, dashes = style_of(number)
        places = [_place(point, across, up, size) for point in points]
        if len(places) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            dash = f' stroke-dasharray="{dashes}"' if dashes else ""
            drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.2"{dash}/>')
        if has_points or len(places) == 1:
            drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{colour}"/>' for x, y in places]
    return _picture("".join(drawn), title, size)


def point_chart(rows: Mapping[str, Sequence[float | None]], across: Axis, title: str, reference: float) -> str:
    """Return a chart with a row for each name and a mark for each model, beside a reference that means right."""
    height = 60 + 28 * max(len(rows), 1)
    left, inner = 192, WIDTH - 192 - _RIGHT
    bottom = height - 44

    def at(value: float) -> float:
        return left + across.part(value) * inner

    drawn = []
    for value, text in across.ticks:
        drawn.append(f'<line x1="{at(value):.1f}" x2="{at(value):.1f}" y1="8" y2="{bottom}" stroke="#dfe4e8"/>')
        drawn.append(f'<text x="{at(value):.1f}" y="{bottom + 16}" text-anchor="middle">{escape(text)}</text>')
    x = at(reference)
    drawn.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="8" y2="{bottom}" stroke="#5b6773" stroke-width="1.6"/>')
    for row, (name, values) in enumerate(rows.items()):
        row_y = 24 + 28 * row
        drawn.append(f'<text x="{left - 10}" y="{row_y + 4}" text-anchor="end">{escape(name)}</text>')
        known = [(number, value) for number, value in enumerate(values) if value is not None]
        for number, value in known:
            y = row_y + 6.0 * (number - (len(values) - 1) / 2)
            drawn.append(_mark(at(value), y, number))
    drawn.append(
        f'<text x="{left + inner / 2:.0f}" y="{height - 8}" text-anchor="middle">{escape(across.label)}</text>'
    )
    return _picture("".join(drawn), title, (WIDTH, height))


def mark_of(number: int) -> str:
    """Return the mark of a model for the legend of a point chart."""
    return f'<svg class="mark" viewBox="0 0 14 14" width="14" height="14">{_mark(7, 7, number)}</svg>'


def line_of(number: int) -> str:
    """Return a stretch of the line of a model for a legend."""
    colour, dashes = style_of(number)
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        '<svg class="mark" viewBox="0 0 30 10" width="30" height="10">'
        f'<line x1="0" x2="30" y1="5" y2="5" stroke="{colour}" stroke-width="2.4"{dash}/></svg>'
    )


def _band(
    points: Sequence[tuple[float, float, float]], across: Axis, up: Axis, colour: str, size: tuple[int, int]
) -> str:
    edge = [_place((x, high), across, up, size) for x, _, high in points]
    edge += [_place((x, low), across, up, size) for x, low, _ in reversed(points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in edge)
    return f'<polygon class="band" points="{path}" fill="{colour}" fill-opacity="0.16"/>' if edge else ""


def _mark(x: float, y: float, number: int) -> str:
    colour, _ = style_of(number)
    if number % 3 == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.2" fill="{colour}"/>'
    if number % 3 == 1:
        corners = ((x - 4.4, y), (x, y - 4.4), (x + 4.4, y), (x, y + 4.4))
        points = " ".join(f"{across:.1f},{down:.1f}" for across, down in corners)
        return f'<polygon points="{points}" fill="{colour}"/>'
    return f'<rect x="{x - 3.6:.1f}" y="{y - 3.6:.1f}" width="7.2" height="7.2" fill="{colour}"/>'


def _place(point: tuple[float, float], across: Axis, up: Axis, size: tuple[int, int]) -> tuple[float, float]:
    width, height = size
    x = _LEFT + across.part(point[0]) * (width - _LEFT - _RIGHT)
    y = height - _BOTTOM - up.part(point[1]) * (height - _TOP - _BOTTOM)
    return x, y


def _frame(across: Axis, up: Axis, size: tuple[int, int]) -> str:
    width, height = size
    parts = []
    for value, text in up.ticks:
        _, y = _place((across.low, value), across, up, size)
        parts.append(f'<line x1="{_LEFT}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dfe4e8"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    for value, text in across.ticks:
        x, _ = _place((value, up.low), across, up, size)
        parts.append(f'<text x="{x:.1f}" y="{height - _BOTTOM + 17}" text-anchor="middle">{escape(text)}</text>')
    base = height - _BOTTOM
    parts.append(f'<path d="M{_LEFT} {_TOP} V{base} H{width - _RIGHT}" fill="none" stroke="#5b6773"/>')
    middle = _LEFT + (width - _LEFT - _RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{height - 8}" text-anchor="middle">{escape(across.label)}</text>')
    upwards = _TOP + (base - _TOP) / 2
    parts.append(
        f'<text transform="translate(15 {upwards:.0f}) rotate(-90)" text-anchor="middle">{escape(up.label)}</text>'
    )
    return "".join(parts)


def _picture(drawn: str, title: str, size: tuple[int, int]) -> str:
    return (
        f'<svg class="chart" role="img" aria-label="{escape(title, quote=True)}" viewBox="0 0 {size[0]} {size[1]}">'
        f"<title>{escape(title)}</title>{drawn}</svg>"
    )
