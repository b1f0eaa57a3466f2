"""Traps of forecasting, each with the test that shows it: a cheating model or record does not pass unnoticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from planner.forecast.models import ForecastModel
from planner.forecast.panel import Panel
from registry.errors import PlanningError

# lengths of the pipes of the probe, all alike but for their length
PROBE_KM: Final = np.geomspace(0.01, 1.0, 200)
STEEPEST: Final = 0.25
# how much less of the earlier leaks than of the later ones a panel may hold, beyond chance
MISSING_SHARE: Final = 0.02


def with_other_future(panel: Panel, year: int, seed: int) -> Panel:
    """Return the same past with another future: from a year on every segment has the leaks and time of another one."""
    count = max(year - panel.years.start, 0)
    order = np.random.default_rng(seed).permutation(len(panel.segments))
    km_years, leaks = panel.km_years.copy(), panel.leaks.copy()
    for values in (km_years, leaks):
        values[:, count:] = values[order][:, count:] + 1.0
    return replace(panel, km_years=km_years, leaks=leaks)


def check_blind_to_future(
    make_model: Callable[[Panel], ForecastModel], panel: Panel, years: range, seed: int = 0
) -> None:
    """Raise where a forecast made at a cut-off changes when only what came after it changes.

    `make_model` gets the whole record, as the code that sets a model up may see it, once as it is and once with
    another future; the model is then fitted on what is before the cut-off, which is the same both times. Finds lifetime
    counts and the like wherever they enter. What enters as an attribute that was measured later is for
    `undated_evidence`.

    Raises
    ------
    PlanningError
        With the number of segments whose forecast changed.
    """
    year = years.start
    first, second = (
        make_model(told).fit(told.until(year)).rates(years) for told in (panel, with_other_future(panel, year, seed))
    )
    changed = len(first) if first.shape != second.shape else int((first != second).any(axis=1).sum())
    if changed:
        raise PlanningError("forecast_reads_future", model=make_model(panel).name, count=changed)


def check_rates_per_km(model: ForecastModel, segment: pd.DataFrame, years: range) -> None:
    """Raise where a model ranks long pipes first for being long.

    The probe: pipes that are one segment over and over, alike in everything but their length, each with the same
    leaks per kilometre. Rates of an honest model stay level; numbers of leaks rise in proportion.

    Parameters
    ----------
    segment
        One row of the frame `segments`, as panels have it.
    years
        The years of the probe's past; the forecast is for the year after.

    Raises
    ------
    PlanningError
        With the slope of the logarithm of the rate over that of the length: 0 for rates, 1 for numbers.
    """
    probe = _probe(segment, years)
    rates = np.asarray(model.fit(probe).rates(range(years.stop, years.stop + 1)), dtype="float64")[:, 0]
    slope = float(np.polyfit(np.log(PROBE_KM), np.log(np.maximum(rates, 1e-12)), 1)[0])
    if abs(slope) > STEEPEST:
        raise PlanningError("forecast_counts", model=model.name, slope=slope)


def _probe(segment: pd.DataFrame, years: range) -> Panel:
    count = len(PROBE_KM)
    alike = segment.iloc[np.zeros(count, dtype=np.int64)]
    segments = alike.assign(length_m=PROBE_KM * 1000.0).set_axis(
        pd.Index([f"P{row:03d}" for row in range(count)], name="segment_id"), axis=0
    )
    km_years = np.repeat(PROBE_KM[:, None], len(years), axis=1)
    installed = float(segment["installed_year_min"].iloc[0])
    yearly = np.arange(years.start, years.stop, dtype=np.float64) + 0.5 - installed
    age = np.repeat(yearly[None, :], count, axis=0)
    return Panel(segments, years, km_years, km_years / km_years.sum() * count, age)


def check_leaks_have_pipes(panel: Panel) -> None:
    """Raise where a segment has leaks in a year in which it was not in the ground: those of its predecessor.

    Counting them as its own turns the sign round: renewed places look worst.

    Raises
    ------
    PlanningError
        With the number of such segments and the id of one.
    """
    strays = ((panel.leaks > 0) & (panel.km_years <= 0)).any(axis=1)
    if strays.any():
        example = str(panel.segments.index[np.flatnonzero(strays)[0]])
        raise PlanningError("forecast_leaks_without_pipe", count=int(strays.sum()), example=example)


def check_retired_kept(panel: Panel, on_record: pd.Series) -> None:
    """Raise where the panel holds less of the early leaks than of the late ones: retired pipes are missing.

    Pipes that leaked most are renewed first. Without them the past looks sound and age seems to protect. What is
    missing in all years alike, for example leaks that no segment can be found for, is no sign of it.

    Parameters
    ----------
    on_record
        All leaks of the media in the panel by calendar year, whether or not a segment is known for them.

    Raises
    ------
    PlanningError
        Where the share held before the year that halves the leaks is lower by two standard errors and 2 %.
    """
    recorded = on_record.reindex(pd.Index(panel.years), fill_value=0.0).to_numpy(dtype="float64")
    held = np.minimum(panel.leaks.sum(axis=0), recorded)
    total = np.cumsum(recorded)
    if total[-1] <= 0:
        return
    half = min(int(np.searchsorted(total, total[-1] / 2.0)) + 1, len(recorded) - 1)
    parts = [(held[part].sum(), recorded[part].sum()) for part in (slice(None, half), slice(half, None))]
    if min(count for _, count in parts) <= 0:
        return
    (earlier, later), pooled = (found / count for found, count in parts), held.sum() / recorded.sum()
    error = np.sqrt(pooled * (1.0 - pooled) * sum(1.0 / count for _, count in parts))
    if later - earlier > max(2.0 * error, MISSING_SHARE):
        raise PlanningError(
            "forecast_survivors_only", year=panel.years[half], earlier=float(earlier), later=float(later)
        )


def changed_since(known: Panel, today: Panel) -> pd.Series:
    """Return by attribute how many segments have another value today than was known at a cut-off.

    Where it is not zero, a test with the attributes of today knows what was only learned or done later. Compares
    segments and attributes that both hold; missing equals missing.
    """
    columns = known.segments.columns.intersection(today.segments.columns)
    ids = known.segments.index.intersection(today.segments.index)
    then, now = (panel.segments.loc[ids, columns] for panel in (known, today))
    counts = {name: _differ(then[name], now[name]) for name in columns}
    return pd.Series(counts, dtype="int64", name="changed_count").rename_axis("attribute")


def _differ(then: pd.Series, now: pd.Series) -> int:
    missing = then.isna().to_numpy(), now.isna().to_numpy()
    differs = then.astype("object").to_numpy() != now.astype("object").to_numpy()
    present = ~missing[0] & ~missing[1]
    return int(((missing[0] != missing[1]) | (present & differs.astype(bool))).sum())
