"""The rates of a forecast model as of a day, for the score: learned from all that happened until then."""

from __future__ import annotations

from datetime import date
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.forecast.history import make_history, years_on_record
from planner.forecast.models import ForecastModel
from planner.policy import Policy
from planner.score import Told
from planner.survey_effort import panel_effort
from registry.errors import PlanningError


def learned_rates(
    model: ForecastModel,
    segments: gpd.GeoDataFrame,
    leak_links: pd.DataFrame,
    leaks: pd.DataFrame,
    policy: Policy,
    as_of: date,
    told: Told,
) -> pd.Series:
    """Return leaks per kilometre and year of each segment in the year of the day, index as `segments`.

    The model learns from the record as the back-test makes it, with the retired pipes and with the part of the year
    that has passed. Missing where a segment has no exposure: its medium has no leak on record, or it is not laid yet.

    Misleads early in a year where the model has steps by calendar year: it forecasts the whole year of the day.

    Parameters
    ----------
    told
        What else is known, as for the score.

    Raises
    ------
    PlanningError
        If no leak can be counted by the day, or the model returns rates that are none.
    MissingExtraError
        If the model needs a library that is not installed.
    """
    years = years_on_record(leak_links, leaks, as_of)
    if not years:
        raise PlanningError("forecast_no_record", as_of=as_of)
    make = partial(
        make_history, street_links=told.street_links, effort=_effort(told, years), districts=told.district_of
    )
    past = make(told.with_retired(segments), leak_links, leaks, policy, years, as_of).panel.until(years.stop)
    rates = np.asarray(model.fit(past).rates(range(as_of.year, as_of.year + 1)), dtype="float64")
    if rates.shape != (len(past.segments), 1) or not np.isfinite(rates).all() or not (rates > 0.0).all():
        raise PlanningError("forecast_rates_unusable", model=model.name, year=as_of.year, rows=len(past.segments))
    return pd.Series(rates[:, 0], past.segments.index).reindex(segments.index)


def _effort(told: Told, years: range) -> pd.DataFrame | None:
    """Return what surveys tell, as the record of a model takes it; None where none is on record."""
    if told.surveyed is None or told.district_of is None:
        return None
    return panel_effort(told.surveyed, told.district_of, years)
