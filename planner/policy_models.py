"""The shape of policy files: rules, weights, prices and the settings that hold them together."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from planner.policy_bans import PolicyClass
from planner.policy_gbt27512 import OperatorRows
from planner.policy_last_chance import LastChance
from planner.policy_likelihood import Likelihood
from planner.policy_links import Links, Supply
from planner.policy_parts import Confidence, Figure, Named, NotNegative, Part, Positive, Text, check_range
from planner.policy_risk import Grade, GradeLimit, RiskMatrix, check_grades
from planner.policy_tables import BandTable, CodeTable, Factor, PressureLimit
from planner.policy_timing import Timing
from planner.policy_value import OpenedGround, RangedEntry, ValuePrices, check_codes

AssessmentState = Literal["none", "expired", "safe", "controlled", "renew_by", "renew_now"]


class Rule(Part):
    """One rule: the class it gives and the conditions that must all hold; a condition left out always holds."""

    code: Text
    gives: PolicyClass
    is_final: bool = False
    media: tuple[str, ...] | None = None
    materials: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    assessments: tuple[AssessmentState, ...] | None = None
    service: tuple[Literal["reached", "possible", "below"], ...] | None = None
    service_years: Positive | None = None
    is_encroached: bool | None = None
    is_heavy_leakage: bool | None = None
    label_en: Text
    label_zh: Text
    source: Text
    confidence: Confidence


class BackwardMaterials(Part):
    """The materials that count as backward for one medium."""

    medium: str
    materials: tuple[str, ...]
    source: Text
    confidence: Confidence


class HeavyLeakage(Part):
    """When a segment counts as leaking heavily: rate and least number within the last years of its record."""

    leaks_per_km_year: Figure
    minimum_leaks: Figure
    window_years: Figure


class RuleSet(Named):
    """What the law asks of which pipe."""

    service_years: tuple[Factor, ...]
    assessment_valid_years: Figure
    backward: tuple[BackwardMaterials, ...]
    heavy_leakage: HeavyLeakage
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _codes_are_unique(self) -> Self:
        codes = [rule.code for rule in self.rules]
        if len(codes) != len(set(codes)):
            message = "every rule needs a code of its own"
            raise ValueError(message)
        return self


class Consequence(Part):
    """Factors of what a leak does, relative to the reference segment: release, way in, people.

    Distances are to buildings, to voids of the ground, to people. A table that says nothing about a medium does not
    apply to it.
    """

    pressure: CodeTable
    building_reach_m: Figure
    building_distance_m: BandTable
    surface: CodeTable
    void_distance_m: BandTable
    people_per_household: Figure
    people_per_m2: CodeTable
    people: BandTable
    evacuation: CodeTable
    households: BandTable

    @model_validator(mode="after")
    def _knows_the_free_case(self) -> Self:
        if "none" not in {entry.code for entry in self.evacuation.factors}:
            message = "evacuation needs an entry for “none”"
            raise ValueError(message)
        return self

    @property
    def void_reach_m(self) -> float:
        """How far a void counts: the highest limit of its bands."""
        return max((band.maximum for band in self.void_distance_m.bands if band.maximum is not None), default=0.0)


class Weights(Named):
    """The transparent index: every factor of likelihood and consequence, what it means in incidents, and the grades.

    The incidents are those of a leak of the reference segment, by medium.
    """

    pressure_limits: tuple[PressureLimit, ...]
    likelihood: Likelihood
    consequence: Consequence
    incidents_per_leak: tuple[RangedEntry, ...]
    grades: tuple[GradeLimit, ...]
    matrix: RiskMatrix

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        check_codes("incidents_per_leak", (entry.code for entry in self.incidents_per_leak))
        check_grades(self.grades)
        return self


class PipePrice(Part):
    """Price of pipe and trench without reinstatement, and the width of the trench, up to a diameter."""

    maximum_mm: Positive | None = None
    price_cny_per_m: Positive
    trench_width_m: Positive
    source: Text
    confidence: Confidence


class SurfacePrice(Part):
    """Price of making a surface good again."""

    code: Text
    price_cny_per_m2: NotNegative
    low: NotNegative | None = None
    high: NotNegative | None = None
    dated: int | None = None
    source: Text
    confidence: Confidence

    @model_validator(mode="after")
    def _lies_in_its_range(self) -> Self:
        check_range(self.price_cny_per_m2, self.low, self.high)
        return self


class Mobilisation(Figure):
    """What setting up one site costs, with its range where one is known."""

    low: NotNegative | None = None
    high: NotNegative | None = None
    dated: int | None = None

    @model_validator(mode="after")
    def _lies_in_its_range(self) -> Self:
        check_range(self.value, self.low, self.high)
        return self


class Prices(Named):
    """What renewal costs; `value` is what the worth of going together needs besides, where the list has it."""

    pipe: tuple[PipePrice, ...]
    unknown_diameter_mm: Figure
    surface: tuple[SurfacePrice, ...]
    mobilisation_cny_per_batch: Mobilisation
    trench_share: Figure
    value: ValuePrices | None = None

    @model_validator(mode="after")
    def _are_complete(self) -> Self:
        tops = [price.maximum_mm for price in self.pipe]
        closed = [top for top in tops[:-1] if top is not None]
        if not tops or tops[-1] is not None or sorted(set(closed)) != tops[:-1]:
            message = "pipe prices must rise by diameter and only the last may lack maximum_mm"
            raise ValueError(message)
        if "unknown" not in {price.code for price in self.surface}:
            message = "a surface price for “unknown” is needed"
            raise ValueError(message)
        if self.trench_share.value > 1:
            message = "trench_share is a share from 0 to 1"
            raise ValueError(message)
        return self


class Overlap(Part):
    """How far a project reaches, what lies beside it, and which projects no longer count."""

    margin_m: Figure
    pavement_reach_m: Figure
    adjacent_m: Figure
    half_width_m: CodeTable
    inactive_states: tuple[str, ...]


class Streets(Part):
    """How the street of a segment is found; intercept and slope turn a share into a confidence."""

    reach_m: Figure
    scale_m: Figure
    named_weight: Figure
    intercept: Figure
    slope: Figure

    @model_validator(mode="after")
    def _has_a_scale(self) -> Self:
        if not self.scale_m.value > 0:
            message = "scale_m must be more than 0"
            raise ValueError(message)
        return self


class GroundOpened(Part):
    """What a kind of project opens where its own record does not say."""

    code: Text
    opens_ground: OpenedGround
    source: Text
    confidence: Confidence


class Candidates(Part):
    """Which segments a plan may renew."""

    classes: tuple[PolicyClass, ...]
    minimum_grade: Grade | None
    excluded_statuses: tuple[str, ...]


class Groups(Part):
    """How segments become batches; without a shortest run each length may be one."""

    maximum_run_m: Figure
    minimum_run_m: Figure | None = None
    snap_m: Figure


class Planning(Part):
    """How plans are valued."""

    discount_share_per_year: Figure
    horizon_years: Figure
    removed_share: Figure
    opens_ground: tuple[GroundOpened, ...]

    @model_validator(mode="after")
    def _shares_are_shares(self) -> Self:
        if self.removed_share.value > 1 or self.discount_share_per_year.value > 1:
            message = "removed_share and discount_share_per_year are shares from 0 to 1"
            raise ValueError(message)
        if "unknown" not in {opened.code for opened in self.opens_ground}:
            message = "opens_ground needs an entry for “unknown”"
            raise ValueError(message)
        return self


class Reference(Part):
    """The id and version of another file."""

    id: Text
    version: Text


class PolicyFile(Named):
    """A policy as it is written: settings of its own and references to rules, weights, prices and bans."""

    rules: Reference
    weights: Reference
    prices: Reference
    bans: Reference
    links: Links
    supply: Supply
    overlap: Overlap
    streets: Streets
    candidates: Candidates
    groups: Groups
    planning: Planning
    timing: Timing
    last_chance: LastChance | None = None
    gbt27512: OperatorRows | None = None
    emissions: Reference | None = None
