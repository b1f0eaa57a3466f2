"""The shape of the leak rate in the weights: factors of the tables, and how much the record may move them."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from planner.policy_parts import Figure, Part, Positive, Text
from planner.policy_tables import BandTable, CodeTable, DecadeFactor


class PositiveFigure(Figure):
    """A figure above 0."""

    value: Positive


class RecordStrengths(Part):
    """How many leaks each step of the record must have before it counts as much as what was known without it."""

    level: PositiveFigure
    cohort: PositiveFigure
    vintage: PositiveFigure
    diameter_band: PositiveFigure
    street: PositiveFigure
    own: PositiveFigure
    recent: PositiveFigure
    third_party: PositiveFigure


class History(Part):
    """How the leak record moves the likelihood."""

    strengths: RecordStrengths
    recent_years: PositiveFigure
    excluded_causes: tuple[str, ...]


class LevelWords(Part):
    """The words of a layer of soil that mean one degree of corrosivity."""

    code: Text
    words: tuple[Text, ...]


class Likelihood(Part):
    """Factors of the leak rate, relative to the reference segment."""

    base_per_km_year: CodeTable
    material: CodeTable
    protected_materials: tuple[str, ...]
    coating: CodeTable
    cathodic_protection: CodeTable
    decade: tuple[DecadeFactor, ...]
    age_exponent: CodeTable
    age_reference_years: Figure
    age_offset_years: PositiveFigure
    unknown_age_years: CodeTable
    diameter_mm: BandTable
    pressure: CodeTable
    metals: tuple[str, ...]
    soil: CodeTable
    soil_levels: tuple[LevelWords, ...]
    stray_current: CodeTable
    stray_current_reach_m: Figure
    cover_depth_m: BandTable
    traffic: CodeTable
    traffic_surfaces: tuple[str, ...]
    joint: CodeTable
    gap_penalty: Figure
    history: History

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.gap_penalty.value < 1:
            message = "gap_penalty must be at least 1: what is unknown is never safer than its cohort"
            raise ValueError(message)
        strange = {level.code for level in self.soil_levels} - {entry.code for entry in self.soil.factors}
        if strange:
            message = f"soil_levels without a factor of soil: {', '.join(sorted(strange))}"
            raise ValueError(message)
        decades = [(entry.medium, entry.code, entry.decade) for entry in self.decade]
        if len(decades) != len(set(decades)):
            message = "decade: each material and decade of a medium once"
            raise ValueError(message)
        return self
