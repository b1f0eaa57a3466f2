"""What every piece of a policy is made of: frozen parts, figures with their source, versioned files."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Confidence = Literal["sourced", "memory", "derived"]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """A frozen piece of a policy: unknown keys are refused, so that a misspelt key cannot pass in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Figure(Part):
    """One number with where it comes from; `memory` and `derived` print as unverified wherever shown."""

    value: NotNegative
    source: Text
    confidence: Confidence


class Named(Part):
    """A versioned file: rule set, weights or price list."""

    id: Text
    version: Text
    label_en: Text
    label_zh: Text


class ShareFigure(Figure):
    """A figure from 0 to 1."""

    value: Share


class RangedFigure(Figure):
    """A figure with the range in which it may lie and the year for which it stands."""

    low: NotNegative
    high: NotNegative
    dated: int

    @model_validator(mode="after")
    def _lies_in_its_range(self) -> Self:
        check_range(self.value, self.low, self.high)
        return self


class RangedShare(RangedFigure):
    """A figure from 0 to 1 with its range."""

    high: Share


def check_range(value: float, low: float | None, high: float | None) -> None:
    """Raise where a range does not hold its figure, or has one end only."""
    if (low is None) != (high is None):
        message = "a range needs both low and high"
        raise ValueError(message)
    if low is not None and high is not None and not low <= value <= high:
        message = "low, figure and high must rise"
        raise ValueError(message)
