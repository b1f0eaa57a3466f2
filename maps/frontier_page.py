"""The page of a frontier: what more or less money would bring, drawn and in tables, and what dig bans cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from maps.lift_chart import WIDE, Axis, line_chart, line_of
from maps.offline import own_file
from maps.plan_map import templates
from maps.report import shown
from maps.report_cells import columns
from planner.scenario_words import made_from_phrases
from registry.catalogue import CNY_PER_UNIT, say
from registry.fields import fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.frontier import Frontier
    from registry.store import SavedRun

_STEPS: Final = (1.0, 2.0, 5.0, 10.0)
_TICKS: Final = 5
BAN_COLUMNS: Final = (
    "street_name",
    "starts_on",
    "ends_on",
    "closed_m",
    "opened_m",
    "mandatory_m",
    "rise",
    "gain_at_most",
    "gain_found",
)
SHOWN_BANS: Final = 100


@dataclass(frozen=True)
class FrontierFacts:
    """What the page tells: the frontier, the worth of a million more by year, and the prices of bans."""

    frontier: Frontier
    worth_per_million: Mapping[str, float]
    bans: pd.DataFrame


def frontier_page(run: SavedRun, city: str, facts: FrontierFacts, language: str = "zh") -> str:
    """Return the page, in one language."""
    title = say("frontier_title", language, city=city)
    shown_bans = facts.bans.head(SHOWN_BANS)
    worth = pd.DataFrame(
        [
            [str(year), say("maps_figure_number_1", language, value=float(value))]
            for year, value in facts.worth_per_million.items()
        ]
    )
    per_year = [say("frontier_year", language), say("frontier_worth", language)]
    return (
        templates()
        .get_template("frontier.html")
        .render(
            say=lambda code, **parameters: say(code, language, **parameters),
            language=language,
            style=own_file("look.css") + own_file("report.css") + own_file("charts.css"),
            title=title,
            as_of=run.as_of.isoformat(),
            plan_name=run.name or run.run_id,
            sentences=[phrase.say(language) for phrase in made_from_phrases(run.summary, language)],
            chart=_chart(facts.frontier, language),
            tables=[
                _table("points", facts.frontier.points, "frontier_points", language, note="frontier_points_note"),
                {
                    "key": "worth",
                    "title": say("frontier_worth_title", language),
                    "headings": per_year,
                    "rows": worth.to_numpy().tolist(),
                    "nothing": say("frontier_worth_none", language),
                    "note": say("frontier_worth_note", language),
                },
                _table(
                    "bans",
                    shown_bans[list(BAN_COLUMNS)].reset_index(drop=True),
                    "ban_prices",
                    language,
                    note="frontier_bans_note",
                ),
            ],
        )
    )


def _table(key: str, rows: pd.DataFrame, contract: str, language: str, note: str) -> dict[str, Any]:
    told = columns(rows, contract, language)
    cells = [[shown(value, column.kind, language) for value in column.cells] for column in told]
    return {
        "key": key,
        "title": say(f"frontier_{key}_title", language),
        "headings": [column.heading for column in told],
        "rows": [list(row) for row in zip(*cells, strict=True)],
        "nothing": say(f"frontier_{key}_none", language),
        "note": say(note, language),
    }


def _chart(frontier: Frontier, language: str) -> dict[str, Any]:
    """Draw the bound as the straight pieces that it is, and the plans that were found."""
    unit = CNY_PER_UNIT[language]
    at, bound = frontier.corners()
    found = frontier.points.dropna(subset=["value"])
    lines = {
        say("frontier_line_bound", language): _points(at / unit, bound),
        say("frontier_line_found", language): _points(found["budget_cny"].to_numpy() / unit, found["value"].to_numpy()),
    }
    title = say("frontier_chart", language)
    declared = fields()["frontier_points"]
    money = say("money_unit", language)
    budget = f"{declared['budget_cny'].label(language)} ({money})"
    across = _axis(budget, float(at.max()) / unit)
    up = _axis(declared["value"].label(language), float(bound.max()))
    return {
        "title": title,
        "picture": line_chart(lines, across, up, title, has_points=True),
        "wide": line_chart(lines, across, up, title, has_points=True, size=WIDE),
        "lines": [(line_of(number), name) for number, name in enumerate(lines)],
    }


def _points(across: Any, up: Any) -> list[tuple[float, float]]:  # noqa: ANN401 - arrays of numbers
    return [(float(x), float(y)) for x, y in zip(across, up, strict=True)]


def _axis(label: str, top: float) -> Axis:
    size = 10.0 ** np.floor(np.log10(max(top, 1e-9) / _TICKS))
    step = float(next(size * factor for factor in _STEPS if size * factor * _TICKS >= top))
    high = step * float(np.ceil(top / step))
    places = max(0, -int(np.floor(np.log10(step))))
    return Axis(label, 0.0, high, [(value, f"{value:,.{places}f}") for value in np.arange(0.0, high + step / 2, step)])
