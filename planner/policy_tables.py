"""The shape of tables of factors: by code, by band, by material and decade, for all media or for one."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from planner.policy_parts import Confidence, NotNegative, Part, Positive, Text


class Factor(Part):
    """The factor of one code of a value list; without a medium it holds for every medium that has none of its own."""

    code: Text
    factor: NotNegative
    medium: str | None = None
    source: Text
    confidence: Confidence


class Band(Part):
    """The factor of values up to and including `maximum`; without a maximum the band is open at the top."""

    maximum: Positive | None = None
    factor: Positive
    medium: str | None = None
    source: Text
    confidence: Confidence


class CodeTable(Part):
    """Factors by code. The code `unknown` is the documented default for a missing or unlisted value."""

    factors: tuple[Factor, ...]

    @model_validator(mode="after")
    def _has_default(self) -> Self:
        for medium in {factor.medium for factor in self.factors}:
            codes = [factor.code for factor in self.factors if factor.medium == medium]
            if "unknown" not in codes or len(codes) != len(set(codes)):
                message = f"each code once and one for “unknown” are needed (medium {medium or 'any'})"
                raise ValueError(message)
        return self


class BandTable(Part):
    """Factors by rising bands, with the documented defaults for a missing value."""

    unknown: tuple[Factor, ...]
    bands: tuple[Band, ...]

    @model_validator(mode="after")
    def _rises_to_an_open_top(self) -> Self:
        for medium in {band.medium for band in self.bands}:
            tops = [band.maximum for band in self.bands if band.medium == medium]
            closed = [top for top in tops[:-1] if top is not None]
            if tops[-1] is not None or len(closed) != len(tops) - 1 or sorted(set(closed)) != closed:
                message = f"bands must rise and only the last may lack a maximum (medium {medium or 'any'})"
                raise ValueError(message)
        return self


class PressureLimit(Part):
    """The class of a design pressure up to and including the limit."""

    code: Text
    maximum_kpa: Positive | None = None
    source: Text
    confidence: Confidence


class DecadeFactor(Part):
    """The factor of one material that was laid in one decade; every other decade has factor 1."""

    code: Text
    decade: int
    factor: Positive
    medium: str | None = None
    source: Text
    confidence: Confidence

    @model_validator(mode="after")
    def _is_a_decade(self) -> Self:
        if self.decade % 10:
            message = "decade is its first year, for example 1950"
            raise ValueError(message)
        return self
