"""The shape of what going together with a project is worth: prices with their range, and what a project shares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import model_validator

from planner.policy_parts import Confidence, NotNegative, Part, Positive, RangedFigure, RangedShare, Text, check_range

Term = Literal["trench", "paving", "traffic", "mobilisation"]
OpenedGround = Literal["full_trench", "paving", "none"]


class RangedEntry(RangedFigure):
    """The figure of one code, with its range."""

    code: Text


class TrenchPrice(Part):
    """Price of a metre of trench, dug, filled and compacted, up to a diameter of the pipe in it."""

    maximum_mm: Positive | None = None
    price_cny_per_m: NotNegative
    low: NotNegative
    high: NotNegative
    dated: int
    source: Text
    confidence: Confidence

    @model_validator(mode="after")
    def _lies_in_its_range(self) -> Self:
        check_range(self.price_cny_per_m, self.low, self.high)
        return self


class SharedTerms(Part):
    """The terms that a project saves which opens this much of the ground."""

    code: OpenedGround
    terms: tuple[Term, ...]
    source: Text
    confidence: Confidence


class ProjectSurface(Part):
    """The surface that a kind of project makes anew."""

    code: Text
    surface: Text
    source: Text
    confidence: Confidence


class Carbon(Part):
    """Carbon dioxide of the works that are saved."""

    paving_kg_per_m2: tuple[RangedEntry, ...]
    trench_kg_per_m3: RangedFigure
    trench_depth_m: RangedFigure

    @model_validator(mode="after")
    def _has_default(self) -> Self:
        check_codes("paving_kg_per_m2", (entry.code for entry in self.paving_kg_per_m2))
        return self


class ValuePrices(Part):
    """What the value of a pair is made of besides pipe and surface.

    Traffic is by class of road, on the surfaces of `traffic_surfaces` only. Repair and harm are by medium; the harm is
    that of the reference segment and is multiplied by the consequence of the segment. The price rise is above general
    inflation, as is the discount of `planning`.
    """

    trench: tuple[TrenchPrice, ...]
    traffic_cny_per_m: tuple[RangedEntry, ...]
    traffic_surfaces: tuple[str, ...]
    repair_cny_per_leak: tuple[RangedEntry, ...]
    harm_cny_per_leak: tuple[RangedEntry, ...]
    design_life_years: RangedFigure
    price_rise_share_per_year: RangedShare
    shared: tuple[SharedTerms, ...]
    project_surface: tuple[ProjectSurface, ...]
    carbon: Carbon | None = None

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        tops = [price.maximum_mm for price in self.trench]
        closed = [top for top in tops[:-1] if top is not None]
        if not tops or tops[-1] is not None or sorted(set(closed)) != tops[:-1]:
            message = "trench prices must rise by diameter and only the last may lack maximum_mm"
            raise ValueError(message)
        for name in ("traffic_cny_per_m", "repair_cny_per_leak", "harm_cny_per_leak", "project_surface"):
            check_codes(name, (entry.code for entry in getattr(self, name)))
        if sorted(entry.code for entry in self.shared) != ["full_trench", "none", "paving"]:
            message = "shared needs each of “full_trench”, “paving” and “none” once"
            raise ValueError(message)
        if self.design_life_years.low <= 0:
            message = "design_life_years must be more than 0"
            raise ValueError(message)
        return self


def check_codes(name: str, codes: Iterable[str]) -> None:
    """Raise where a code stands twice or the default for “unknown” is missing."""
    listed = list(codes)
    if "unknown" not in listed or len(listed) != len(set(listed)):
        message = f"{name}: each code once and one for “unknown” are needed"
        raise ValueError(message)
