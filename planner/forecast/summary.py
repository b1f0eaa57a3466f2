"""What a back-test says in sum: means, and differences to the default with their standard errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd

from planner.factors import Floats
from planner.forecast.backtest import CAPTURES
from planner.score import DEFAULT_MODEL
from registry.catalogue import joined
from registry.errors import PlanningError
from registry.fields import columns_of

# each measure, the leaks it is weighted by, and whether more of it is better; calibration has no better side
MEASURES: Final = {
    **dict.fromkeys(CAPTURES, ("leaks", 1)),
    **dict.fromkeys([f"never_leaked_{name}" for name in CAPTURES], ("never_leaked_leaks", 1)),
    "calibration": ("leaks", 0),
    "deviance": ("leaks", -1),
    "secondary_auc": ("leaks", 1),
}


def side_by_side(windows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return a measure with a row for each window and a column for each model.

    The index is `year`, `horizon_years` and `district`, which is empty in the walk-forward.
    """
    keys = [windows["year"], windows["horizon_years"], windows["district"].fillna("")]
    return windows[measure].set_axis(pd.MultiIndex.from_arrays([*keys, windows["model"]])).unstack("model")  # noqa: PD010


def gains(table: pd.DataFrame, model: str, reference: str = DEFAULT_MODEL) -> Floats:
    """Return what a model has more than the reference in each window in which both have the measure."""
    both = table[[model, reference]].dropna().to_numpy(dtype="float64")
    with np.errstate(invalid="ignore"):
        gain: Floats = both[:, 0] - both[:, 1]
    return gain


def standard_error(differences: Floats) -> float:
    """Return the standard error of a mean over windows; NaN for fewer than two."""
    count = len(differences)
    with np.errstate(invalid="ignore"):
        return float(np.std(differences, ddof=1) / np.sqrt(count)) if count > 1 else float("nan")


def summarise(windows: pd.DataFrame, reference: str = DEFAULT_MODEL) -> pd.DataFrame:
    """Sum up `backtest_windows` by model, horizon and measure, each model paired with the reference.

    `weighted_mean` weighs every window by its leaks (for the calibration that is all predicted over all leaks), `mean`
    takes windows alike. `difference` and its standard error are over windows: each window is one witness, however many
    leaks it had. The standard error takes windows as independent; they share most of their past, so it is a little too
    small.

    Raises
    ------
    PlanningError
        Where the reference was not tested.

    Returns
    -------
    The frame `backtest_summary`.
    """
    if reference not in set(windows["model"]):
        raise PlanningError("forecast_no_reference", reference=reference)
    table = pd.DataFrame(_rows(windows, reference), columns=columns_of("backtest_summary"))
    counts = ["horizon_years", "window_count", "better_count"]
    return table.astype({"model": "str", "measure": "str", "is_hold_out": "boolean", **dict.fromkeys(counts, "Int64")})


def _rows(windows: pd.DataFrame, reference: str) -> Iterator[dict[str, object]]:
    by_kind = windows.assign(is_hold_out=windows["district"].notna())
    for (is_hold_out, horizon), same in by_kind.groupby(["is_hold_out", "horizon_years"], sort=True):
        tables = {name: side_by_side(same, name) for name in {*MEASURES, "leaks", "never_leaked_leaks"}}
        for model in same["model"].unique():
            for measure, (weight, better) in MEASURES.items():
                gain = gains(tables[measure], model, reference)
                yield {
                    "model": model,
                    "is_hold_out": is_hold_out,
                    "horizon_years": horizon,
                    "measure": measure,
                    **_means(*(tables[name][model].to_numpy(dtype="float64") for name in (measure, weight))),
                    "difference": float(gain.mean()) if len(gain) else float("nan"),
                    "difference_standard_error": standard_error(gain),
                    "better_count": int((better * gain > 0).sum()) if better else pd.NA,
                }


def _means(values: Floats, weights: Floats) -> dict[str, object]:
    """Return both means, the scatter and the leaks, over the windows in which the measure exists."""
    known = ~np.isnan(values)
    values, weights = values[known], weights[known]
    total = float(weights.sum())
    with np.errstate(invalid="ignore"):
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return {
        "weighted_mean": float(np.sum(values * weights) / total) if total > 0 else float("nan"),
        "mean": float(values.mean()) if len(values) else float("nan"),
        "standard_deviation": deviation,
        "window_count": len(values),
        "leaks": total,
    }


def pool_lift(lift: pd.DataFrame) -> pd.DataFrame:
    """Return one lift curve for each model and horizon: the mean over windows, weighted by their leaks.

    Index `model`, `horizon_years`, `length_share`; column `leak_share`. Windows without leaks have no curve.
    """
    told = lift[lift["leaks"] > 0]
    found = (told["leak_share"] * told["leaks"]).rename("leak_share")
    keys = [told[name] for name in ("model", "horizon_years", "length_share")]
    return (found.groupby(keys).sum() / told["leaks"].groupby(keys).sum()).to_frame("leak_share")


def by_material(materials: pd.DataFrame) -> pd.DataFrame:
    """Sum up `backtest_materials` over windows: leaks, predicted leaks and calibration of each model and material.

    Index `model`, `horizon_years`, `material`. The calibration of a material with few leaks is chance: of n leaks it
    scatters by 1 / sqrt(n).
    """
    keys = ["model", "horizon_years", "material"]
    table = materials.groupby(keys)[["leaks", "predicted_leaks"]].sum()
    return table.assign(calibration=table["predicted_leaks"] / table["leaks"].where(table["leaks"] > 0))


def years_by_knowledge(windows: pd.DataFrame) -> dict[str, list[int]]:
    """Return the first years of the windows by how their past was known: the codes of `knowledge` that occur."""
    return {
        str(knowledge): sorted({int(year) for year in years})
        for knowledge, years in windows.groupby("knowledge", sort=True)["year"]
    }


def years_in_words(years: Sequence[int], language: str) -> str:
    """Return years in order with runs drawn together, as 2018-2020, 2022."""
    runs: list[list[int]] = []
    for year in years:
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    said = [f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return joined(said, language)
