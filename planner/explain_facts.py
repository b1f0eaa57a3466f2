"""What is so of a segment in the ground, beside its factors: the facts that an explanation names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.factors import Floats, entries_for, text_column
from planner.ground import find_ground
from planner.learned import Learned
from planner.policy import Policy
from planner.policy_models import Consequence
from planner.pressure import pressure_class
from planner.record import DAYS_PER_YEAR, make_record
from planner.record_groups import street_names
from planner.score import Told, score_segments
from planner.surroundings import Near, Surroundings, find_surroundings

_OF_RECORD: Final = [
    "medium",
    "tier",
    "material",
    "installed_year_min",
    "installed_year_max",
    "coating",
    "cathodic_protection",
    "diameter_mm",
    "cover_depth_m",
    "joint",
    "surface",
    "street_name",
]


@dataclass(frozen=True)
class Evidence:
    """What the scores were made from: the frames of `score_segments`, with which the facts are found again.

    `learned` is the learned model where one ranks. What it says of a segment against the default stays the same
    whatever else is changed: only the default is scored again.
    """

    segments: gpd.GeoDataFrame
    leak_links: pd.DataFrame
    leaks: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame | None
    policy: Policy
    as_of: date
    told: Told
    learned: Learned | None = None

    def scores(self, progress: Callable[[int], None] | None = None) -> pd.DataFrame:
        """Score the segments by this evidence: the frame `scores`."""
        made = score_segments(
            self.segments,
            self.leak_links,
            self.leaks,
            self.buildings,
            self.policy,
            self.as_of,
            told=self.told,
            progress=progress,
        )
        return made if self.learned is None else self.learned.apply(made, self.segments["medium"], self.policy)


def find_facts(evidence: Evidence, scores: pd.DataFrame, segment_ids: Sequence[str]) -> pd.DataFrame:
    """Find what the explanation of some segments names: values on file, leaks counted, what stands near.

    Index `segment_id` as asked. Leaks are counted as the score counts them: by their probabilities, on or before the
    as-of day, without the causes that are left out; `recent_leak_count` and `street_leak_count` are of the last
    `recent_years` of the weights, those of the street with the pipes that are gone.
    """
    asked = pd.Index(list(segment_ids), dtype="str", name="segment_id")
    chosen = evidence.segments.loc[asked]
    told, weights = evidence.told, evidence.policy.weights
    facts = pd.DataFrame(index=asked)
    for column in _OF_RECORD:
        facts[column] = chosen[column] if column in chosen.columns else np.nan
    facts["pressure_class"] = pressure_class(chosen, weights.pressure_limits)
    ground = find_ground(chosen, told.context, told.roads, told.street_links, weights.likelihood)
    facts["soil"], facts["stray_current"], facts["road_class"] = ground.soil, ground.stray_current, ground.road_class
    near = Near(evidence.buildings, told.context)
    around = find_surroundings(chosen, near, weights.consequence)
    facts["building_m"], facts["void_m"] = around.building_m, around.void_m
    facts["people_count"] = around.people_count
    facts["building_use"] = _nearest_use(chosen, evidence.buildings, weights.consequence.building_reach_m.value)
    facts["hardest"] = _hardest(around, chosen["medium"], weights.consequence)
    scored = scores.loc[asked]
    supplied = np.where(
        chosen["medium"].isin(list(evidence.policy.supply.media)), scored["expected_household_count"], np.nan
    )
    facts["household_count"] = np.where(np.isnan(supplied), around.household_count, supplied)
    for name in ("age_years", "leak_count", "gaps", "policy_class", "ranking_model"):
        facts[name] = scored[name]
    return facts.join(_leak_counts(evidence).reindex(asked))


def cohorts_of(segments: pd.DataFrame) -> pd.Series:
    """Return the kind of pipe that a segment is compared with: medium, material and decade, as one key.

    An install interval that is not within one decade, or none, is a decade of its own: not known.
    """
    first, last = (segments[f"installed_year_{end}"].astype("float64") // 10 * 10 for end in ("min", "max"))
    decade = first.fillna(last).where(first.fillna(last) == last.fillna(first))
    material = text_column(segments, "material").fillna("unknown").astype("str")
    return segments["medium"].astype("str") + "|" + material + "|" + decade.astype("str").fillna("unknown")


def _leak_counts(evidence: Evidence) -> pd.DataFrame:
    """Count the leaks of the last years of each segment and of its street."""
    pipes = evidence.told.with_retired(evidence.segments)
    history = evidence.policy.weights.likelihood.history
    record = make_record(pipes, evidence.leak_links, evidence.leaks, evidence.as_of, history.excluded_causes)
    since = evidence.as_of - timedelta(days=round(history.recent_years.value * DAYS_PER_YEAR) - 1)
    recent = record.expected_leaks(since)
    street = street_names(pipes, evidence.told.street_links)
    medium = pipes["medium"].to_numpy()
    of_street, of_street_ever = (
        pd.Series(count).groupby([medium, street.to_numpy()]).transform("sum").to_numpy()
        for count in (recent, record.expected_leaks())
    )
    counts = pd.DataFrame(
        {
            "recent_leak_count": recent,
            "street_leak_count": of_street,
            "street_total_count": of_street_ever,
            # a compound is told by the tab that keeps its name apart
            "street": street.astype("str").str.strip().where(street.notna()).to_numpy(),
        },
        index=pipes.index,
    )
    return counts.loc[evidence.segments.index]


def _nearest_use(segments: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame | None, reach_m: float) -> pd.Series:
    """Return the use of the nearest building within reach, missing where there is none."""
    use = pd.Series(np.nan, segments.index, dtype="str")
    if buildings is None or buildings.empty:
        return use
    lines = np.asarray(segments.geometry.array)
    row, building = shapely.STRtree(np.asarray(buildings.geometry.array)).query_nearest(lines, max_distance=reach_m)
    uses = text_column(buildings, "use").fillna("unknown").to_numpy(dtype=object)[building]
    # of several at one distance the first by name, whatever the order of rows
    found = pd.Series(uses, segments.index[row]).groupby(level=0).min()
    return found.reindex(segments.index).astype("str")


def _hardest(around: Surroundings, medium: pd.Series, tables: Consequence) -> pd.Series:
    """Return who near a segment is hardest to lead away by the table of its medium; missing where nobody is."""
    best: Floats = np.ones(len(medium))
    hardest = np.full(len(medium), np.nan, dtype=object)
    for kind, is_near in (around.kinds or {}).items():
        by_medium = {name: _factor(tables, str(name), kind) for name in medium.dropna().unique()}
        factor = medium.map(by_medium).to_numpy(dtype="float64")
        is_harder = is_near & (factor > best)
        hardest = np.where(is_harder, kind, hardest)
        best = np.where(is_harder, factor, best)
    return pd.Series(hardest, medium.index, dtype="str")


def _factor(tables: Consequence, medium: str, kind: str) -> float:
    factors = {entry.code: entry.factor for entry in entries_for(tables.evacuation.factors, medium)}
    return factors.get(kind, 1.0)
