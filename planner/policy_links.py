"""The shape of the settings by which leaks, events and households find their segment."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from planner.policy_parts import Confidence, Figure, Part, Positive, ShareFigure, Text


class LinkReach(Part):
    """How far a reported leak may lie from its pipe, by how its position is known."""

    code: Text
    radius_m: Positive
    scatter_m: Positive
    source: Text
    confidence: Confidence


class Agreement(Part):
    """How well a segment agrees with what a leak record states, against 1 for one that agrees."""

    unknown: ShareFigure
    other: ShareFigure


class MaterialAgreement(Agreement):
    """The same for materials; those of one family are easily taken for one another."""

    families: tuple[tuple[str, ...], ...]
    kin: ShareFigure

    @model_validator(mode="after")
    def _is_of_one_family(self) -> Self:
        materials = [material for family in self.families for material in family]
        if len(materials) != len(set(materials)):
            message = "a material belongs to one family at most"
            raise ValueError(message)
        return self


class DiameterAgreement(Agreement):
    """The same for diameters, which agree within a share of the larger one."""

    tolerance_share: ShareFigure


class Links(Part):
    """How leaks find their segment."""

    reach: tuple[LinkReach, ...]
    elsewhere_m_per_m2: Figure
    predecessor_weight: Figure
    hazard_power: ShareFigure
    least_probability: ShareFigure
    review_below: ShareFigure
    material: MaterialAgreement
    diameter: DiameterAgreement
    tier: Agreement

    @model_validator(mode="after")
    def _has_default(self) -> Self:
        codes = [reach.code for reach in self.reach]
        if "unknown" not in codes or len(codes) != len(set(codes)):
            message = "each reach once and one for “unknown” are needed"
            raise ValueError(message)
        return self


class SupplyReach(Part):
    """How far the pipe that supplies a place may lie from it, and the scatter of these distances."""

    radius_m: Positive
    scatter_m: Positive
    source: Text
    confidence: Confidence


class Supply(Part):
    """How households find the segments that supply them."""

    media: tuple[str, ...]
    connection: SupplyReach
    building: SupplyReach
    least_share: ShareFigure
