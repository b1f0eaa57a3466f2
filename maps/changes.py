"""Two saved plans read for a comparison: the frames of both, what changed in each language, and what they differ in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from maps.facts import list_words
from maps.inputs import Both, both
from planner.benefits import is_weighted
from planner.cli_compare import run_stamps
from planner.plan_changes import CANCELLED, SIDES, PlanChanges, PlanSide, compare_plans, plan_differences, plan_side
from planner.policy import Policy
from planner.score_changes import policy_differences
from registry.catalogue import CNY_PER_UNIT, LANGUAGES, catalogue, say

if TYPE_CHECKING:
    import geopandas as gpd

    from registry.store import Registry, SavedRun

# figure -> column, and decimals where it is no money
_FIGURES: Final = {
    "budget": ("budget_{}_cny", 2),
    "cost": ("cost_{}_cny", 2),
    "saving": ("saving_{}_cny", 2),
    "value": ("value_{}", 1),
    "household": ("household_{}_count", 0),
    "joint": ("joint_{}_km", 2),
    "mandatory_late": ("mandatory_late_{}_km", 2),
    "mandatory_left": ("mandatory_left_{}_km", 2),
}
_NO_VALUE: Final = "—"
_LONG_NUMBER: Final = 1e6
_FRAMES: Final = ("batches", "batch_segments", "plan_reasons", "scores")


@dataclass(frozen=True)
class Comparison:
    """Two plans compared: `changes` by language, the same but for the words of reasons; `segments` of either plan.

    `differences` are the settings, stamps and policy figures in which the plans differ: key, before, after.
    `is_weighted` where what either removes counts more than risk.
    """

    names: tuple[str, str]
    sides: tuple[PlanSide, PlanSide]
    changes: Mapping[str, PlanChanges]
    segments: gpd.GeoDataFrame
    stamps: Mapping[str, Any]
    differences: list[tuple[str, Any, Any]]
    is_weighted: bool = False


def load_comparison(registry: Registry, before: str, after: str) -> Comparison:
    """Read two saved plans, each on the census as it saw it, and compare them.

    Raises
    ------
    NotFoundError
        If a plan is not there.
    PolicyError
        If the policy of a plan is one of an older version that is no longer understood.
    """
    runs = [registry.load_run("plan", name, _FRAMES) for name in (before, after)]
    first, second = (_side(registry, run) for run in runs)
    added = first.segments.index.difference(second.segments.index)
    segments = second.segments if added.empty else pd.concat([second.segments, first.segments.loc[added]])
    stamps = run_stamps(runs, [registry.data_stamp(run) for run in runs])
    policies = policy_differences(runs[0].policy, runs[1].policy)
    differing = [(name, stamp["before"], stamp["after"]) for name, stamp in stamps.items() if not stamp["is_same"]]
    # what was known when a plan was made differs whenever one comes later; the state of the registry tells what counts
    kept = [row for row in differing if row[0] not in {"known_at", "policy"}]
    settings = plan_differences(runs[0].summary, runs[1].summary)
    return Comparison(
        names=(before, after),
        sides=(first, second),
        changes={language: compare_plans(first, second, language) for language in LANGUAGES},
        segments=segments,
        stamps=stamps,
        differences=[*settings, *kept, *((f"policy.{key}", old, new) for key, old, new in policies)],
        is_weighted=any(is_weighted(run.summary) for run in runs),
    )


def _side(registry: Registry, run: SavedRun) -> PlanSide:
    segments = registry.frame("segments", as_of=run.as_of, known_at=run.known_at or run.made_at)
    content = {name: part for name, part in run.policy.items() if name != "hash"}
    return plan_side(run.frames, run.summary, segments, Policy.from_dict(content), run.as_of)


def difference_frame(comparison: Comparison, language: str) -> pd.DataFrame:
    """Return the frame `plan_differences`, settings by their names where they have words."""
    rows = [
        {
            "key": setting_words(key)[language],
            "before": setting_text(before)[language],
            "after": setting_text(after)[language],
        }
        for key, before, after in comparison.differences
    ]
    return pd.DataFrame(rows, columns=["key", "before", "after"], dtype="str")


def setting_words(key: str) -> Both:
    """Return the name of a setting in words, or its key where it is one of a file."""
    name, _, rest = key.partition(".")
    code = f"compare_plans_setting_{name}"
    if code not in catalogue():
        return dict.fromkeys(LANGUAGES, key)
    return {language: f"{say(code, language)} {rest}".strip() for language in LANGUAGES}


def setting_text(value: object) -> Both:
    """Return the value of a setting as people read it; a dash where a plan has none."""
    if isinstance(value, float):
        text = f"{value:,.6g}" if abs(value) < _LONG_NUMBER else f"{value:,.0f}"
        return dict.fromkeys(LANGUAGES, text)
    if value == CANCELLED:
        return both("compare_plans_cancelled")
    return dict.fromkeys(LANGUAGES, _NO_VALUE if value is None else str(value))


def whole_figures(comparison: Comparison) -> list[dict[str, Both]]:
    """Return the figures of the whole plans in words: label, before, after."""
    changes = next(iter(comparison.changes.values()))
    whole = changes.years[changes.years["year"].isna()].iloc[0]
    rows = []
    for figure, (column, decimals) in _FIGURES.items():
        sides = {side: whole[column.format(side)] for side in SIDES}
        told = {side: _amount(value, decimals, is_money=column.endswith("_cny")) for side, value in sides.items()}
        rows.append({"label": both(f"maps_figure_{figure}"), **told})
    tiers = changes.tiers[changes.tiers["year"].isna()]
    for row in tiers.to_dict("records"):
        words = list_words("tier", row["tier"])
        label = {language: say("maps_figure_km", language, tier=words[language]) for language in LANGUAGES}
        rows.append({"label": label} | {side: _amount(row[f"km_{side}"], 2, is_money=False) for side in SIDES})
    return rows


def _amount(value: Any, decimals: int, *, is_money: bool) -> Both:  # noqa: ANN401 - a cell of a frame
    if pd.isna(value):
        return dict.fromkeys(LANGUAGES, _NO_VALUE)
    scaled = {language: float(value) / (CNY_PER_UNIT[language] if is_money else 1.0) for language in LANGUAGES}
    return {language: say(f"maps_figure_number_{decimals}", language, value=scaled[language]) for language in LANGUAGES}
