"""True hazard of every segment and the leaks it made, with what the records caught of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from registry.city.parameters import Bools, Floats, Ints, load
from registry.city.pipes import BRANCH, ENTRY, HEAT, Pipes
from registry.city.streets import Streets
from registry.city.truth import COATINGS, MATERIALS, PROTECTIONS, Truth


@dataclass(frozen=True)
class Hazard:
    """Factors per segment; the rate at an age is `steady` times (age / reference) to the power `exponent`."""

    steady: Floats
    exponent: Floats
    previous_steady: Floats
    previous_exponent: Floats
    street_effect: Floats
    segment_effect: Floats
    installed_at: Floats
    previous_at: Floats


@dataclass(frozen=True)
class Leaks:
    """True leaks: the segment, the instant in years, whether the pipe was the predecessor, and whether it was found."""

    segment: Ints
    at_year: Floats
    is_previous: Bools
    is_found: Bools


def year_of(day: date) -> float:
    """Return a day as a year with its fraction."""
    start = date(day.year, 1, 1)
    return day.year + (day - start).days / (date(day.year + 1, 1, 1) - start).days


def make_hazard(
    streets: Streets, pipes: Pipes, truth: Truth, is_corrosive: Bools, parcel_count: int, rng: np.random.Generator
) -> Hazard:
    """Multiply base rate, protection, diameter, soil, street effect and segment effect."""
    settings = load("hazard")
    effects = settings["effects"]
    run_count = int(streets.run.max()) + 1
    shape = effects["street_gamma_shape"]
    of_street = rng.gamma(shape, 1 / shape, run_count + parcel_count)
    street = of_street[np.where(pipes.parcel >= 0, run_count + pipes.parcel, streets.run[pipes.edge])]
    shape = effects["segment_gamma_shape"]
    own = rng.gamma(shape, 1 / shape, pipes.count)
    common = street * own * (truth.diameter_mm / 150.0) ** effects["diameter_exponent"]
    is_courtyard = (pipes.kind >= ENTRY) & (pipes.kind <= BRANCH)
    common *= np.where(is_courtyard, effects["courtyard_factor"], 1.0)
    common *= np.where(pipes.kind == HEAT, effects["heat_factor"], 1.0)
    coating = np.array([settings["coating_factor"][name] for name in COATINGS])
    cathodic = np.array([settings["cathodic_factor"][name] for name in PROTECTIONS])
    base = np.array([settings["base_per_km_year"].get(name, np.nan) for name in MATERIALS])
    power = np.array([settings["age_exponent"].get(name, np.nan) for name in MATERIALS])
    is_metal = np.array([not name.startswith("pe") for name in MATERIALS])
    soil = np.where(is_corrosive, effects["corrosive_soil_factor"], 1.0)
    protected = coating[truth.coating] * cathodic[truth.cathodic_protection]
    now, before = truth.material, np.maximum(truth.previous_material, 0)
    installed_at = truth.installed_year + rng.random(pipes.count)
    return Hazard(
        steady=base[now] * common * protected * np.where(is_metal[now], soil, 1.0),
        exponent=power[now],
        previous_steady=base[before] * common * np.where(is_metal[before], soil, 1.0),
        previous_exponent=power[before],
        street_effect=street,
        segment_effect=own,
        installed_at=np.minimum(installed_at, year_of(load("city")["as_of"]) - 0.1),
        previous_at=np.where(truth.previous_year >= 0, truth.previous_year + 0.5, np.nan),
    )


def rate_at(steady: Floats, exponent: Floats, age_years: Floats) -> Floats:
    """Return leaks per km and year at an age; the age counts from half a year on."""
    reference = load("hazard")["reference_age_years"]
    rate: Floats = steady * (np.maximum(age_years, 0.5) / reference) ** exponent
    return rate


def expected_in(hazard: Hazard, length_km: Floats, first: float, last: float) -> tuple[Floats, Floats]:
    """Return expected leaks between two instants at most a year apart: of the present pipe and of its predecessor."""
    middle = (first + last) / 2
    present = np.clip(last - np.maximum(hazard.installed_at, first), 0.0, None)
    now = rate_at(hazard.steady, hazard.exponent, middle - hazard.installed_at) * length_km * present
    has_previous = ~np.isnan(hazard.previous_at)
    absent = np.clip(np.minimum(hazard.installed_at, last) - first, 0.0, None) * has_previous
    age = middle - np.where(has_previous, hazard.previous_at, middle)
    before = rate_at(hazard.previous_steady, hazard.previous_exponent, age) * length_km * absent
    return now, before


def draw_leaks(
    pipes: Pipes, hazard: Hazard, district: Ints, district_count: int, rng: np.random.Generator
) -> tuple[Leaks, Floats, Floats, Bools]:
    """Draw leaks year by year.

    Also return the expected numbers per segment over the window, of both pipes, and which districts (columns) had a
    leak survey in which year (rows).
    """
    settings = load("hazard")["records"]
    start, end = year_of(settings["first_day"]), year_of(load("city")["as_of"])
    length_km = pipes.length_m / 1000
    expected, expected_before = np.zeros(pipes.count), np.zeros(pipes.count)
    found: list[tuple[Ints, Floats, Bools, Bools]] = []
    surveyed: list[Bools] = []
    for number, first in enumerate(np.arange(start, end)):
        last = min(first + 1.0, end)
        now, before = expected_in(hazard, length_km, first, last)
        expected += now
        expected_before += before
        growth = number / max(end - start - 1, 1)
        chance = settings["detection_first"] + growth * (settings["detection_last"] - settings["detection_first"])
        has_gap = rng.random(district_count) < settings["gap_share"]
        surveyed.append(~has_gap)
        by_district = np.where(has_gap, settings["gap_factor"], 1.0) * chance
        for mean, is_previous in ((now, False), (before, True)):
            where = np.repeat(np.arange(pipes.count), rng.poisson(mean))
            low = np.where(is_previous, first, np.maximum(first, hazard.installed_at[where]))
            high = np.where(is_previous, np.minimum(hazard.installed_at[where], last), last)
            at = low + rng.random(len(where)) * (high - low)
            seen = by_district[district[where]] * np.where(
                pipes.parcel[where] >= 0, settings["survey_factor_courtyard"], 1.0
            )
            found.append((where, at, np.full(len(where), is_previous), rng.random(len(where)) < seen))
    columns = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    order = np.argsort(columns[1], kind="stable")
    leaks = Leaks(*(column[order] for column in columns))
    return leaks, expected, expected_before, np.array(surveyed)
