"""What a plan may use and must keep: money, kilometres, households, fairness between districts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from registry.errors import PlanningError


@dataclass(frozen=True)
class Limits:
    """What a plan may use and must keep.

    Parameters
    ----------
    budget_cny
        Money of each planning year.
    km_per_year
        Kilometres of all crews in a year.
    carried_share
        Share of the money left over in a year that may be spent in the next.
    district_km_per_year, district_households_per_year
        Kilometres dug, and households without supply, in any one district in a year.
    district_floor_share
        Share of the candidate metres of each district that the plan must renew, so that none is left behind.
    """

    years: range
    budget_cny: tuple[float, ...]
    km_per_year: float | None = None
    carried_share: float = 0.0
    district_km_per_year: float | None = None
    district_households_per_year: float | None = None
    district_floor_share: float | None = None

    @classmethod
    def per_year(cls, years: range, budget_cny: float, km_per_year: float | None = None) -> Limits:
        """Give every year the same budget."""
        return cls(years, (float(budget_cny),) * len(years), km_per_year)

    @classmethod
    def total(cls, years: range, budget_cny: float, km_per_year: float | None = None) -> Limits:
        """Share one budget evenly among the years."""
        return cls.per_year(years, budget_cny / max(len(years), 1), km_per_year)

    def check(self) -> None:
        """Raise where the limits make no sense.

        Raises
        ------
        PlanningError
            Without years, with a budget, kilometres or households that are not positive, or a share outside 0 to 1.
        """
        if not len(self.years):
            raise PlanningError("plan_no_years")
        budgets = self.budget_cny
        if len(budgets) != len(self.years) or not all(np.isfinite(part) and part > 0 for part in budgets):
            raise PlanningError("plan_budget_unusable", budget=", ".join(f"{part:g}" for part in budgets))
        for most in (self.km_per_year, self.district_km_per_year):
            if most is not None and not most > 0:
                raise PlanningError("plan_km_unusable", km=most)
        if self.district_households_per_year is not None and not self.district_households_per_year > 0:
            raise PlanningError("plan_households_unusable", households=self.district_households_per_year)
        for share in (self.carried_share, self.district_floor_share):
            if share is not None and not 0 <= share <= 1:
                raise PlanningError("plan_share_unusable", share=share)
