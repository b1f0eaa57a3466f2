"""What `score` and `plan` say of methane."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from planner.emission_words import methane_phrases

if TYPE_CHECKING:
    import pandas as pd

    from planner.cli_job import Job
    from registry.console import Session


def methane_of(
    job: Job, frames: dict[str, pd.DataFrame], batch_segments: pd.DataFrame | None = None
) -> dict[str, Any] | None:
    """Return the methane of the network and, for a plan, what its renewals save once all are done; else None."""
    from planner.emissions import methane_facts

    factors = job.policy.emissions
    if factors is None:
        return None
    emissions = frames["emissions"]
    facts = methane_facts(emissions, factors)
    if batch_segments is not None:
        placed = batch_segments.index[batch_segments["year"].notna()]
        facts["renewed"] = methane_facts(emissions.loc[placed], factors)
    return facts


def methane_by_batch(frames: dict[str, pd.DataFrame], batch_segments: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return what each batch lets go and what its renewal avoids, low, figure and high; nothing without factors."""
    from planner.cli_tables import told
    from planner.emissions import batch_methane

    if "emissions" not in frames:
        return []
    return told(batch_methane(frames["emissions"], batch_segments).reset_index())


def show_methane(session: Session, facts: dict[str, Any] | None) -> None:
    """Print the sentences about methane."""
    for sentence in methane_phrases(facts):
        session.tell(sentence.code, **sentence.parameters)
