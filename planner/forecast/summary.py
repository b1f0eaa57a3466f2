"""What a back-test says in sum: means, and differences to the default with their standard errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from planner.factors import Floats
from planner.forecast.backtest import CAPTURES
from registry.errors import PlanningError
from registry.fields import columns_of

DEFAULT: Final = "default"
# each measure, the leaks it is weighted by, and whether more of it is better; calibration has no better side
MEASURES: Final = {
    **{name: ("leaks", 1) for name in CAPTURES},
    **{f"never_leaked_{name}": ("never_leaked_leaks", 1) for name in CAPTURES},
    "calibration": ("leaks", 0),
    "deviance": ("leaks", -1),
    "secondary_auc": ("leaks", 1),
}


def paired(windows: pd.DataFrame, model: str, measure: str, reference: str = DEFAULT) -> pd.Series:
    """Return a measure of a model less that of the reference, over the windows in which both have it.

    The index is `year`, `horizon_years`, `district`.
    """
    keys = ["year", "horizon_years", "district"]
    by_model = [windows.loc[windows["model"] == name].set_index(keys)[measure] for name in (model, reference)]
    aligned = pd.concat(by_model, axis=1, keys=["model", "reference"]).dropna()
    difference: pd.Series = (aligned["model"] - aligned["reference"]).rename(measure)
    return difference


def standard_error(differences: Floats) -> float:
    """Return the standard error of a mean over windows; NaN for fewer than two."""
    count = len(differences)
    return float(np.std(differences, ddof=1) / np.sqrt(count)) if count > 1 else float("nan")


def summarise(windows: pd.DataFrame, reference: str = DEFAULT) -> pd.DataFrame:
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
        for model in same["model"].unique():
            own = same[same["model"] == model]
            for measure, (weight, better) in MEASURES.items():
                differences = paired(same, model, measure, reference).to_numpy(dtype="float64")
                yield {
                    "model": model,
                    "is_hold_out": is_hold_out,
                    "horizon_years": horizon,
                    "measure": measure,
                    **_means(own[measure].to_numpy(), own[weight].to_numpy()),
                    "difference": float(differences.mean()) if len(differences) else float("nan"),
                    "difference_standard_error": standard_error(differences),
                    "better_count": int((better * differences > 0).sum()) if better else pd.NA,
                }


def _means(values: Floats, weights: Floats) -> dict[str, object]:
    """Return both means, the scatter and the leaks, over the windows in which the measure exists."""
    known = ~np.isnan(values)
    total = float(weights[known].sum())
    return {
        "weighted_mean": float(np.sum(values[known] * weights[known]) / total) if total > 0 else float("nan"),
        "mean": float(values[known].mean()) if known.any() else float("nan"),
        "standard_deviation": float(np.std(values[known], ddof=1)) if known.sum() > 1 else float("nan"),
        "window_count": int(known.sum()),
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
