"""The gate: a learned ranking is used only where it proved better than the default on the city's own past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from planner.factors import Floats
from planner.forecast.summary import by_material, gains, side_by_side, standard_error
from planner.score import DEFAULT_MODEL
from registry.errors import PlanningError
from registry.fields import columns_of

CHOSEN_BEFORE: Final = "chosen_before"
_DECIMALS: Final = 12


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
    """Which model ships, which learned one came nearest, and every criterion: the frame `gate_criteria`.

    `unplayed` are the test years that the series of `chosen_before` leaves out: before the first window has ended there
    is nothing to choose a model by.
    """

    ships: str
    candidate: str | None
    criteria: pd.DataFrame
    unplayed: tuple[int, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether a learned model ships."""
        return self.ships != DEFAULT_MODEL


def limits_in_signs(criterion: str, at_least: float, at_most: float) -> str:
    """Return the limits of a criterion as they are meant: capture and deviance must lie beyond theirs, not at them."""
    signs = "><" if criterion in {"capture", "deviance"} else "≥≤"
    pairs = zip(signs, (at_least, at_most), strict=True)
    return " ".join(f"{sign} {limit:.3g}" for sign, limit in pairs if not np.isnan(limit))


def decide(
    windows: pd.DataFrame,
    materials: pd.DataFrame,
    learned: Sequence[str],
    history_leaks: float,
    rule: GateRule = GateRule(),
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
    absent = sorted({DEFAULT_MODEL, *learned} - set(yearly["model"]))
    if absent:
        raise PlanningError("forecast_not_tested", models=", ".join(absent))
    able = pd.Series(
        [rule.may_try(*pair) for pair in zip(yearly["model"], yearly["history_leaks"], strict=True)], yearly.index
    )
    able = able | (yearly["model"] == DEFAULT_MODEL)
    played = yearly[able].sort_values("year", kind="stable")
    parts = materials[(materials["horizon_years"] == 1) & materials["district"].isna()]
    names = list(learned)
    unplayed: tuple[int, ...] = ()
    if len(names) > 1:
        series = _chosen_before(played, names, rule)
        played, parts = (_with_series(table, series) for table in (played, parts))
        names.append(CHOSEN_BEFORE)
        unplayed = tuple(sorted({int(year) for year in yearly["year"]} - set(series)))
    criteria = _criteria(played, parts, names, history_leaks, rule)
    candidate = _best(played, [name for name in learned if rule.may_try(name, history_leaks)], rule)
    judged = judged_criteria(criteria, candidate)
    ships = candidate if candidate is not None and bool(judged["passed"].all()) else DEFAULT_MODEL
    return GateDecision(ships, candidate, criteria, unplayed)


def judged_criteria(criteria: pd.DataFrame, candidate: str | None) -> pd.DataFrame:
    """Return the criteria that decide: those of the series and those of the candidate by itself."""
    return criteria[criteria["model"].isin([CHOSEN_BEFORE, candidate])]


def failed_criteria(criteria: pd.DataFrame, candidate: str | None) -> list[str]:
    """Return the codes of the criteria that keep the gate shut for the candidate, each once."""
    judged = judged_criteria(criteria, candidate)
    return list(dict.fromkeys(judged.loc[~judged["passed"].astype(bool), "criterion"]))


def _best(played: pd.DataFrame, models: list[str], rule: GateRule) -> str | None:
    """Return the model with the highest capture over all leaks, the first named among equals; none without leaks."""
    own = played[played["model"].isin(models) & played[rule.capture].notna()]
    model = own["model"].to_numpy()
    leaks = own["leaks"].to_numpy(dtype="float64")
    found = leaks * own[rule.capture].to_numpy(dtype="float64")
    scores = {name: found[model == name].sum() / leaks[model == name].sum() for name in models if name in set(model)}
    return max(scores, key=lambda name: scores[name]) if scores else None


def _chosen_before(played: pd.DataFrame, learned: list[str], rule: GateRule) -> dict[int, str]:
    """Return for each year the model chosen by the windows before it, of those that may try in that year."""
    chosen = {}
    for year in sorted(played["year"].unique()):
        able = set(played.loc[played["year"] == year, "model"])
        best = _best(played[played["year"] < year], [name for name in learned if name in able], rule)
        if best is not None:
            chosen[int(year)] = best
    return chosen


def _with_series(table: pd.DataFrame, series: dict[int, str]) -> pd.DataFrame:
    """Add the series in which each window is played by the model chosen before it, as one model more."""
    chosen = table["model"].to_numpy() == table["year"].map(series).to_numpy()
    with_one_more: pd.DataFrame = pd.concat([table, table[chosen].assign(model=CHOSEN_BEFORE)], ignore_index=True)
    return with_one_more


def _criteria(
    played: pd.DataFrame, parts: pd.DataFrame, models: Sequence[str], history_leaks: float, rule: GateRule
) -> pd.DataFrame:
    """Return every criterion of every model over the windows in which it may play."""
    needed = (
        rule.capture,
        f"never_leaked_{rule.capture}",
        "deviance",
        "leaks",
        "never_leaked_leaks",
        "predicted_leaks",
    )
    # a model that may play in no window has no column of its own
    tables = {name: side_by_side(played, name).reindex(columns=[DEFAULT_MODEL, *models]) for name in needed}
    able = pd.MultiIndex.from_frame(played[["model", "year"]])
    told = by_material(parts[pd.MultiIndex.from_frame(parts[["model", "year"]]).isin(able)]).reset_index()
    told = told[told["leaks"] >= rule.material_leaks]
    rows = []
    for model in models:
        found = [*_of_the_city(tables, model, rule)]
        if model in rule.history_leaks:
            found.append(_row("history_leaks", history_leaks, at_least=rule.history_leaks[model]))
        own = told[told["model"] == model]
        for material, leaks, predicted in zip(own["material"], own["leaks"], own["predicted_leaks"], strict=True):
            row = _calibration("material_calibration", float(leaks), float(predicted), rule)
            found.append(row | {"material": material})
        rows += [row | {"model": model} for row in found]
    return _typed(pd.DataFrame(rows))


def _of_the_city(tables: dict[str, pd.DataFrame], model: str, rule: GateRule) -> list[dict[str, object]]:
    """Return the criteria that look at all materials together."""
    gain = gains(tables[rule.capture], model)
    more = gains(tables["deviance"], model)
    sums = {name: float(tables[name][model].sum()) for name in ("leaks", "predicted_leaks")}
    # how much more is left unexplained than by the default, over all windows: below 0 is better
    deviance = float(more.sum()) if len(more) else float("nan")
    error = standard_error(gain)
    return [
        _row("windows", float(len(gain)), at_least=float(rule.least_windows)),
        _row("capture", _mean(gain), above=rule.standard_errors * error, standard_error=error),
        _row("deviance", deviance, at_most=0.0) | {"passed": bool(deviance < 0.0)},
        _calibration("calibration", sums["leaks"], sums["predicted_leaks"], rule),
        _never_leaked(tables[f"never_leaked_{rule.capture}"], tables["never_leaked_leaks"], model),
    ]


def _row(
    criterion: str,
    value: float,
    at_least: float | None = None,
    at_most: float | None = None,
    above: float | None = None,
    standard_error: float | None = None,
) -> dict[str, object]:
    """Return one criterion; what is not known does not pass, and a rounding error of a sum decides nothing."""
    value = round(value, _DECIMALS)
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


def _calibration(criterion: str, leaks: float, predicted: float, rule: GateRule) -> dict[str, object]:
    ratio = predicted / leaks if leaks > 0 else float("nan")
    return _row(criterion, ratio, at_least=rule.calibration_from, at_most=rule.calibration_to)


def _never_leaked(captures: pd.DataFrame, leaks: pd.DataFrame, model: str) -> dict[str, object]:
    """The same capture among segments without a leak before, over all their leaks, less that of the default."""
    gain = gains(captures, model)
    both = captures[[model, DEFAULT_MODEL]].notna().all(axis=1)
    weights = leaks.loc[both, model].to_numpy(dtype="float64")
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
