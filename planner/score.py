"""The score of every segment: policy class, likelihood times consequence, grade, and every contribution kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.ages import age_interval
from planner.classes import certain_classes, classes_from_record
from planner.consequence import ConsequenceParts, consequence_parts
from planner.factors import Flags, Floats
from planner.ground import find_ground
from planner.incidents import Index, grades_of, incident_columns, matrix_columns
from planner.likelihood import Circumstances, LikelihoodParts, likelihood_parts
from planner.policy import Policy
from planner.policy_models import Weights
from planner.record import make_record
from planner.supply import expected_households
from planner.surroundings import Near
from planner.third_party import third_party_rates
from registry.fields import check_frame, columns_of

# the name of the rate that needs no training, as the forecasts call it
DEFAULT_MODEL: Final = "default"


@dataclass(frozen=True)
class Told:
    """What is told of segments besides their own record, where known.

    Parameters
    ----------
    predecessor_links, household_links
        Leaks of the pipes that lay there before, and households that are supplied.
    context, roads, street_links
        The frames of those names: soil, stray current, voids and places where people gather, class of the
        road, street of a segment without a name.
    retired
        Segments that are no more in the ground, with `retired_on`: their exposure and leaks teach the groups.
    surveyed, district_of
        The frame `surveyed`: which share of the network was looked at in a year; and the district of each segment.
    """

    predecessor_links: pd.DataFrame | None = None
    household_links: pd.DataFrame | None = None
    context: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None
    street_links: pd.DataFrame | None = None
    retired: gpd.GeoDataFrame | None = None
    surveyed: pd.DataFrame | None = None
    district_of: pd.Series | None = None

    def with_retired(self, segments: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return the segments, and after them the retired ones that are not among them."""
        if self.retired is None:
            return segments
        gone = self.retired[~self.retired.index.isin(segments.index)]
        return segments if gone.empty else pd.concat([segments, gone])


