"""How the leak rate of each segment changes with its age, and what that adds up to over the time of the record."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.ages import Service
from planner.factors import Floats, code_factors, text_column
from planner.policy_likelihood import Likelihood


@dataclass(frozen=True)
class AgeCourse:
    """The leak rate as a power of the age relative to the reference."""

    exponent: Floats
    default_age_years: Floats
    reference_years: float
    offset_years: float

    def take(self, row: NDArray[np.int64]) -> AgeCourse:
        """Return the course of some of the rows."""
        return replace(self, exponent=self.exponent[row], default_age_years=self.default_age_years[row])

    def ln_factor(self, age_years: Floats, row: NDArray[np.int64] | slice = slice(None)) -> Floats:
        """Return the logarithm of the factor at an age, for the chosen rows; NaN takes the default age."""
        age = np.where(np.isnan(age_years), self.default_age_years[row], age_years)
        relative_age = (age + self.offset_years) / (self.reference_years + self.offset_years)
        factor: Floats = self.exponent[row] * np.log(relative_age)
        return factor

    def over(self, ages: Service) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the factor over an interval of ages, each of which is as likely.

        Before its installation a pipe has age 0. Without an interval the mean is the factor of the default age, and
        the deviation is not known.
        """
        mean = self._moment(ages, 1.0)
        variance = np.maximum(self._moment(ages, 2.0) - mean**2, 0.0)
        unknown = np.isnan(ages.least)
        default = np.exp(self.ln_factor(np.full(len(ages.least), np.nan)))
        return np.where(unknown, default, mean), np.where(unknown, np.nan, np.sqrt(variance))

    def years(self, ages: Service, since_years: Floats, until_years: Floats) -> Floats:
        """Return the factor added up over a past span of time, as a mean over an interval of ages.

        That is the mean over the days of installation of the integral of the factor over the time from `since_years`
        to `until_years` ago, in factor x years. Before its installation a pipe cannot leak and adds nothing. Without
        an interval the pipe counts as in the ground all the time, at its default age. A span that ends before it
        begins is empty.

        The integral of a power is a power; so is the mean of these over the days of installation, which makes the
        whole a difference of four terms.
        """
        span = np.maximum(since_years - until_years, 0.0)
        until = np.minimum(since_years, until_years)
        end = self._twice(ages.most - until) - self._twice(ages.least - until)
        start = self._twice(ages.most - since_years) - self._twice(ages.least - since_years)
        known = np.maximum(end - start, 0.0) / (ages.most - ages.least)
        default = np.exp(self.ln_factor(np.full(len(ages.least), np.nan))) * span
        years: Floats = np.where(np.isnan(ages.least), default, known)
        return years

    def _twice(self, age_years: Floats) -> Floats:
        """Return the integral over ages of the integral of the factor, from age 0; 0 below."""
        age, power = np.maximum(age_years, 0.0), self.exponent
        scale = (self.reference_years + self.offset_years) ** power * (power + 1.0)
        raised = (age + self.offset_years) ** (power + 2.0) - self.offset_years ** (power + 2.0)
        twice: Floats = (raised / (power + 2.0) - self.offset_years ** (power + 1.0) * age) / scale
        return twice

    def _moment(self, ages: Service, order: float) -> Floats:
        """Return the mean of a power of the factor: the integral of a power, plus what lies before the installation."""
        power = self.exponent * order
        scale = self.reference_years + self.offset_years
        low, high = (np.maximum(end, 0.0) + self.offset_years for end in (ages.least, ages.most))
        inside = (high ** (power + 1.0) - low ** (power + 1.0)) / (power + 1.0) / scale**power
        at_zero = (self.offset_years / scale) ** power * (np.maximum(-ages.least, 0.0) - np.maximum(-ages.most, 0.0))
        mean: Floats = (inside + at_zero) / (ages.most - ages.least)
        return mean


def age_course(segments: pd.DataFrame, weights: Likelihood) -> AgeCourse:
    """Return how the leak rate of each segment changes with its age."""
    medium = segments["medium"]
    default_age, _ = code_factors(medium, medium, weights.unknown_age_years)
    exponent, _ = code_factors(text_column(segments, "material"), medium, weights.age_exponent)
    return AgeCourse(exponent, default_age, weights.age_reference_years.value, weights.age_offset_years.value)


def steady_course(count: int) -> AgeCourse:
    """Return the course of a rate that does not change with age: its factor added up is the time in the ground."""
    return AgeCourse(np.zeros(count), np.zeros(count), 1.0, 1.0)
