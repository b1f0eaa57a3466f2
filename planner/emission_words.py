"""The sentences that results say about methane: tonnes of methane first, carbon dioxide second."""

from __future__ import annotations

from typing import Any

from registry.errors import Phrase


def methane_phrases(facts: dict[str, Any] | None) -> list[Phrase]:
    """Return the sentences of `methane_facts`, those of a plan with what it saves; none where there is no gas."""
    if facts is None or facts["methane_t_per_year"] is None:
        return []
    ends = {end: facts[f"methane{end}_t_per_year"] for end in ("", "_low", "_high")}
    amounts = {"methane": ends[""], "low": ends["_low"], "high": ends["_high"]}
    carbon = {name: facts[f"{name}_t_per_year"] for name in ("co2e100", "co2e20")}
    factors = f"{facts['factors']['id']} {facts['factors']['version']}"
    phrases = [Phrase("plan_methane", {**amounts, **carbon, "factors": factors})]
    renewed = facts.get("renewed")
    if renewed is None or renewed["methane_saved_t_per_year"] is None:
        return phrases
    saved = {end: renewed[f"methane_saved{end}_t_per_year"] for end in ("", "_low", "_high")}
    phrases.append(Phrase("plan_methane_saved", {"saved": saved[""], "low": saved["_low"], "high": saved["_high"]}))
    if renewed["uncertain_count"]:
        phrases.append(Phrase("plan_methane_uncertain", {"count": renewed["uncertain_count"]}))
    return phrases
