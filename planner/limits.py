"""What a plan may use and must keep: money, kilometres, households, fairness between districts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

import numpy as np

from planner.benefits import PARTS
from registry.errors import PlanningError

# the options of the verb `plan` that ask for a least amount, by part of the objective
LEAST_OPTIONS: Final = {part: "--least-" + part.replace("_", "-") for part in PARTS}


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
    least_risk, least_repair_cny, least_methane_t
        What the plan must remove of risk, of yuan of repairs and of tonnes of methane at least, discounted where its
        figures are: one part of the objective kept, while the others are sought.
    """

    years: range
    budget_cny: tuple[float, ...]
    km_per_year: float | None = None
    carried_share: float = 0.0
    district_km_per_year: float | None = None
    district_households_per_year: float | None = None
    district_floor_share: float | None = None
    least_risk: float | None = None
    least_repair_cny: float | None = None
    least_methane_t: float | None = None

    @classmethod
    def per_year(cls, years: range, budget_cny: float, km_per_year: float | None = None) -> Limits:
        """Give every year the same budget."""
        return cls(years, (float(budget_cny),) * len(years), km_per_year)

    @classmethod
    def total(cls, years: range, budget_cny: float, km_per_year: float | None = None) -> Limits:
        """Share one budget evenly among the years."""
        return cls.per_year(years, budget_cny / max(len(years), 1), km_per_year)

    @classmethod
    def of_summary(cls, summary: Mapping[str, Any]) -> Self:
        """Return the limits that a saved plan was made under, by its summary."""
        years = range(summary["years"][0], summary["years"][-1] + 1)
        budgets = tuple(float(budget) for budget in summary["budget_cny"])
        others: dict[str, Any] = {one.name: summary.get(one.name) for one in fields(cls)}
        stated = {name: value for name, value in others.items() if value is not None}
        stated |= {"years": years, "budget_cny": budgets}
        return cls(**stated)

    def facts(self) -> dict[str, Any]:
        """Return the limits as plain values for the summary of a plan."""
        return asdict(self) | {"years": list(self.years), "budget_cny": list(self.budget_cny)}

    def least(self) -> dict[str, float]:
        """Return what is to be avoided at least, by part of the objective; nothing where nothing is asked for."""
        asked = {part: getattr(self, f"least_{part}") for part in PARTS}
        return {part: float(least) for part, least in asked.items() if least}

    def check(self) -> None:
        """Raise where the limits make no sense.

        Raises
        ------
        PlanningError
            Without years, with a budget, kilometres or households that are not positive, a share outside 0 to 1, or a
            least amount that is negative or no number.
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
        for part in PARTS:
            least = getattr(self, f"least_{part}")
            if least is not None and not (np.isfinite(least) and least >= 0):
                raise PlanningError("plan_least_unusable", option=LEAST_OPTIONS[part], least=least)
