"""Charts of the forecast of a network: leaks of each year by scenario, with the interval shaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from maps.lift_chart import Axis, line_chart, line_of
from registry.catalogue import say
from registry.fields import fields, value_list

if TYPE_CHECKING:
    import pandas as pd

_MOST_YEARS: Final = 8
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)


def outlook_charts(forecast: pd.DataFrame | None, language: str) -> list[dict[str, Any]]:
    """Return a chart for each medium of the frame `network_forecast`, with its legend and what it comes to in words."""
    if forecast is None or forecast.empty:
        return []
    return [_chart(own, str(medium), language) for medium, own in forecast.groupby("medium", sort=True)]


def _chart(forecast: pd.DataFrame, medium: str, language: str) -> dict[str, Any]:
    scenarios = value_list("scenario")
    parts = {name: part.sort_values("year") for name, part in forecast.groupby("scenario", sort=False)}
    told = [(scenarios[name].label(language), parts[name]) for name in scenarios if name in parts]
    lines = {name: _points(part, "leaks") for name, part in told}
    bands = {name: _points(part, "leaks_low", "leaks_high") for name, part in told}
    title = say("maps_outlook_chart", language, medium=value_list("medium")[medium].label(language))
    return {
        "title": title,
        "picture": line_chart(
            lines, _years(forecast, language), _leaks(forecast, language), title, has_points=True, bands=bands
        ),
        "lines": [(line_of(number), name) for number, name in enumerate(lines)],
        "told": _told(forecast, language),
    }


def _points(part: pd.DataFrame, *columns: str) -> list[Any]:
    numbers = part[["year", *columns]].to_numpy(dtype="float64")
    return [tuple(float(value) for value in row) for row in numbers]


def _years(forecast: pd.DataFrame, language: str) -> Axis:
    years = sorted(int(year) for year in forecast["year"].unique())
    shown = years[:: max(1, -(-len(years) // _MOST_YEARS))]
    label = fields()["network_forecast"]["year"].label(language)
    # a single year stands in the middle
    low, high = (years[0], years[-1]) if len(years) > 1 else (years[0] - 1, years[0] + 1)
    return Axis(label, float(low), float(high), [(float(year), str(year)) for year in shown])


def _leaks(forecast: pd.DataFrame, language: str) -> Axis:
    top = max(float(forecast["leaks_high"].max()), 1.0)
    size = 10.0 ** np.floor(np.log10(top / 4.0))
    step = max(next(size * factor for factor in _STEPS if size * factor * 4.0 >= top), 1.0)
    high = step * np.ceil(top / step)
    ticks = [(value, f"{value:,.0f}") for value in np.arange(0.0, high + step / 2.0, step).tolist()]
    return Axis(fields()["network_forecast"]["leaks"].label(language), 0.0, float(high), ticks)


def _told(forecast: pd.DataFrame, language: str) -> str:
    sums = {str(name): float(leaks) for name, leaks in forecast.groupby("scenario")["leaks"].sum().items()}
    facts: dict[str, object] = {"first": int(forecast["year"].min()), "last": int(forecast["year"].max())}
    if "plan" not in sums:
        return say("maps_outlook_told", language, **facts, **sums)
    return say("maps_outlook_told_plan", language, **facts, **sums, avoided=sums["nothing"] - sums["plan"])
