"""What the renewal of each pair costs alone, and what it shares with the project: quantities times prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel

from planner.age_course import AgeCourse, age_course
from planner.costs import Rows, band_rows, opened_ground, price_rows, rows_of
from planner.factors import Flags, Floats, number_column, text_column
from planner.policy import Policy, entry_name
from planner.policy_value import ValuePrices
from registry.errors import PlanningError, PolicyError

SAVED_TERMS: Final = ("trench", "paving", "traffic", "mobilisation")
Names = NDArray[np.object_]


@dataclass(frozen=True)
class PairFrames:
    """The frames that pairs are priced from; `road_classes` is the class of road by segment, where known."""

    segments: pd.DataFrame
    scores: pd.DataFrame
    pairs: pd.DataFrame
    pair_times: pd.DataFrame
    projects: pd.DataFrame
    road_classes: pd.Series | None = None


@dataclass(frozen=True)
class PairPlaces:
    """Where segment and project of each pair stand in their frames, and the metres that both share."""

    segment: Rows
    project: Rows
    overlap_m: Floats


@dataclass(frozen=True)
class Line:
    """One term of every pair: the quantity alone and the part of it that is saved, at a price of the policy.

    The price of the pipe holds its trench; so the trench has no quantity alone, only what is saved of it.
    """

    unit: str
    alone: Floats
    saved: Floats
    price: Floats
    low: Floats
    high: Floats
    price_id: Names

    @property
    def alone_cny(self) -> Floats:
        """What the term costs without the project."""
        return self.alone * self.price

    @property
    def saved_cny(self) -> Floats:
        """What of it the project saves."""
        return self.saved * self.price

    def take(self, rows: Rows) -> Line:
        """Return the line of some of the pairs."""
        numbers = (self.alone, self.saved, self.price, self.low, self.high)
        alone, saved, price, low, high = (column[rows] for column in numbers)
        return Line(self.unit, alone, saved, price, low, high, self.price_id[rows])


@dataclass(frozen=True)
class PriceTable:
    """The figures of one table of the policy with their range and their names in `Policy.unverified()`."""

    value: Floats
    low: Floats
    high: Floats
    price_id: Names

    def line(self, unit: str, row: Rows, alone: Floats, saved: Floats) -> Line:
        """Return the line of a term whose entry is `row`."""
        return Line(unit, alone, saved, self.value[row], self.low[row], self.high[row], self.price_id[row])


@dataclass(frozen=True)
class LeakCosts:
    """What the old pipe is expected to cost by its leaks in the first year, and how its rate rises with age."""

    leaks_per_year: Floats
    consequence: Floats
    repair: Line
    harm: Line
    age_years: Floats
    course: AgeCourse
    segment: Rows

    @property
    def first_year_cny(self) -> Floats:
        """Repair and harm of the leaks of the first year."""
        return self.repair.alone_cny + self.harm.alone_cny

    def growth(self, years: int, part: slice) -> Floats:
        """Return by how much the leak rate of a part of the pairs has risen after some years."""
        row, age = self.segment[part], self.age_years[part]
        growth: Floats = np.exp(self.course.ln_factor(age + years, row) - self.course.ln_factor(age, row))
        return growth


def value_prices(policy: Policy) -> ValuePrices:
    """Return the part `value` of the price list.

    Raises
    ------
    PolicyError
        If the price list has none.
    """
    prices = policy.prices
    if prices.value is None:
        raise PolicyError("plan_prices_without_value", id=prices.id, version=prices.version)
    return prices.value


def pair_places(frames: PairFrames) -> PairPlaces:
    """Find segment and project of each pair.

    Raises
    ------
    PlanningError
        If a pair names a segment or a project that is not given, or a segment that has no score.
    """
    pairs = frames.pairs
    segment = frames.segments.index.get_indexer(pd.Index(pairs["segment_id"]))
    project = frames.projects.index.get_indexer(pd.Index(pairs["project_id"]))
    score = frames.scores.index.get_indexer(pd.Index(pairs["segment_id"]))
    strange = (segment < 0) | (project < 0) | (score < 0)
    if strange.any():
        first = pairs[strange].iloc[0]
        example = f"{first['segment_id']}–{first['project_id']}"
        raise PlanningError("plan_pairs_strange", count=int(strange.sum()), example=example)
    overlap_m = pairs["overlap_m"].to_numpy(dtype="float64")
    return PairPlaces(segment.astype(np.int64), project.astype(np.int64), overlap_m)


def pair_lines(frames: PairFrames, places: PairPlaces, policy: Policy) -> dict[str, Line]:
    """Return the lines pipe, trench, paving, traffic and mobilisation of every pair.

    Alone, the whole segment is laid: its length for the pipe, length times width of the trench for the paving, its
    length for the traffic where its surface asks for it. Saved are the overlapped metres of the terms that the policy
    shares for what the project opens. A site is set up once for a project; its cost falls on the pairs of the project
    by their overlapped metres, so that those of a project add up to one site.

    Misleads where only some of the segments of a project join: each then saves more of the site than shown.
    """
    prices, value = policy.prices, value_prices(policy)
    rows = price_rows(frames.segments, prices)
    row, overlap_m = places.segment, places.overlap_m
    length_m = frames.segments["length_m"].to_numpy(dtype="float64")[row]
    width_m = np.array([price.trench_width_m for price in prices.pipe])[rows.pipe][row]
    is_shared = _shared_terms(frames.projects, policy, places)
    trench_band = band_rows(frames.segments, prices, [price.maximum_mm for price in value.trench])[row]
    surface = text_column(frames.segments, "surface").fillna("unknown")
    meets_traffic = surface.isin(list(value.traffic_surfaces)).to_numpy(dtype=bool)[row]
    site = overlap_m / _project_metres(places)
    pipe = price_table("prices.pipe", prices.pipe, "price_cny_per_m")
    trench = price_table("prices.value.trench", value.trench, "price_cny_per_m")
    paving = price_table("prices.surface", prices.surface, "price_cny_per_m2")
    traffic = price_table("prices.value.traffic_cny_per_m", value.traffic_cny_per_m)
    mobilisation = price_table("prices.mobilisation_cny_per_batch", [prices.mobilisation_cny_per_batch])
    none, first = np.zeros(len(row)), np.zeros(len(row), dtype=np.int64)
    road_class = _road_class_rows(frames, value)[row]
    guided_m, shared_m = length_m * meets_traffic, overlap_m * meets_traffic
    return {
        "pipe": pipe.line("m", rows.pipe[row], length_m, none),
        "trench": trench.line("m", trench_band, none, overlap_m * is_shared["trench"]),
        "paving": paving.line("m2", rows.surface[row], length_m * width_m, overlap_m * width_m * is_shared["paving"]),
        "traffic": traffic.line("m", road_class, guided_m, shared_m * is_shared["traffic"]),
        "mobilisation": mobilisation.line("site", first, site, site * is_shared["mobilisation"]),
    }


def leak_costs(frames: PairFrames, places: PairPlaces, policy: Policy) -> LeakCosts:
    """Return what leaks of the old pipe cost in the first year.

    Leaks per year = likelihood of the score x length x share of the risk that the renewal removes; each costs its
    repair, and the harm of the reference segment times the consequence of the score. The rate rises with the age as
    the weights of the score say.
    """
    value = value_prices(policy)
    scores = frames.scores.reindex(frames.segments.index)
    length_km = frames.segments["length_m"].to_numpy(dtype="float64") / 1000.0
    leaks = scores["likelihood_per_km_year"].to_numpy(dtype="float64") * length_km * policy.planning.removed_share.value
    consequence = scores["consequence_index"].to_numpy(dtype="float64")
    course = age_course(frames.segments, policy.weights.likelihood)
    age = number_column(scores, "age_years")
    age = np.where(np.isnan(age), course.default_age_years, age)
    row, none = places.segment, np.zeros(len(places.segment))
    lines = []
    for name, per_leak in (("repair_cny_per_leak", 1.0), ("harm_cny_per_leak", consequence[row])):
        table = getattr(value, name)
        medium = rows_of(frames.segments["medium"], [entry.code for entry in table])[row]
        prices = price_table(f"prices.value.{name}", table)
        lines.append(prices.line("leak/year", medium, leaks[row] * per_leak, none))
    return LeakCosts(leaks[row], consequence[row], lines[0], lines[1], age[row], course, row)


def saved_carbon_kg(frames: PairFrames, lines: dict[str, Line], places: PairPlaces, policy: Policy) -> Floats:
    """Return the carbon dioxide of the saved paving and trench; NaN where the price list has no part `carbon`."""
    carbon = value_prices(policy).carbon
    if carbon is None:
        return np.full(len(places.segment), np.nan)
    surface = text_column(frames.segments, "surface")
    row = rows_of(surface, [entry.code for entry in carbon.paving_kg_per_m2])[places.segment]
    per_m2 = np.array([entry.value for entry in carbon.paving_kg_per_m2])[row]
    pipe = price_rows(frames.segments, policy.prices).pipe[places.segment]
    width_m = np.array([price.trench_width_m for price in policy.prices.pipe])[pipe]
    volume_m3 = lines["trench"].saved * width_m * carbon.trench_depth_m.value
    kilograms: Floats = lines["paving"].saved * per_m2 + volume_m3 * carbon.trench_kg_per_m3.value
    return kilograms


def price_table(name: str, entries: Sequence[BaseModel], attribute: str = "value") -> PriceTable:
    """Return a table of prices; a range that is not known is NaN."""
    value, low, high = (
        np.array([getattr(entry, key, None) for entry in entries], dtype="float64")
        for key in (attribute, "low", "high")
    )
    told = [entry_name(entry.model_dump()) for entry in entries]
    ids = np.array([f"{name}[{which}]" if which else name for which in told], dtype=object)
    return PriceTable(value, low, high, ids)


def _shared_terms(projects: pd.DataFrame, policy: Policy, places: PairPlaces) -> dict[str, Flags]:
    """Return for each term whether the project of each pair saves it."""
    opened = pd.Series(opened_ground(projects, policy))
    terms = {entry.code: entry.terms for entry in value_prices(policy).shared}
    return {
        term: opened.map({code: term in shared for code, shared in terms.items()}).to_numpy(dtype=bool)[places.project]
        for term in SAVED_TERMS
    }


def _project_metres(places: PairPlaces) -> Floats:
    """Return the metres of all pairs of the project of each pair; infinite where there are none."""
    total = np.bincount(places.project, weights=places.overlap_m)[places.project]
    return np.where(total > 0, total, np.inf)


def _road_class_rows(frames: PairFrames, value: ValuePrices) -> Rows:
    codes = [entry.code for entry in value.traffic_cny_per_m]
    if frames.road_classes is None:
        return np.full(len(frames.segments), codes.index("unknown"), dtype=np.int64)
    return rows_of(frames.road_classes.reindex(frames.segments.index), codes)
