"""Walk-forward test of forecast models on the city's own past, by year and by district."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Flags, Floats
from planner.forecast import measures
from planner.forecast.heirs import Heirs, find_heirs
from planner.forecast.models import ForecastModel
from planner.forecast.panel import Panel
from planner.forecast.undated import refuse_undated
from registry.errors import ModelFitError, PlanningError
from registry.fields import fields

SHARES: Final = (0.01, 0.05, 0.1, 0.2)
CAPTURES: Final = tuple(f"capture_at_{share:.0%}".rstrip("%") for share in SHARES)
LIFT_SHARES: Final = tuple(np.linspace(0.0, 1.0, 101).tolist())
LEAST_HISTORY_YEARS: Final = 3
# how a past was known: the value list `knowledge`
RECORDED: Final = "recorded"
EVENT_DATES: Final = "event_dates"
PanelAt = Callable[[int], Panel | None]
Progress = Callable[[int], None]


@dataclass(frozen=True, order=True)
class Window:
    """The years on which a forecast is tested; what was known before the first of them is all that it may use."""

    year: int
    horizon_years: int = 1

    @property
    def years(self) -> range:
        """The calendar years of the window."""
        return range(self.year, self.year + self.horizon_years)


def windows_between(first: int, last: int, horizon_years: int = 1) -> list[Window]:
    """Return windows one after the other, without overlap, of which the last ends with the year `last`.

    Windows that share years are no independent witnesses; standard errors over them would be too small.
    """
    starts = range(last - horizon_years + 1, first - 1, -horizon_years)
    return [Window(year, horizon_years) for year in reversed(starts)]


@dataclass(frozen=True)
class Backtest:
    """What the test found: the frames `backtest_windows`, `backtest_materials` and `backtest_lift`.

    `not_fitted` names the models that could not be fitted to one past or more: they have no row in any frame.
    """

    windows: pd.DataFrame
    materials: pd.DataFrame
    lift: pd.DataFrame
    not_fitted: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Trial:
    """One past from which models learn, and the rows of it on which they are tested.

    `here` are the rows of the whole record that belong to the trial, `heirs` what continues each known segment in it;
    `knowledge` says how its past was known.
    """

    knowledge: str
    known: Panel
    past: Panel
    tested: Flags
    here: Flags
    heirs: Heirs
    district: str | None


def walk_forward(
    panel: Panel,
    models: Sequence[ForecastModel],
    windows: Sequence[Window],
    panel_at: PanelAt | None = None,
    least_history_years: int = LEAST_HISTORY_YEARS,
    progress: Progress | None = None,
    successions: pd.DataFrame | None = None,
) -> Backtest:
    """Fit every model on what had happened before each window, and measure it on what came.

    Each model gets copies of the past only and learns once for each first year. Ranked are the segments known before
    the window that lay in the ground during it, by their mean rate over it; those that came later are left out and
    counted. Predicted leaks are rates times the exposure as it turned out. A model that cannot be fitted to one of the
    pasts is left out of all windows and named: models are compared over the same windows only.

    Without `panel_at`, and for years for which it returns none, the attributes are those of today: event dates and
    install intervals decide what was known, and attributes without a date are refused. That flatters where the census
    was mended after leaks. The column `knowledge` says of each window which it was.

    Parameters
    ----------
    panel
        The whole record: what the forecasts are measured by.
    models
        Models under test; their names differ.
    windows
        Windows of any horizons, inside the years of the panel.
    panel_at
        Returns the panel as the registry knew it when a year began, or None where it had recorded nothing by then.
    least_history_years
        Years of record before the first window.
    progress
        Called with 1 whenever a model has been tested on the windows of one first year.
    successions
        The frame `successions` as of today: the leaks of a pipe that was split or merged since it was known are
        looked up on its parts. Without it such a pipe is left out and counted in `gone_count`.

    Raises
    ------
    PlanningError
        Where a window does not fit into the record, an attribute has no date, or a model returns no usable rates.
    """

    def trials(year: int) -> Iterator[_Trial]:
        knowledge, past = _past(panel, year, panel_at)
        here, tested = (np.ones(len(known.segments), dtype=bool) for known in (panel, past))
        yield _Trial(knowledge, past, past, tested, here, find_heirs(past.segments, panel.segments, successions), None)

    return _run(panel, models, windows, trials, _Setting(least_history_years, progress))


def hold_out(
    panel: Panel,
    models: Sequence[ForecastModel],
    windows: Sequence[Window],
    districts: pd.Series,
    panel_at: PanelAt | None = None,
    least_history_years: int = LEAST_HISTORY_YEARS,
    successions: pd.DataFrame | None = None,
) -> Backtest:
    """Test every model on each district in turn, with the leaks and the exposure of that district hidden from it.

    It learns from the past of the other districts; of the hidden one it sees the attributes, as of a district whose
    leaks were never recorded. A street that runs through both still tells what happened outside. Ranked is within the
    district. So this is harder than the future of a known city: no segment has a history of its own.

    Parameters
    ----------
    districts
        The district of each segment, by `segment_id`; segments without one are learned from and never tested.

    Raises
    ------
    PlanningError
        As `walk_forward`.
    """

    def trials(year: int) -> Iterator[_Trial]:
        knowledge, known = _past(panel, year, panel_at)
        district = districts.reindex(known.segments.index)
        heirs = find_heirs(known.segments, panel.segments, successions)
        for name in sorted(district.dropna().unique()):
            tested, here = (
                (place == name).to_numpy(dtype=bool, na_value=False)
                for place in (district, districts.reindex(panel.segments.index))
            )
            if tested.all():
                raise PlanningError("forecast_one_district", district=str(name))
            seen = np.where(tested, 0.0, 1.0)[:, None]
            past = replace(known, km_years=known.km_years * seen, leaks=known.leaks * seen)
            yield _Trial(knowledge, known, past, tested, here, heirs, str(name))

    return _run(panel, models, windows, trials, _Setting(least_history_years))


@dataclass(frozen=True)
class _Setting:
    """How much record a forecast needs, and who is told of progress."""

    least_history_years: int
    progress: Progress | None = None


def _past(panel: Panel, year: int, panel_at: PanelAt | None) -> tuple[str, Panel]:
    """Return how the past was known and what of it: as recorded then, else by event dates with what is dated."""
    known = None if panel_at is None else panel_at(year)
    if known is not None:
        return RECORDED, known.until(year)
    refuse_undated(panel.segments.columns)
    return EVENT_DATES, panel.until(year)


def _run(
    panel: Panel,
    models: Sequence[ForecastModel],
    windows: Sequence[Window],
    trials: Callable[[int], Iterator[_Trial]],
    setting: _Setting,
) -> Backtest:
    _check(panel, models, windows, setting)
    parts: dict[str, list[dict[str, object]]] = {"backtest_windows": [], "backtest_materials": [], "backtest_lift": []}
    not_fitted: dict[str, None] = {}
    for year, same_year in groupby(sorted(set(windows)), key=lambda window: window.year):
        together = list(same_year)
        longest = max(together, key=lambda window: window.horizon_years)
        for trial in trials(year):
            truths = [_Truth.of(panel, trial, window) for window in together]
            for model in models:
                try:
                    rates = _checked_rates(model, trial.past, longest.years)
                except ModelFitError:
                    not_fitted[model.name] = None
                    continue
                for truth in truths:
                    keys = _keys(model.name, trial, truth.window)
                    for name, rows in truth.measure(rates).items():
                        parts[name] += [keys | row for row in rows]
                if setting.progress is not None:
                    setting.progress(1)
    frames = {
        name: _typed(pd.DataFrame([row for row in rows if row["model"] not in not_fitted]), name)
        for name, rows in parts.items()
    }
    return Backtest(
        frames["backtest_windows"], frames["backtest_materials"], frames["backtest_lift"], tuple(not_fitted)
    )


def _check(panel: Panel, models: Sequence[ForecastModel], windows: Sequence[Window], setting: _Setting) -> None:
    names = [model.name for model in models]
    if len(set(names)) < len(names):
        raise PlanningError("forecast_models_alike", models=", ".join(names))
    first, last = panel.years.start + setting.least_history_years, panel.years.stop - 1
    strays = [window for window in windows if window.year < first or window.years.stop - 1 > last]
    if strays or not windows:
        years = ", ".join(f"{window.years.start}-{window.years.stop - 1}" for window in strays) or "-"
        raise PlanningError("forecast_window_outside", years=years, first=first, last=last)


def _keys(model: str, trial: _Trial, window: Window) -> dict[str, object]:
    return {
        "model": model,
        "knowledge": trial.knowledge,
        "district": trial.district,
        "year": window.year,
        "horizon_years": window.horizon_years,
        "history_years": len(trial.past.years),
        "history_leaks": trial.past.leaks.sum(),
    }


def _checked_rates(model: ForecastModel, past: Panel, years: range) -> Floats:
    rates = np.asarray(model.fit(past).rates(years), dtype="float64")
    wanted = (len(past.segments), len(years))
    if rates.shape != wanted or not np.isfinite(rates).all() or (rates < 0).any():
        raise PlanningError("forecast_rates_unusable", model=model.name, year=years.start, rows=wanted[0])
    return rates


@dataclass(frozen=True)
class _Truth:
    """What came in a window, of the tested segments that lay in the ground during it.

    `rows` are their places in the past, `columns` those of the window in the forecast; `unknown_*` tells of the
    segments that were not known before.
    """

    window: Window
    rows: NDArray[np.int64]
    km_years: Floats
    leaks: Floats
    length_km: Floats
    never_leaked: Flags
    material: pd.Series
    unknown: dict[str, float]

    @classmethod
    def of(cls, panel: Panel, trial: _Trial, window: Window) -> _Truth:
        columns = slice(window.years.start - panel.years.start, window.years.stop - panel.years.start)
        exposed = panel.km_years[:, columns].sum(axis=1) > 0
        heirs, count = trial.heirs, len(trial.known.segments)
        length_km = panel.segments["length_m"].to_numpy(dtype="float64") / 1000.0
        km_years, leaks, km = (
            heirs.inherit(values, count) for values in (panel.km_years[:, columns], panel.leaks[:, columns], length_km)
        )
        rows = np.flatnonzero(trial.tested & (km_years.sum(axis=1) > 0))
        new = exposed & trial.here & ~heirs.was_known(len(panel.segments))
        unknown = {
            "gone_count": float((trial.tested & ~heirs.has_heir(count)).sum()),
            "new_count": float(new.sum()),
            "new_km": float(length_km[new].sum()),
            "new_leaks": float(panel.leaks[new, columns].sum()),
        }
        material = trial.known.segments["material"].iloc[rows]
        never = measures.never_leaked(trial.known.leaks[rows])
        return cls(window, rows, km_years[rows], leaks[rows].sum(axis=1), km[rows], never, material, unknown)

    def measure(self, rates: Floats) -> dict[str, list[dict[str, object]]]:
        """Return the rows of each frame for one forecast of the whole past."""
        told = rates[self.rows, : self.window.horizon_years]
        predicted = np.sum(told * self.km_years, axis=1)
        rate = told.mean(axis=1)
        found = measures.capture(rate, self.length_km, self.leaks, SHARES)
        never = self.never_leaked
        fresh = measures.capture(rate[never], self.length_km[never], self.leaks[never], SHARES)
        row: dict[str, object] = {
            "segment_count": len(self.rows),
            "length_km": self.length_km.sum(),
            "leaks": self.leaks.sum(),
            **dict(zip(CAPTURES, found, strict=True)),
            "never_leaked_km": self.length_km[never].sum(),
            "never_leaked_leaks": self.leaks[never].sum(),
            **{f"never_leaked_{name}": value for name, value in zip(CAPTURES, fresh, strict=True)},
            "predicted_leaks": predicted.sum(),
            "calibration": measures.calibration(predicted, self.leaks),
            "deviance": measures.poisson_deviance(predicted, self.leaks),
            "secondary_auc": measures.secondary_auc(rate, self.leaks),
            **self.unknown,
        }
        materials = measures.calibration_by(predicted, self.leaks, self.material).rename_axis("material").reset_index()
        lift = measures.capture(rate, self.length_km, self.leaks, LIFT_SHARES).tolist()
        total = float(self.leaks.sum())
        return {
            "backtest_windows": [row],
            "backtest_materials": [
                dict(zip(materials.columns, values, strict=True)) for values in materials.to_numpy(object)
            ],
            "backtest_lift": [
                {"length_share": length, "leak_share": found, "leaks": total}
                for length, found in zip(LIFT_SHARES, lift, strict=True)
            ],
        }


def _typed(table: pd.DataFrame, frame: str) -> pd.DataFrame:
    """Return a frame in the order and with the types of its contract."""
    contract = fields()[frame]
    dtypes = {"text": "str", "integer": "Int64", "double": "float64", "boolean": "boolean"}
    return table.reset_index(drop=True).astype({name: dtypes[field.dtype] for name, field in contract.items()})[
        list(contract)
    ]
