"""What a scenario changed and what a plan was made out of, in sentences: the same on terminal, report and map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from registry.catalogue import CNY_PER_UNIT
from registry.errors import Phrase

_NO_DAY: Final = "—"
_LIMITS: Final = (
    *("km", "carry_over", "district_km", "district_households", "district_floor"),
    *("least_risk", "least_repair_cny", "least_methane_t"),
)


def scenario_phrases(stored: Mapping[str, Any] | None, unit: float) -> list[Phrase]:
    """Return a sentence on the scenario of a run and one on each thing that it changed; none without a scenario.

    Parameters
    ----------
    stored
        The part `scenario` of the summary of a run.
    unit
        Yuan in one unit of money of the reader.
    """
    if stored is None:
        return []
    content = stored["content"]
    head = Phrase("scenario_of_plan" if content.get("note") else "scenario_of_plan_alone", {**_named(content)})
    found = [head, *_limit_phrases(content.get("limits", {}), unit)]
    for part, worth in content.get("weights", {}).items():
        found.append(Phrase(f"scenario_weight_{part}", {"worth": worth}))
    return [*found, *(_change(change) for change in stored["changes"])]


def made_from_phrases(summary: Mapping[str, Any], language: str) -> list[Phrase]:
    """Return what the plan of a summary was made out of, and under which scenario: for notes of reports and maps."""
    found = []
    if parent := summary.get("replanned"):
        found.append(Phrase("replanned_from", dict(parent)))
    return found + scenario_phrases(summary.get("scenario"), CNY_PER_UNIT[language])


def _named(content: Mapping[str, Any]) -> dict[str, object]:
    return {"name": content["name"], "note": content.get("note", "")}


def _limit_phrases(limits: Mapping[str, Any], unit: float) -> list[Phrase]:
    found: list[Phrase] = []
    budget = limits.get("budget_cny")
    if isinstance(budget, Mapping):
        found += [
            Phrase("scenario_budget_year", {"year": year, "budget": amount / unit}) for year, amount in budget.items()
        ]
    elif budget is not None:
        found.append(Phrase("scenario_budget", {"budget": budget / unit}))
    if limits.get("budget_total_cny") is not None:
        found.append(Phrase("scenario_budget_total", {"budget": limits["budget_total_cny"] / unit}))
    found += [Phrase(f"scenario_{name}", {"limit": limits[name]}) for name in _LIMITS if name in limits]
    return found


def _change(change: Mapping[str, Any]) -> Phrase:
    parameters: dict[str, object] = {
        name: _NO_DAY if value is None else value for name, value in change.items() if name != "what"
    }
    if change["what"] == "project":
        return Phrase("scenario_project_cancelled" if change.get("cancelled") else "scenario_project_moved", parameters)
    if change["what"] == "order":
        return Phrase("scenario_order", parameters)
    return Phrase(f"scenario_ban_{change['what']}", parameters)
