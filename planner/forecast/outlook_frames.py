"""The outlook as frames: each segment and year, and the network of each medium by year and scenario."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Flags, Floats, number_column
from planner.forecast.outlook import ENDS, Outlook, leak_interval, network_draws
from registry.errors import PlanningError
from registry.fields import columns_of

Counts = NDArray[np.int64]
_LEAST_DRAWS: Final = 10


def leak_forecast(outlook: Outlook) -> pd.DataFrame:
    """Return the frame `leak_forecast`: a row for each segment and year, in the order of ids and years.

    Columns of the plan are those of doing nothing where a segment is not renewed.
    """
    low, high = leak_interval(outlook.leaks, outlook.shape)
    planned_low, planned_high = low, high
    if outlook.has_plan:
        planned_low, planned_high = low.copy(), high.copy()
        at = outlook.renewed
        planned_low[at], planned_high[at] = leak_interval(outlook.planned_leaks[at], outlook.shape[at])
    count = len(outlook.years)
    frame = pd.DataFrame(
        {
            "segment_id": outlook.segment_ids.repeat(count),
            "year": pd.array(np.tile(np.array(outlook.years, dtype=np.int64), len(outlook.leaks)), dtype="Int64"),
            "leaks": outlook.leaks.ravel(),
            "leaks_low": low.ravel(),
            "leaks_high": high.ravel(),
            "planned_leaks": outlook.planned_leaks.ravel(),
            "planned_leaks_low": planned_low.ravel(),
            "planned_leaks_high": planned_high.ravel(),
            "third_party_leaks": np.repeat(outlook.third_party_leaks, count),
        }
    )
    return frame[columns_of("leak_forecast")]


def network_forecast(
    outlook: Outlook, scores: pd.DataFrame, emissions: pd.DataFrame | None, draws: int, seed: int
) -> pd.DataFrame:
    """Return the frame `network_forecast`: leaks, harm and methane by medium, year and scenario; media are not added.

    Expectations are exact sums; low and high (10 and 90 %) are from `draws` draws, widened to hold the expectation.
    The range tells of chance and of the own rates of the segments; it does not know how far the rates of the tables
    or the level of years to come may be off, so that it is too narrow for a forecast of many years.
    Third-party damage stands apart and is the same in both scenarios. Harm is that of the price list, as in `scores`.

    Raises
    ------
    PlanningError
        If there are too few draws for an interval.
    """
    if draws < _LEAST_DRAWS:
        raise PlanningError("forecast_draws_few", draws=draws, least=_LEAST_DRAWS)
    media = sorted(map(str, outlook.medium.unique()))
    group = pd.Categorical(outlook.medium, categories=media).codes.astype(np.int64)
    nothing, kept = network_draws(outlook, group, draws, seed)
    parts = [
        _of_medium(outlook, group == code, scores, emissions, (nothing[code], kept[code])).assign(medium=medium)
        for code, medium in enumerate(media)
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.astype({"medium": "str", "scenario": "str", "year": "Int64"})[columns_of("network_forecast")]


def _of_medium(
    outlook: Outlook,
    rows: Flags,
    scores: pd.DataFrame,
    emissions: pd.DataFrame | None,
    drawn: tuple[Counts, Counts],
) -> pd.DataFrame:
    """Return the rows of one medium; `drawn` are its leaks if nothing is renewed and if the plan is done."""
    nothing, kept = drawn
    harm = _harm_per_leak(outlook, scores)[rows]
    third_party = outlook.third_party_leaks[rows]
    shared: dict[str, Any] = {
        "year": list(outlook.years),
        "third_party_leaks": np.nan if np.isnan(third_party).all() else float(np.nansum(third_party)),
    }
    expected, planned = outlook.leaks[rows], outlook.planned_leaks[rows]
    none: Floats = np.zeros(expected.shape)
    scenarios = [("nothing", expected, nothing, none, np.zeros_like(nothing))]
    if outlook.has_plan:
        scenarios.append(("plan", planned, kept, expected - planned, nothing - kept))
    tables = []
    for name, leaks, leaked, avoided, spared in scenarios:
        columns = shared | {"scenario": name}
        columns |= _ranged("leaks", leaks.sum(axis=0), leaked) | _ranged("avoided", avoided.sum(axis=0), spared)
        columns["harm_cny"] = (leaks * harm[:, None]).sum(axis=0)
        columns["methane_t"] = _methane(outlook, rows, emissions, is_plan=name == "plan")
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def _ranged(name: str, expected: Floats, drawn: Counts) -> dict[str, Floats]:
    low, high = np.quantile(drawn, ENDS, axis=1, method="inverted_cdf").astype("float64")
    return {
        name: expected,
        f"{name}_low": np.minimum(low, np.floor(expected)),
        f"{name}_high": np.maximum(high, np.ceil(expected)),
    }


def _harm_per_leak(outlook: Outlook, scores: pd.DataFrame) -> Floats:
    """Return the harm of a leak of each segment: that of the score shared over its leaks; NaN without a price."""
    found = scores.loc[outlook.segment_ids]
    leaks = number_column(found, "likelihood_per_km_year") * number_column(found, "length_m") / 1000.0
    harm = number_column(found, "harm_cny_per_year")
    with np.errstate(invalid="ignore", divide="ignore"):
        shared: Floats = np.where(leaks > 0, harm / leaks, harm)
    return shared


def _methane(outlook: Outlook, rows: Flags, emissions: pd.DataFrame | None, *, is_plan: bool) -> Floats:
    """Return tonnes of methane of each year by the figures of the factors; NaN where nothing applies."""
    nothing = np.full(len(outlook.years), np.nan)
    if emissions is None:
        return nothing
    found = emissions.loc[outlook.segment_ids[rows]]
    methane = number_column(found, "methane_t_per_year")
    if np.isnan(methane).all():
        return nothing
    saved = np.nan_to_num(number_column(found, "methane_saved_t_per_year"))
    is_new = np.array(outlook.years)[None, :] >= outlook.renewed_from[rows][:, None]
    total: Floats = np.nansum(methane) - (saved[:, None] * (is_new & is_plan)).sum(axis=0)
    return total
