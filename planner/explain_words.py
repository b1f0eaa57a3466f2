"""The causes of a risk in words: what is so of the segment, never a factor's name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.policy_models import Weights
from registry.catalogue import catalogue, say
from registry.fields import fields, value_list

_HALF: Final = 0.5
# below this a leak is told as none
_LEAST: Final = 0.05
_NEAR_M: Final = 2.0
_DECADE_YEARS: Final = 10
_EXACT: Final = 10.0


@dataclass(frozen=True)
class Teller:
    """Says the causes of one segment: a row of the facts, the weights for reaches and years, and the language."""

    facts: dict[str, Any]
    weights: Weights
    language: str

    def cause(self, code: str, ln: float) -> str:
        """Say what is so of the segment that a cause is about; `ln` tells whether that raises the risk."""
        is_up = ln > 0
        tellers: dict[str, Callable[[], str]] = {
            "pipe": self.pipe,
            "age": lambda: self._number("age", "years", "age_years"),
            "protection": lambda: self._protection(is_up=is_up),
            "diameter": lambda: self._number("diameter" if is_up else "diameter_less", "diameter_mm", "diameter_mm"),
            "pressure": self._pressure,
            "soil": self._soil,
            "stray_current": lambda: self._say(f"stray_current_{self._text('stray_current')}"),
            "cover": lambda: self._number("cover", "cover_m", "cover_depth_m"),
            "traffic": self._traffic,
            "joint": lambda: self._say("joint", joint=self.listed("joint", self._text("joint"))),
            "gaps": lambda: self._gaps(is_up=is_up),
            "street": lambda: self._street(is_up=is_up),
            "history": lambda: self._history(is_up=is_up),
            "learned_model": self._learned_model,
            "building": lambda: self._building(is_up=is_up),
            "surface": lambda: self._say(f"surface_{self._text('surface')}"),
            "void": self._void,
            "occupancy": self._occupancy,
            "evacuation": self._evacuation,
            "household": lambda: self._number("household", "households", "household_count"),
        }
        return tellers[code]() if code in tellers else self._say(code)

    def reason(self, code: str, ln: float, *, is_own: bool = False) -> str:
        """Say a cause and how many times the usual it makes the risk; `ln` is the natural logarithm of that.

        An own reason is told against a neutral pipe instead.
        """
        return self._say(
            "reason_own" if is_own else "reason", what=self.cause(code, ln), multiplier=times(float(np.exp(ln)))
        )

    def pipe(self) -> str:
        """Say what the pipe is made of and when it was laid."""
        return self._pipe_laid(self.laid())

    def _pipe_laid(self, laid: str) -> str:
        code = self._text("material")
        if code == "unknown":
            return self._say("pipe_unknown", laid=laid)
        return self._say("pipe", material=self.listed("material", code), laid=laid)

    def laid(self) -> str:
        """Say when it was laid, as narrowly as is known."""
        years = self._years()
        if years is None:
            return self._say("laid_unknown")
        first, last = years
        if first == last:
            return self._say("laid_year", year=first)
        if first // _DECADE_YEARS == last // _DECADE_YEARS:
            return self._say("laid_decade", decade=first // _DECADE_YEARS * _DECADE_YEARS)
        return self._say("laid_between", first=first, last=last)

    def kind(self) -> str:
        """Say the cohort: medium, material and decade."""
        years = self._years()
        if years is None:
            laid = self._say("laid_unknown")
        elif years[0] // _DECADE_YEARS == years[1] // _DECADE_YEARS:
            laid = self._say("laid_decade", decade=years[0] // _DECADE_YEARS * _DECADE_YEARS)
        else:
            laid = self._say("laid_decade_open")
        return self._say("kind", medium=self.medium(), pipe=self._pipe_laid(laid))

    def medium(self) -> str:
        """Say the medium."""
        return self.listed("medium", self._text("medium"))

    def gaps(self) -> list[str]:
        """Name what is not on file."""
        return [gap_name(code, self.language) for code in str(self.facts["gaps"] or "").split(",") if code]

    def listed(self, name: str, code: str) -> str:
        """Say a code of a value list."""
        entry = value_list(name).get(code)
        return entry.label(self.language) if entry else code

    def _protection(self, *, is_up: bool) -> str:
        coating, cathodic = (self.listed(name, self._text(name)) for name in ("coating", "cathodic_protection"))
        return self._say("protection" if is_up else "protection_good", coating=coating, cathodic=cathodic)

    def _pressure(self) -> str:
        code = self._text("pressure_class")
        if code == "unknown":
            return self._say("pressure_unknown")
        return self._say("pressure", pressure=self.listed("pressure_class", code))

    def _soil(self) -> str:
        return self._say("soil", level=self._say(f"soil_{self._text('soil')}"))

    def _traffic(self) -> str:
        surface, road = self._text("surface"), self._text("road_class")
        if surface not in {"unknown", *self.weights.likelihood.traffic_surfaces}:
            return self._say("traffic_off")
        if "unknown" in {surface, road}:
            return self._say("traffic_unknown")
        return self._say("traffic", road=self.listed("road_class", road))

    def _gaps(self, *, is_up: bool) -> str:
        count = len(self.gaps())
        if not count:
            return self._say("gaps_none")
        return self._say("gaps" if is_up else "gaps_few", count=count)

    def _street(self, *, is_up: bool) -> str:
        if self._text("street") == "unknown":
            return self._say("street_unknown")
        street = self.facts["street"]
        recent, every = float(self.facts["street_leak_count"]), float(self.facts["street_total_count"])
        if recent < _HALF and every >= _HALF and is_up:
            return self._say("street_earlier", leaks=self._leaks(every), street=street)
        if every < _HALF and is_up:
            return self._say("street_says_little", street=street)
        years = self.weights.likelihood.history.recent_years.value
        code = "street" if is_up or recent < _HALF else "street_fewer"
        return self._say(code, leaks=self._leaks(recent), street=street, years=years)

    def _history(self, *, is_up: bool) -> str:
        count = float(self.facts["leak_count"])
        if count >= _HALF:
            return self._say("history" if is_up else "history_fewer", leaks=self._leaks(count))
        if not is_up:
            return self._say("history_none")
        return self._say("history_maybe" if count >= _LEAST else "history_says_little")

    def _learned_model(self) -> str:
        return self._say("learned_model", model=self.listed("forecast_model", self._text("ranking_model")))

    def _leaks(self, count: float) -> str:
        """Say an expected count as the whole number next to it: a share of a leak means nothing to a reader."""
        whole = int(count + _HALF)
        code = {0: "no_leak", 1: "leak"}.get(whole, "leaks")
        return self._say("leaks", count=whole) if code == "leaks" else self._say(code)

    def _building(self, *, is_up: bool) -> str:
        distance = float(self.facts["building_m"])
        if math.isnan(distance):
            return self._say("building_unknown")
        reach = self.weights.consequence.building_reach_m.value
        if distance > reach:
            return self._say("building_none", reach_m=reach)
        code = "building" if is_up else "building_far"
        return self._say(code, distance_m=metres(distance), what=self._say(f"use_{self._text('building_use')}"))

    def _void(self) -> str:
        distance = float(self.facts["void_m"])
        if math.isnan(distance):
            return self._say("void_unknown")
        if distance > self.weights.consequence.void_reach_m:
            return self._say("void_none")
        return self._say("void", distance_m=metres(distance))

    def _occupancy(self) -> str:
        people = float(self.facts["people_count"])
        if math.isnan(people):
            return self._say("occupancy_unknown")
        return self._say("occupancy", people=people, reach_m=self.weights.consequence.building_reach_m.value)

    def _evacuation(self) -> str:
        kind = self._text("hardest")
        if kind == "unknown":
            return self._say("evacuation_none")
        reach = self.weights.consequence.building_reach_m.value
        return self._say("evacuation", what=self._say(f"use_{kind}"), reach_m=reach)

    def _years(self) -> tuple[int, int] | None:
        """Return the install interval, one end for both where only one is known."""
        ends = [self.facts[f"installed_year_{end}"] for end in ("min", "max")]
        known = [int(year) for year in ends if not pd.isna(year)]
        return (known[0], known[-1]) if known else None

    def _number(self, code: str, name: str, column: str) -> str:
        value = self.facts[column]
        return (
            self._say(f"{code.removesuffix('_less')}_unknown")
            if pd.isna(value)
            else self._say(code, **{name: float(value)})
        )

    def _text(self, column: str) -> str:
        value = self.facts[column]
        return "unknown" if pd.isna(value) else str(value)

    def _say(self, code: str, **parameters: object) -> str:
        return say(f"explain_{code}", self.language, **parameters)


def gap_name(code: str, language: str) -> str:
    """Name an attribute that is not on file, by its own words or by the heading of the census."""
    if f"explain_gap_{code}" in catalogue():
        return say(f"explain_gap_{code}", language)
    label = fields()["segments"][code].label(language)
    return label if language == "zh" else label[:1].lower() + label[1:]


def metres(distance_m: float) -> str:
    """Return a distance as a person says it: whole metres, tenths where it is near."""
    return f"{distance_m:.1f}" if distance_m < _NEAR_M else f"{distance_m:.0f}"


def times(multiplier: float) -> str:
    """Return a multiplier with as many digits as it deserves."""
    if multiplier >= _EXACT:
        return f"{multiplier:,.0f}"
    return f"{multiplier:.1f}" if multiplier >= 1.0 else f"{multiplier:.2f}"
