"""What a meeting reads besides the plan: the pairs as they are stored, and the streets closed on its day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from planner.ban_changes import BanChanges
from planner.ban_exceptions import quote_exceptions
from planner.bans import PUBLISHED, find_bans, open_ends
from planner.closed_streets import closed_streets, undated_works
from planner.days import as_day
from planner.decisions import standing_decisions
from planner.factors import day_column
from planner.meeting import City
from planner.overlap_table import Meeting, overlap_table
from planner.policy import Policy, read_policy
from planner.scenario import apply_scenario, scenario_of_run
from registry.catalogue import LANGUAGES, say
from registry.errors import PolicyError
from registry.fields import columns_of
from registry.history.retired import read_successions

if TYPE_CHECKING:
    import geopandas as gpd

    from registry.store import Registry

_OF_PAIRS: Final = ("pair_times", "pair_values")
_OF_SCORES: Final = ("policy_class", "grade", "risk_per_year", "gap_count", "expected_household_count")


@dataclass(frozen=True)
class Closed:
    """The dig bans in force on a day or to come, in words of each language, with the names of rules and exceptions.

    `streets` are the frames `closed_streets` by language, rows in the same order: what is in force first, then by last
    forbidden day. `states` says of each ban whether it is `in_force`, `unconfirmed` (of works that should be over, but
    nobody has said so) or `to_come`; `codes` are those of its exceptions. `undated_count` are finished works that may
    have closed a street since nobody knows when.
    """

    streets: Mapping[str, gpd.GeoDataFrame]
    states: pd.Series
    codes: pd.Series
    rules: Mapping[str, Mapping[str, str]]
    exceptions: Mapping[str, Mapping[str, str]]
    quotes: Mapping[str, Mapping[str, str]]
    undated_count: int = 0

    def count(self, *states: str) -> int:
        """Return how many bans are in one of these states."""
        return int(self.states.isin(states).sum())


def stored_policy(content: Mapping[str, Any] | None) -> Policy | None:
    """Bring back the policy of a saved run, the packaged one where there is no run.

    None where an earlier version has stored it without all that this one needs: nothing is put in its place.
    """
    if content is None:
        return read_policy()
    try:
        return Policy.from_dict({key: value for key, value in content.items() if key != "hash"})
    except PolicyError:
        return None


def find_closed(
    roads: gpd.GeoDataFrame,
    projects: gpd.GeoDataFrame,
    moratoria: gpd.GeoDataFrame,
    policy: Policy,
    as_of: date,
    changes: BanChanges | None = None,
) -> Closed:
    """Find the bans that are in force on a day or begin later, as a scenario changed them; what is over is left out.

    Raises
    ------
    FrameError, PlanningError
        As `planner.bans.find_bans`.
    """
    bans = (changes or BanChanges()).apply(find_bans(roads, projects, moratoria, policy, as_of))
    left = bans[np.asarray(open_ends(bans) >= as_day(as_of), dtype=bool)]
    is_later = day_column(left, "starts_on") > as_day(as_of)
    order = pd.DataFrame({"is_later": is_later, "end": open_ends(left), "street": left["street_name"]}, left.index)
    left = left.loc[order.sort_values(["is_later", "end", "street"], kind="stable").index]
    rules = {rule.code: {"en": rule.label_en, "zh": rule.label_zh} for rule in policy.bans.rules}
    rules[PUBLISHED] = {language: say("plan_ban_published", language) for language in LANGUAGES}
    shown = {language: closed_streets(left, policy, as_of, language).loc[left.index] for language in LANGUAGES}
    return Closed(
        streets=shown,
        states=ban_states(left, as_of),
        codes=left["exceptions"],
        rules=rules,
        exceptions={one.code: {"en": one.label_en, "zh": one.label_zh} for one in policy.bans.exceptions},
        quotes={
            one.code: {language: quote_exceptions(one.code, policy.bans, language)[0] for language in LANGUAGES}
            for one in policy.bans.exceptions
        },
        undated_count=int(undated_works(projects, policy).sum()),
    )


def under_scenario(
    frames: Mapping[str, Any], summary: Mapping[str, Any], policy: Policy | None, as_of: date
) -> tuple[dict[str, Any], BanChanges]:
    """Return the projects and published bans that a saved plan saw, and what its scenario made of other bans.

    `frames` are those of the registry by kind: segments, roads, projects, moratoria.
    """
    scenario = scenario_of_run(summary)
    if scenario is None or policy is None:
        return dict(frames), BanChanges()
    nothing = frames["segments"].iloc[:0]
    parts = {kind: frames[kind] for kind in ("segments", "roads", "projects", "moratoria")}
    city = City(pavements=nothing, decisions=nothing, successions=nothing, **parts)
    seen = apply_scenario(city, scenario, policy, as_of)[0]
    return dict(frames) | {"projects": seen.projects, "moratoria": seen.moratoria}, seen.ban_changes


def ban_states(bans: pd.DataFrame, as_of: date) -> pd.Series:
    """Return for each ban that is not over whether it is `in_force`, `unconfirmed` or `to_come`, index as `bans`."""
    is_later = day_column(bans, "starts_on") > as_day(as_of)
    is_planned = bans["is_planned"].to_numpy(dtype=bool)
    states = np.select([is_later, is_planned], ["to_come", "unconfirmed"], default="in_force")
    return pd.Series(states, bans.index, dtype="str", name="state")


def stored_table(
    registry: Registry,
    stored: Mapping[str, pd.DataFrame],
    segments: gpd.GeoDataFrame,
    projects: gpd.GeoDataFrame,
    as_of: date,
    known_at: datetime | None,
) -> pd.DataFrame | None:
    """Join the stored pairs with their times, amounts and decisions: the frame `overlap_table`.

    Nothing is computed anew. None where no pairs are stored, or an earlier version has stored them alone.
    """
    pairs = stored.get("pairs")
    if pairs is None or (len(pairs) and any(name not in stored for name in _OF_PAIRS)):
        return None
    decisions = registry.frame("decisions", as_of=as_of, known_at=known_at)
    successions = read_successions(registry.connection, as_of, known_at)
    frames = {name: stored.get(name, _empty(name)) for name in (*_OF_PAIRS, "neighbours")}
    return overlap_table(
        Meeting(
            pairs=pairs,
            times=frames["pair_times"],
            amounts=frames["pair_values"],
            decisions=standing_decisions(decisions, pairs, successions),
            neighbours=frames["neighbours"],
            segments=segments,
            scores=stored.get("scores", pd.DataFrame(columns=pd.Index(_OF_SCORES), index=segments.index)),
            projects=projects,
            planned=stored.get("batch_segments"),
        )
    )


def _empty(frame: str) -> pd.DataFrame:
    return pd.DataFrame(columns=pd.Index(columns_of(frame)))