def score_segments(  # noqa: PLR0913 - all that a score is made from
    segments: gpd.GeoDataFrame,
    leak_links: pd.DataFrame,
    leaks: pd.DataFrame,
    buildings: gpd.GeoDataFrame | None,
    policy: Policy,
    as_of: date,
    *,
    told: Told | None = None,
    progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Score every segment as of a day: the frame `scores`, index as `segments`.

    The risk is leaks per kilometre and year times a relative consequence. All contributions are natural logarithms:
    the likelihood is the exponential of the sum of `ln_likelihood_*`, the consequence that of `ln_consequence_*`.
    `planner.incidents` says what it means in incidents and yuan; the grade is by incidents per kilometre and year.
    Leaks after `as_of` are ignored. Unknown attributes take the documented default of the weights and are counted
    and named in `gap_count` and `gaps`.

    Misleads as an absolute figure: the factors are expert values until a city's own record has moved them. What holds
    always: more leaks of its own, a nearer building or void, more people, a higher pressure, corrosive soil never lower
    the risk of an otherwise equal segment; nor does age lower its table rate, apart from what is known of decades.

    Parameters
    ----------
    told
        What else is known.
    progress
        Called with the number of segments done in each piece of the long step.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    PlanningError
        If links name leaks that `leaks` does not hold.
    """
    check_frame(segments, "segments", ["medium", "length_m", "geometry"])
    check_frame(leak_links, "leak_links")
    told, weights = told or Told(), policy.weights
    excluded = weights.likelihood.history.excluded_causes
    record = make_record(segments, leak_links, leaks, as_of, excluded)
    likelihood, third_party = _leak_rates(segments, leak_links, leaks, weights, as_of, told)
    homes = np.full(len(segments), np.nan)
    if told.household_links is not None:
        homes = expected_households(told.household_links, segments)
    supplied = np.where(segments["medium"].isin(list(policy.supply.media)), homes, np.nan)
    consequence = consequence_parts(segments, Near(buildings, told.context), weights, progress, supplied)
    scores = classes_from_record(segments, record, policy, as_of)
    scores["policy_is_certain"] = pd.array(certain_classes(segments, record, policy, as_of), dtype="boolean")
    scores.index.name = "segment_id"
    columns = _figures(segments, likelihood, consequence, as_of)
    columns["expected_household_count"] = homes
    columns["third_party_per_km_year"] = third_party
    columns["predecessor_leak_count"] = np.full(len(segments), np.nan)
    if told.predecessor_links is not None:
        gone = make_record(segments, told.predecessor_links, leaks, as_of, excluded)
        columns["predecessor_leak_count"] = gone.expected_leaks()
    scores = with_incidents(scores.assign(**columns, ranking_model=DEFAULT_MODEL), segments["medium"], policy)
    return _with_gaps(scores, likelihood, consequence)[columns_of("scores")]


def _leak_rates(
    segments: gpd.GeoDataFrame,
    leak_links: pd.DataFrame,
    leaks: pd.DataFrame,
    weights: Weights,
    as_of: date,
    told: Told,
) -> tuple[LikelihoodParts, Floats]:
    """Return the contributions to the leak rate, and the rate of third-party damage, of the segments.

    Retired segments take part in making them and are left out of the result.
    """
    pipes = told.with_retired(segments)
    ground = find_ground(pipes, told.context, told.roads, told.street_links, weights.likelihood)
    around = Circumstances(ground, told.street_links, told.surveyed, told.district_of)
    excluded = weights.likelihood.history.excluded_causes
    record = make_record(pipes, leak_links, leaks, as_of, excluded)
    every = make_record(pipes, leak_links, leaks, as_of, ())
    damage = make_record(pipes, leak_links, leaks, as_of, (), only_causes=excluded)
    parts = likelihood_parts(pipes, record, weights, as_of, around)
    rates = third_party_rates(pipes, every, damage, weights, as_of, around)
    return parts.first(len(segments)), rates[: len(segments)]


def _figures(
    segments: pd.DataFrame, likelihood: LikelihoodParts, consequence: ConsequenceParts, as_of: date
) -> dict[str, Floats]:
    """Return ages, contributions and what they add up to, as columns of the scores."""
    ages = age_interval(segments, as_of)
    length_m = segments["length_m"].to_numpy(dtype="float64")
    columns: dict[str, Floats] = {"age_years": likelihood.age_years, "length_m": length_m}
    columns |= {"age_least_years": np.maximum(ages.least, 0.0), "age_most_years": np.maximum(ages.most, 0.0)}
    columns["leak_count"] = likelihood.leak_count
    columns |= {f"ln_likelihood_{name}": part for name, part in likelihood.ln_parts.items()}
    columns["likelihood_per_km_year"] = np.exp(likelihood.ln_likelihood)
    columns["default_per_km_year"] = columns["likelihood_per_km_year"]
    columns["learned_per_km_year"] = np.full(len(segments), np.nan)
    columns["likelihood_sd_per_km_year"] = columns["likelihood_per_km_year"] * likelihood.relative_deviation
    columns |= {f"ln_consequence_{name}": part for name, part in consequence.ln_parts.items()}
    columns["consequence_index"] = np.exp(consequence.ln_consequence)
    columns["risk_per_km_year"] = columns["likelihood_per_km_year"] * columns["consequence_index"]
    columns["risk_per_year"] = columns["risk_per_km_year"] * length_m / 1000.0
    return columns


def with_incidents(scores: pd.DataFrame, medium: pd.Series, policy: Policy) -> pd.DataFrame:
    """Add to likelihood and consequence what they mean: incidents, harm, grade, and the place in the matrix."""
    sides = (scores[name].to_numpy() for name in ("likelihood_per_km_year", "consequence_index", "length_m"))
    index = Index(*sides)
    incidents = incident_columns(medium, index, policy)
    grade = grades_of(incidents["incidents_per_km_year"], medium, policy.weights.grades)
    told = scores.assign(**incidents, grade=grade, **matrix_columns(index, policy.weights.matrix))
    return told.astype({"grade": "str", "matrix_grade": "str"})


def _with_gaps(scores: pd.DataFrame, likelihood: LikelihoodParts, consequence: ConsequenceParts) -> pd.DataFrame:
    """Add how many attributes of each segment were unknown, and which; one that both ask for counts once."""
    gaps = likelihood.gaps | consequence.gaps
    gaps["pressure_class"] = likelihood.gaps["pressure_class"] | consequence.gaps["pressure_class"]
    names = pd.Series(_gap_names(gaps), scores.index, dtype="str")
    return scores.assign(gap_count=pd.array(np.sum(list(gaps.values()), axis=0), dtype="Int64"), gaps=names)


def _gap_names(gaps: dict[str, Flags]) -> NDArray[np.object_]:
    """Name the gaps of each segment; there are few combinations, so each is spelt once."""
    names = list(gaps)
    pattern = np.sum([gap.astype(np.int64) << place for place, gap in enumerate(gaps.values())], axis=0)
    found, where = np.unique(pattern, return_inverse=True)
    spelt = [",".join(name for place, name in enumerate(names) if int(code) >> place & 1) for code in found]
    return np.array(spelt, dtype=object)[where]
