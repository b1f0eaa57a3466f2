"""The default likelihood once more, slowly and without the code of the planner: day by day, segment by segment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from planner.policy_models import Weights

STEPS = ("level", "cohort", "vintage", "diameter", "street")
INSTALL_DAYS = 60
TIME_STEPS = 4000


def year_of(day: date) -> float:
    return day.year + (day - date(day.year, 1, 1)).days / (365 + (day.year % 4 == 0))


def look_up(entries: Any, code: str, medium: str) -> float:
    """The factor of a code, from the entries of the medium if it has any."""
    own = [entry for entry in entries if entry.medium == medium] or [e for e in entries if e.medium is None]
    return next((float(entry.factor) for entry in own if entry.code == code), 1.0)


def band_of(diameter_mm: float, weights: Weights) -> int:
    tops = [band.maximum or np.inf for band in weights.likelihood.diameter_mm.bands]
    return next(place for place, top in enumerate(tops) if diameter_mm <= top)


def age_factor(age: np.ndarray, row: pd.Series, weights: Weights) -> np.ndarray:
    power = look_up(weights.likelihood.age_exponent.factors, row["material"], row["medium"])
    offset = weights.likelihood.age_offset_years.value
    reference = weights.likelihood.age_reference_years.value
    factor: np.ndarray = ((age + offset) / (reference + offset)) ** power
    return factor


def expected_leaks(row: pd.Series, weights: Weights, as_of: date, since_years: float, steady: float) -> float:
    """Add up the rate over small steps of time, for many days of installation."""
    now = year_of(as_of)
    first, last = float(row["installed_year_min"]), float(row["installed_year_max"])
    laid = first + (np.arange(INSTALL_DAYS) + 0.5) / INSTALL_DAYS * (last + 1 - first)
    time = now - since_years + (np.arange(TIME_STEPS) + 0.5) / TIME_STEPS * since_years
    age = time[None, :] - laid[:, None]
    there = age >= 0
    if pd.notna(row.get("retired_on")):
        there &= time[None, :] < now - (pd.Timestamp(as_of) - row["retired_on"]).days / 365.25
    rate = np.where(there, age_factor(np.maximum(age, 0.0), row, weights), 0.0)
    return steady * float(row["length_m"]) / 1000.0 * float(rate.mean()) * since_years


def slow_rates(
    segments: pd.DataFrame, leaks: Sequence[tuple[str, date]], steady: Sequence[float], weights: Weights, as_of: date
) -> dict[str, float]:
    """The record's multiplier of each segment, given its table rate at the reference age."""
    history = weights.likelihood.history
    strength = {name: getattr(history.strengths, name).value for name in ("level", "cohort", "vintage", "street")}
    strength["diameter"] = history.strengths.diameter_band.value
    medium_of = dict(segments["medium"].items())
    start = {}
    for medium in set(segments["medium"]):
        days = [day for name, day in leaks if medium_of[name] == medium]
        start[medium] = max((as_of - min(days)).days / 365.25, 1.0) if days else 0.0
    observed = {name: float(sum(of == name for of, _ in leaks)) for name in segments.index}
    groups: dict[str, dict[str, Hashable | None]] = {step: {} for step in STEPS}
    expected, recent = {}, {}
    for (name, row), rate in zip(segments.iterrows(), steady, strict=True):
        name, medium = str(name), row["medium"]
        expected[name] = expected_leaks(row, weights, as_of, start[medium], rate)
        last = min(start[medium], history.recent_years.value)
        recent[name] = expected_leaks(row, weights, as_of, last, rate)
        groups["level"][name] = medium
        groups["cohort"][name] = (medium, row["material"])
        decades = {int(row["installed_year_min"]) // 10, int(row["installed_year_max"]) // 10}
        groups["vintage"][name] = (medium, row["material"], *decades) if len(decades) == 1 else None
        groups["diameter"][name] = (medium, band_of(row["diameter_mm"], weights))
        place = row["compound_name"] if row["tier"] == "courtyard" and pd.notna(row["compound_name"]) else None
        street = row["street_name"] if pd.notna(row["street_name"]) else None
        groups["street"][name] = (medium, "compound", place) if place else (medium, street) if street else None
    moved, factor = dict(expected), dict.fromkeys(expected, 1.0)
    for step in STEPS:
        found: dict[Hashable, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for name, group in groups[step].items():
            found[group][0] += observed[name]
            found[group][1] += moved[name]
        for name, group in groups[step].items():
            if group is not None:
                mean = (found[group][0] + strength[step]) / (found[group][1] + strength[step])
                moved[name] *= mean
                factor[name] *= mean
    own = history.strengths.own.value
    for name in moved:
        factor[name] *= (own + observed[name]) / (own + moved[name])
    lately: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for name in moved:
        days = [day for of, day in leaks if of == name]
        lately[medium_of[name]][0] += sum(
            (as_of - day).days < round(history.recent_years.value * 365.25) for day in days
        )
        lately[medium_of[name]][1] += recent[name] * factor[name]
    last_strength = history.strengths.recent.value
    for name in factor:
        leaks_lately, expected_lately = lately[medium_of[name]]
        factor[name] *= (leaks_lately + last_strength) / (expected_lately + last_strength)
    return factor
