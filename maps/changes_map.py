"""The page that compares two plans: a map of what is added, dropped and moved, with the tables beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from maps.changes import Comparison, setting_text, setting_words, whole_figures
from maps.facts import Fact, field_fact, list_words, sentence_fact
from maps.inputs import Inputs, both
from maps.layers import make_layers
from maps.numbers import Number
from maps.offline import own_file
from maps.palette import stroke
from maps.plan_map import PlanMap, draw_page, panel_html
from maps.views import CHANGES, METRES_PER_KM, change_view, year_view
from planner.plan_changes import SIDES

_SHOWN_BATCHES: Final = 300
_MOVE_ORDER: Final = ("added", "dropped", "earlier", "later", "regrouped")
_NO_VALUE: Final = "—"


def draw_changes(inputs: Inputs, comparison: Comparison, *, language: str = "zh") -> PlanMap:
    """Draw the comparison of two plans as one page that works with no network, in Chinese and English.

    `inputs` are of the second plan: its streets, projects and closed ground are the background.

    Raises
    ------
    DrawingError
        As `maps.plan_map.draw_map`.
    """
    ground = replace(
        inputs,
        segments=comparison.segments,
        scores=None,
        pairs=None,
        batches=None,
        batch_segments=None,
        leaks=None,
        events=None,
        valves=None,
    )
    rows = comparison.changes[language].segments
    segments = comparison.segments
    views = [
        change_view(segments, rows["move"]),
        *(
            year_view(segments, side.members, f"year_{name}")
            for name, side in zip(SIDES, comparison.sides, strict=True)
        ),
    ]
    layers = make_layers(ground, views, _facts(comparison, segments.index))
    title = both("maps_compare_title", city=inputs.city, before=comparison.names[0], after=comparison.names[1])
    panel = panel_html(
        ground,
        views,
        layers,
        language,
        "changes_panel.html",
        title=title,
        before=comparison.names[0],
        after=comparison.names[1],
        numbers=_numbers(rows, views[0].decimals),
        notices=[both("compare_plans_weighted")] if comparison.is_weighted else [],
        figures=whole_figures(comparison),
        settings=_settings(comparison),
        batches=_batches(comparison),
    )
    return draw_page(ground, title[language], views, layers, panel, language, own_file("changes.css"))


def _facts(comparison: Comparison, index: pd.Index) -> list[Fact]:
    rows = next(iter(comparison.changes.values())).segments.reindex(index)
    plain = (
        "move",
        "year_before",
        "year_after",
        "cost_before_cny",
        "cost_after_cny",
        "project_before",
        "project_after",
    )
    facts = [field_fact("plan_changes", name, rows[name]) for name in plain]
    told = [
        sentence_fact(
            "plan_changes",
            f"why_{side}",
            {language: changes.segments[f"why_{side}"] for language, changes in comparison.changes.items()},
            index,
        )
        for side in SIDES
    ]
    return [*facts, *told]


def _numbers(rows: pd.DataFrame, decimals: int) -> list[Number]:
    km = rows.groupby("move")["length_m"].sum() / METRES_PER_KM
    found = []
    for move in reversed(CHANGES):
        length = float(km.get(move, 0.0))
        shown = both("maps_compare_km_value", value=f"{length:,.{decimals}f}")
        found.append(Number(f"{move}_km", length, shown, list_words("plan_move", move)))
    return found


def _settings(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {"label": setting_words(key), "before": setting_text(old), "after": setting_text(new)}
        for key, old, new in comparison.differences
    ]


def _batches(comparison: Comparison) -> list[dict[str, Any]]:
    """Return the batches that change, those of most length first within each change."""
    table = next(iter(comparison.changes.values())).batches
    changed = table[table["move"] != "unchanged"]
    rank = changed["move"].map({move: place for place, move in enumerate(_MOVE_ORDER)})
    order = changed.assign(rank=rank).sort_values(["rank", "length_m", "label"], ascending=[True, False, True])
    members = {
        name: ids
        for side in comparison.sides
        for name, ids in side.members.groupby("batch_id").groups.items()
        if name in changed.index
    }
    return [
        {
            "label": row["label"],
            "move": row["move"],
            "words": list_words("plan_move", row["move"]),
            "colour": stroke(f"change_{row['move']}").colour,
            "years": _years(row),
            "length_m": row["length_m"],
            "segments": json.dumps([str(one) for one in members[name]]),
        }
        for name, row in zip(order.index[:_SHOWN_BATCHES], order.head(_SHOWN_BATCHES).to_dict("records"), strict=True)
    ]


def _years(row: dict[Any, Any]) -> str:
    old, new = (_NO_VALUE if pd.isna(row[f"year_{side}"]) else str(row[f"year_{side}"]) for side in SIDES)
    return old if old == new else f"{old} → {new}"
