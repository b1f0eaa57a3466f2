"""The shape of the methane factors: kilograms per kilometre and year by material and protection."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from planner.policy_parts import Confidence, Figure, Named, NotNegative, Part, Text, check_range

Protection = Literal["protected", "unprotected", "unknown"]


class MainFactor(Part):
    """The methane of one kind of main; without `protection` for any."""

    code: Text
    label_en: Text
    label_zh: Text
    materials: tuple[Text, ...]
    protection: Protection | None = None
    kg_per_km_year: NotNegative
    low: NotNegative
    high: NotNegative
    source: Text
    confidence: Confidence

    @model_validator(mode="after")
    def _lies_in_its_range(self) -> Self:
        check_range(self.kg_per_km_year, self.low, self.high)
        return self

    @property
    def range(self) -> tuple[float, float, float]:
        """Figure, low and high."""
        return self.kg_per_km_year, self.low, self.high


class EmissionFactors(Named):
    """A set of factors, and what a tonne of methane weighs in carbon dioxide over 100 and 20 years."""

    media: tuple[Text, ...]
    silent_statuses: tuple[Text, ...]
    protected: tuple[Text, ...]
    unprotected: tuple[Text, ...]
    new_pipe: Text
    gwp100: Figure
    gwp20: Figure
    mains: tuple[MainFactor, ...]

    @model_validator(mode="after")
    def _each_pipe_has_one_factor(self) -> Self:
        codes = [main.code for main in self.mains]
        if len(codes) != len(set(codes)) or not {"unknown", self.new_pipe} <= set(codes):
            message = "mains: each code once, one for “unknown” and that of new_pipe are needed"
            raise ValueError(message)
        told: dict[str, list[str]] = {}
        for main in self.mains:
            for material in main.materials:
                told.setdefault(material, []).append(main.protection or "any")
        whole = (["any"], ["protected", "unknown", "unprotected"])
        faulty = sorted(name for name, kinds in told.items() if sorted(kinds) not in whole)
        if faulty or "unknown" not in told:
            message = f"mains: each material once for any protection, or once for each; look at {', '.join(faulty)}"
            raise ValueError(message)
        return self

    def main(self, code: str) -> MainFactor:
        """Return the factor of a kind of main."""
        return next(main for main in self.mains if main.code == code)
