"""The one signature of all forecast models."""

from __future__ import annotations

from typing import Protocol

from planner.factors import Floats
from planner.forecast.panel import Panel


class Fitted(Protocol):
    """A model after it has seen a past."""

    @property
    def shape(self) -> Floats | None:
        """Shape of the gamma distribution of each segment's own rate about its forecast; none where not known."""
        ...

    def rates(self, years: range) -> Floats:
        """Return expected leaks per kilometre and year of every segment of the past, one column for each year."""
        ...


class ForecastModel(Protocol):
    """A way to forecast leaks from a past."""

    @property
    def name(self) -> str:
        """Name under which results are stored and shown."""
        ...

    def fit(self, past: Panel) -> Fitted:
        """Learn from a past: nothing outside it may be read. Deterministic; seeds are settings of the model.

        Raises
        ------
        PlanningError
            If the past has no exposure, where the model needs one.
        MissingExtraError
            If the model needs a library that is not installed.
        """
        ...
