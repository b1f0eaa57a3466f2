"""Why a plan renews a segment in its year or not, in sentences for planners and meetings."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from registry.catalogue import money, say
from registry.fields import value_list

_METRES_PER_KM: Final = 1000.0
_NO_NUMBER: Final = "—"
# a loss that rounds to nothing is not told
_LEAST_LOSS: Final = 0.005


def why_in_words(
    reasons: pd.DataFrame,
    batches: pd.DataFrame,
    batch_segments: pd.DataFrame,
    language: str,
    due_year: pd.Series | None = None,
) -> pd.Series:
    """Return a sentence or two for each row of `plan_reasons`, index as `reasons`.

    `batches` and `batch_segments` are those of the same plan. `due_year` is that of late segments by id (`late_work`);
    without it the one of the batch is told.
    """
    batch = batches.reindex(batch_segments["batch_id"].reindex(reasons.index)).set_index(reasons.index)
    facts = reasons.join(batch[["label", "length_m", "due_year", "policy_class", "project_id", "saving_cny"]])
    if due_year is not None:
        facts["due_year"] = due_year.reindex(facts.index).astype("Int64").fillna(facts["due_year"])
    texts = [
        _sentences(row, str(segment), language)
        for segment, row in zip(reasons.index, facts.to_dict("records"), strict=True)
    ]
    return pd.Series(texts, reasons.index, dtype="str", name="text")


def _sentences(row: dict[Any, Any], segment: str, language: str) -> str:
    told = _told(row, language)
    reason = say(f"plan_why_{row['reason']}", language, segment=segment, **told)
    return say("plan_why_with_loss", language, reason=reason, **told) if row["loss"] >= _LEAST_LOSS else reason


def _told(row: dict[Any, Any], language: str) -> dict[str, Any]:
    """Return the figures of a row as texts; what is not known is a dash."""
    classes = value_list("policy_class")
    due, year = row["due_year"], row["year"]
    late = "" if pd.isna(due) or pd.isna(year) else int(year) - int(due)
    return {
        "year": _whole(year),
        "best_year": _whole(row["best_year"]),
        "due_year": _whole(due),
        "late": late,
        "label": _batch(row["label"], language),
        "km": _number(row["length_m"] / _METRES_PER_KM, 2),
        "cost": money(row["cost_cny"], language, 2),
        "saving": money(row["saving_cny"], language, 2),
        "project": _NO_NUMBER if pd.isna(row["project_id"]) else row["project_id"],
        "policy_class": classes[row["policy_class"]].label(language) if row["policy_class"] in classes else _NO_NUMBER,
        "worth": _number(row["worth_per_million"], 1),
        "price": _number(row["price_per_million"], 1),
        "loss": _number(row["loss"], 2),
    }


def _batch(label: object, language: str) -> str:
    is_named = not pd.isna(label) and label != _NO_NUMBER  # type: ignore[call-overload]
    return say("plan_why_batch", language, label=label) if is_named else say("plan_why_batch_unnamed", language)


def _whole(value: object) -> str:
    return _NO_NUMBER if pd.isna(value) else str(value)  # type: ignore[call-overload]


def _number(value: float, places: int) -> str:
    return _NO_NUMBER if pd.isna(value) else f"{value:,.{places}f}"
