"""What the popup of closed ground says: street, cause, rule, days and exceptions, in words of both languages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from maps.facts import Fact, field_fact, frame_facts, worded_fact
from maps.inputs import both
from registry.catalogue import LANGUAGES

if TYPE_CHECKING:
    import pandas as pd

    from maps.meeting import Closed


def ban_facts(table: pd.DataFrame, closed: Closed) -> list[Fact]:
    """Return what is known of each ban of a frame `closed_streets`, whatever the language of that frame."""
    states = closed.states.reindex(table.index)
    codes = closed.codes.reindex(table.index)
    exceptions = {
        text: {
            language: "; ".join(closed.exceptions[code][language] for code in str(text).split("|"))
            for language in LANGUAGES
        }
        for text in codes.unique()
        if text
    }
    end = table["ends_on"].dt.strftime("%Y-%m-%d").fillna("open")
    rules = {code: dict(words) for code, words in closed.rules.items()}
    return [
        *frame_facts(table, "closed_streets", ["street_name"]),
        worded_fact("state", "maps_ban_state", states, {code: both(f"maps_ban_{code}") for code in states.unique()}),
        *frame_facts(table, "closed_streets", ["cause"]),
        replace(field_fact("closed_streets", "rule", table["rule_code"]), words=rules),
        *frame_facts(table, "closed_streets", ["starts_on"]),
        worded_fact("until", "maps_ban_until", end, {"open": both("maps_ban_open_end")}),
        *frame_facts(table, "closed_streets", ["days_left"]),
        replace(field_fact("closed_streets", "exceptions", codes.where(codes != "")), words=exceptions),
        *frame_facts(table, "closed_streets", ["is_verified", "source_kind", "source_id"]),
    ]
