"""The shape of the settings that say when a renewal is due and how far apart in time two digs may be settled."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from planner.policy_bans import DigMethod, PolicyClass
from planner.policy_parts import Confidence, Figure, Part, Text

CountedYears = Annotated[int, Field(ge=0, le=99)]


class DueWindow(Part):
    """When segments of a class are due, in whole years from their clock, and how far the renewal may be moved.

    The clock is the as-of day; with `assessed_on` the day of the assessment where it is known; with `falls_due` the
    day on which the segment will have to be assessed (its age, or the end of its assessment).
    """

    code: PolicyClass
    clock: Literal["as_of", "assessed_on", "falls_due"]
    from_years: CountedYears
    until_years: CountedYears
    pull_forward_years: CountedYears
    wait_years: CountedYears
    source: Text
    confidence: Confidence

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.until_years <= self.from_years:
            message = "until_years must be above from_years"
            raise ValueError(message)
        return self


class Timing(Part):
    """When renewals are due, and which gap between two digs counts as what."""

    due: tuple[DueWindow, ...]
    near_miss_years: Figure
    joint_horizon_years: Figure
    least_closed_m: Figure
    renewal_methods: tuple[DigMethod, ...]

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if sorted(window.code for window in self.due) != ["assess", "due", "keep", "mandatory"]:
            message = "each of mandatory, due, assess and keep needs one window"
            raise ValueError(message)
        if self.near_miss_years.value > self.joint_horizon_years.value:
            message = "near_miss_years may not be above joint_horizon_years"
            raise ValueError(message)
        return self

    def window(self, policy_class: str) -> DueWindow:
        """Return the window of a class."""
        return next(window for window in self.due if window.code == policy_class)
