"""The gate: a learned ranking is used only where it proved better than the default on the city's own past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from planner.factors import Floats
from planner.forecast.summary import DEFAULT, by_material, gains, side_by_side, standard_error
from registry.errors import PlanningError
from registry.fields import columns_of

CHOSEN_BEFORE = "chosen_before"


@dataclass(frozen=True)
class GateRule:
    """What a learned model must show; round figures set beforehand, not on any city.

    Parameters
    ----------
    capture
        The measure that decides.
    least_windows
        One-year windows in which candidate and default stand side by side.
    standard_errors
        How many paired standard errors the candidate must be better by.
    calibration_from, calibration_to
        Predicted over observed leaks, of the city and of every material with enough leaks.
    material_leaks
        Leaks in all windows from which the calibration of a material is judged; with fewer it scatters by more than a
        tenth by chance.
    history_leaks
        By model, the leaks in the past below which it may not even try.
    """

    capture: str = "capture_at_10"
    least_windows: int = 5
    standard_errors: float = 2.0
    calibration_from: float = 0.8
    calibration_to: float = 1.25
    material_leaks: float = 100.0
    history_leaks: Mapping[str, float] = field(default_factory=lambda: {"boosting": 300.0})

    def may_try(self, model: str, history_leaks: float) -> bool:
        """Say whether a past holds enough leaks for a model."""
        return history_leaks >= self.history_leaks.get(model, 0.0)


@dataclass(frozen=True)
class GateDecision:
    """Which model ships, which learned one came nearest, and every criterion: the frame `gate_criteria`."""

    ships: str
    candidate: str | None
    criteria: pd.DataFrame

    @property
    def is_open(self) -> bool:
        """Whether a learned model ships."""
        return self.ships != DEFAULT


def decide(
    windows: pd.DataFrame,
    materials: pd.DataFrame,
    learned: Sequence[str],
    history_leaks: float,
    rule: GateRule = GateRule(),  # noqa: B008 - frozen
) -> GateDecision:
    """Decide which model ranks the segments: a learned one that passes every criterion, otherwise the default.

    Only one-year windows of the walk-forward count. Nothing is chosen by looking at the years on which it is judged:
    where several learned models compete, each window is played by the one that had captured most (over all leaks of
    the windows that had ended before it began). This series, `chosen_before`, is what must be better than the
    default; its first window has no one to play it. The candidate is the one that the same rule chooses after the
    last window. It ships if the series passes every criterion and so does the candidate by itself; the second can only
    close the gate. With one learned model both are the same.

    Parameters
    ----------
    windows, materials
        Frames of `walk_forward`, with the default among the models.
    learned
        The models that may replace the default.
    history_leaks
        Leaks of the whole record, from which the model that ships would learn.

    Raises
    ------
    PlanningError
        Where the default or a learned model was not tested.
    """
    yearly = windows[(windows["horizon_years"] == 1) & windows["district"].isna()]
    absent = sorted({DEFAULT, *learned} - set(yearly["model"]))
    if absent:
        raise PlanningError("forecast_not_tested", models=", ".join(absent))
    able = pd.Series(
        [rule.may_try(*pair) for pair in zip(yearly["model"], yearly["history_leaks"], strict=True)], yearly.index
    )
    able = able | (yearly["model"] == DEFAULT)
    played = yearly[able].sort_values("year", kind="stable")
    parts = materials[(materials["horizon_years"] == 1) & materials["district"].isna()]
    tables = [_criteria(played, parts, model, history_leaks, rule) for model in learned]
    candidate = _best(played, [name for name in learned if rule.may_try(name, history_leaks)], rule)
    if len(learned) > 1:
        series = _chosen_before(played, list(learned), rule)
        tables.append(_series_criteria(played, parts, series, rule))
    criteria = _typed(pd.concat(tables) if tables else pd.DataFrame())
    judged = criteria[criteria["model"].isin([CHOSEN_BEFORE, candidate])]
    ships = candidate if candidate is not None and bool(judged["passed"].all()) else DEFAULT
    return GateDecision(ships, candidate, criteria)


def _best(played: pd.DataFrame, models: list[str], rule: GateRule) -> str | None:
    """Return the model with the highest capture over all leaks, the first named among equals; none without leaks."""
    scores = {}
    for model in models:
        own = played[(played["model"] == model) & played[rule.capture].notna()]
        if own["leaks"].sum() > 0:
            scores[model] = float(np.average(own[rule.capture], weights=own["leaks"]))
    return max(scores, key=lambda name: scores[name]) if scores else None


def _chosen_before(played: pd.DataFrame, learned: list[str], rule: GateRule) -> dict[int, str]:
    """Return for each year the model chosen by the windows before it, of those that may try in that year."""
    chosen = {}
    for year in sorted(played["year"].unique()):
        earlier = played[played["year"] < year]
        able = set(played.loc[played["year"] == year, "model"])
        best = _best(earlier, [name for name in learned if name in able], rule)
        if best is not None:
            chosen[int(year)] = best
    return chosen


def _series_criteria(
    played: pd.DataFrame, materials: pd.DataFrame, series: dict[int, str], rule: GateRule
) -> pd.DataFrame:
    """Return the criteria of the series in which each window is played by the model chosen before it."""

    def cast(table: pd.DataFrame) -> pd.DataFrame:
        own = table[table["model"] == table["year"].map(series)].assign(model=CHOSEN_BEFORE)
        return pd.concat([table[table["model"] == DEFAULT], own])

    return _criteria(cast(played), cast(materials), CHOSEN_BEFORE, float("inf"), rule)


def _criteria(
    played: pd.DataFrame, materials: pd.DataFrame, model: str, history_leaks: float, rule: GateRule
) -> pd.DataFrame:
    """Return every criterion of one model over the windows in which it may play."""
    years = set(played.loc[played["model"] == model, "year"])
    both = played[played["model"].isin([model, DEFAULT]) & played["year"].isin(years)]
    gain = gains(side_by_side(both, rule.capture), model)
    error = standard_error(gain)
    own = both[both["model"] == model]
    rows = [
        _row("windows", float(len(gain)), at_least=float(rule.least_windows)),
        _row("capture", _mean(gain), above=rule.standard_errors * error, standard_error=error),
        _deviance(both, model),
        _calibration("calibration", own["leaks"].sum(), own["predicted_leaks"].sum(), rule),
        _never_leaked(both, model, rule),
    ]
    if model in rule.history_leaks:
        rows.append(_row("history_leaks", history_leaks, at_least=rule.history_leaks[model]))
    told = by_material(materials[(materials["model"] == model) & materials["year"].isin(years)]).reset_index()
    for part in told[told["leaks"] >= rule.material_leaks].itertuples():
        row = _calibration("material_calibration", part.leaks, part.predicted_leaks, rule)
        rows.append(row | {"material": part.material})
    return pd.DataFrame(rows).assign(model=model)


def _row(
    criterion: str,
    value: float,
    at_least: float | None = None,
    at_most: float | None = None,
    above: float | None = None,
    standard_error: float | None = None,
) -> dict[str, object]:
    """Return one criterion; what is not known does not pass."""
    low = at_least if above is None else above
    passed = bool(
        (at_least is None or value >= at_least)
        and (above is None or value > above)
        and (at_most is None or value <= at_most)
        and not np.isnan(value)
    )
    return {
        "criterion": criterion,
        "material": None,
        "value": value,
        "standard_error": standard_error,
        "at_least": low,
        "at_most": at_most,
        "passed": passed,
    }


def _deviance(both: pd.DataFrame, model: str) -> dict[str, object]:
    """How much more is left unexplained than by the default, over all windows; below 0 is better."""
    more = gains(side_by_side(both, "deviance"), model)
    value = float(more.sum()) if len(more) else float("nan")
    return _row("deviance", value, at_most=0.0) | {"passed": bool(value < 0.0)}


def _calibration(criterion: str, leaks: float, predicted: float, rule: GateRule) -> dict[str, object]:
    ratio = predicted / leaks if leaks > 0 else float("nan")
    return _row(criterion, ratio, at_least=rule.calibration_from, at_most=rule.calibration_to)


def _never_leaked(both: pd.DataFrame, model: str, rule: GateRule) -> dict[str, object]:
    """The same capture among segments without a leak before, over all their leaks, less that of the default."""
    table = side_by_side(both, f"never_leaked_{rule.capture}")
    gain = gains(table, model)
    weights = side_by_side(both, "never_leaked_leaks")[model][table.notna().all(axis=1)].to_numpy(dtype="float64")
    value = float(np.average(gain, weights=weights)) if weights.sum() > 0 else float("nan")
    return _row("never_leaked", value, at_least=0.0, standard_error=standard_error(gain))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    names = columns_of("gate_criteria")
    numbers = ["value", "standard_error", "at_least", "at_most"]
    whole = table.reindex(columns=names).reset_index(drop=True)
    return whole.astype(
        {"model": "str", "criterion": "str", "material": "str", "passed": "boolean"} | dict.fromkeys(numbers, "float64")
    )
